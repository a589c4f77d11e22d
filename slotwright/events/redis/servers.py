"""What tables, publishers and subscribers need of Redis, be it one server or a cluster."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from redis import exceptions

from slotwright.events.redis import faults, links
from slotwright.loading import InvalidConfiguration
from slotwright.redis_uri import Target

LOG = logging.getLogger(__name__)

#: Host and port.
Node = tuple[str, int]


class Servers(Protocol):
    """One server or a cluster, and connections for data to all of its nodes."""

    def connect(self) -> None:
        """Connect to every node that answers, within some seconds; the others are logged.

        :raises InvalidConfiguration: one is there where a cluster should be, or the reverse.
        """

    def run(self, key: str, *command: str | bytes | int) -> Any:
        """Run a command once, where ``key`` lies.

        :raises redis.RedisError: as redis-py does; OSError too.
        """

    def lost(self, error: Exception) -> bool:
        """Whether the reason is a connection, so that it may be tried again."""

    def look_again(self) -> None:
        """After a loss: find out which nodes there are now. Never raises, takes 4 s at most."""

    def nodes(self) -> Sequence[Node]:
        """All nodes, as last seen."""

    def target(self, node: Node) -> Target:
        """How to connect to a node."""

    def close(self) -> None:
        """Close the connections for data."""


class OneServer:
    """One Redis server, not of a cluster."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = links.client(target)
        self._closed = False

    def connect(self) -> None:
        try:
            mode = self._client.info('server').get('redis_mode')
        except (exceptions.RedisError, OSError) as error:
            LOG.warning('The server of [events] does not answer: %s', error)
        else:
            if mode == 'cluster':
                raise InvalidConfiguration(
                    '[events] driver = redis, but the server of uri is of a cluster: '
                    'set driver = redis_cluster'
                )

    def run(self, key: str, *command: str | bytes | int) -> Any:  # noqa: ARG002 - of a cluster
        if self._closed:
            raise exceptions.ConnectionError('The driver is closed.')
        return self._client.execute_command(*command)

    def lost(self, error: Exception) -> bool:
        return faults.is_lost(error)

    def look_again(self) -> None:
        """The next command connects anew."""

    def nodes(self) -> Sequence[Node]:
        return [self._address()]

    def target(self, node: Node) -> Target:  # noqa: ARG002 - there is one
        return self._target

    def close(self) -> None:
        self._closed = True
        self._client.connection_pool.disconnect()

    def _address(self) -> Node:
        options = self._target.options
        return str(options.get('host', options.get('path'))), int(options.get('port', 0))


class Spread:
    """Scatters publishers and subscribers: who comes goes where the fewest are."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._used: Counter[Node] = Counter()
        self._lock = threading.Lock()

    def candidates(self, last: Node | None = None) -> Iterator[Node]:
        """Nodes to try: ``last`` first, then those with the fewest."""
        tried = set()
        if last is not None:
            tried.add(last)
            yield last
            self._servers.look_again()
        while True:
            with self._lock:
                left = [node for node in self._servers.nodes() if node not in tried]
                if not left:
                    return
                node = min(left, key=lambda found: (self._used[found], found))
            tried.add(node)
            yield node

    def take(self, node: Node) -> None:
        """One more is there."""
        with self._lock:
            self._used[node] += 1

    def leave(self, node: Node) -> None:
        """One has gone."""
        with self._lock:
            self._used[node] -= 1

    def target(self, node: Node) -> Target:
        """How to connect to a node."""
        return self._servers.target(node)
