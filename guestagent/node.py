"""A thin link to one Redis node: raw commands, pipelined, without retries."""

import threading
from collections.abc import Sequence
from typing import Any

import redis
import redis.connection

from guestagent.redisconf import AGENT_USER
from slotwright.domain.errors import CommandRefused, GuestError
from slotwright.domain.topology import Address, NodeStatus, PeerView, parse_nodes

Command = Sequence[str | int]

CONNECT_TIMEOUT = 1.0  # seconds
ANSWER_TIMEOUT = 4.0  # seconds


#: Without types in redis-py.
_connection_class: Any = redis.connection.Connection


class Node:
    """One redis-server as the agents' user sees it. Safe to use from several threads.

    Nothing is retried here: whoever gives a command knows whether it may run twice.
    """

    def __init__(self, address: Address, secret: str) -> None:
        self._address = address
        self._secret = secret
        self._lock = threading.Lock()
        self._idle: list[Any] = []

    def run(self, *commands: Command) -> list[Any]:
        """Send all commands in one go; answers in order, error answers as exceptions.

        :raises GuestError: when Redis does not answer or is still loading.
        """
        try:
            connection = self._take()
            try:
                connection.send_packed_command(
                    connection.pack_commands([tuple(c) for c in commands])
                )
                answers = [_read(connection) for _ in commands]
            except BaseException:
                connection.disconnect()
                raise
        except (redis.RedisError, OSError) as e:
            raise GuestError(f'redis-server at {self._address} does not answer: {e}') from e
        with self._lock:
            self._idle.append(connection)
        return answers

    def ask(self, *command: str | int) -> Any:
        """Run one command.

        :raises CommandRefused: when Redis answers with an error.
        :raises GuestError: when Redis does not answer.
        """
        (answer,) = self.run(command)
        return accepted(answer, command)

    def nodes(self) -> tuple[PeerView, ...]:
        """CLUSTER NODES, parsed."""
        return parse_nodes(self.ask('CLUSTER', 'NODES'))

    def view(self) -> NodeStatus:
        """The node table and the number of keys, in one round trip."""
        nodes, keys = self.run(('CLUSTER', 'NODES'), ('DBSIZE',))
        return NodeStatus(
            prepared=True,
            running=True,
            keys=int(accepted(keys, ('DBSIZE',))),
            nodes=parse_nodes(accepted(nodes, ('CLUSTER', 'NODES'))),
        )

    def close(self) -> None:
        """Drop the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.disconnect()

    def _take(self) -> Any:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if _usable(connection):
                return connection
            connection.disconnect()

    def _connect(self) -> Any:
        connection = _connection_class(
            host=self._address.ip,
            port=self._address.port,
            username=AGENT_USER,
            password=self._secret,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=ANSWER_TIMEOUT,
            decode_responses=True,
            protocol=2,
        )
        connection.connect()
        return connection


def accepted(answer: Any, command: Command) -> Any:
    """Hand an answer through.

    :raises CommandRefused: when it is an error; only the command's name is told, since
        arguments may be secrets.
    """
    if isinstance(answer, redis.RedisError):
        name = ' '.join(str(word) for word in command[:2])
        raise CommandRefused(f'{name}: {answer}')
    return answer


def info_fields(text: str) -> dict[str, str]:
    r"""Read CLUSTER INFO or INFO.

    >>> info_fields('cluster_state:ok\r\ncluster_size:3\r\n')
    {'cluster_state': 'ok', 'cluster_size': '3'}
    """
    pairs = (line.partition(':') for line in text.splitlines())
    return {name: value for name, colon, value in pairs if colon}


def _read(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as e:
        return e


def _usable(connection: Any) -> bool:
    """An idle connection with something to read was closed by the other side."""
    try:
        return not connection.can_read()
    except (redis.RedisError, OSError):
        return False
