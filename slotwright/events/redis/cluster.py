"""A Redis Cluster: who owns which slot, and a client of each node."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import redis
from redis import exceptions
from redis.cluster import get_node_name
from redis.crc import key_slot

from slotwright.events.redis import faults, links
from slotwright.events.redis.servers import Node
from slotwright.loading import InvalidConfiguration
from slotwright.redis_uri import Target

LOG = logging.getLogger(__name__)

#: Times that a command follows MOVED and ASK.
MOST_REDIRECTIONS = 5
#: Seconds after which no further node is asked who is there.
LOOKING = 1.0


class Cluster:
    """Nodes found by CLUSTER SLOTS, asked of any node known, else of the seeds."""

    def __init__(self, target: Target, seeds: Sequence[Node]) -> None:
        """``target`` gives login, TLS and time limits for all nodes."""
        self._target = target
        self._seeds = tuple(seeds)
        self._owners: Mapping[int, Node] = {}
        self._nodes: Sequence[Node] = self._seeds
        self._clients: dict[Node, redis.Redis] = {}
        self._silent: Node | None = None
        self._alone = False
        self._closed = False
        self._lock = threading.Lock()
        self._looking = threading.Lock()

    def connect(self) -> None:
        self.look_again()
        if self._alone:
            raise InvalidConfiguration(
                '[events] driver = redis_cluster, but the server of uri is of none: '
                'set driver = redis'
            )
        with ThreadPoolExecutor(8, 'slotwright-events-connect') as executor:
            list(executor.map(self._ping, self.nodes()))

    def run(self, key: str, *command: str | bytes | int) -> Any:
        slot = key_slot(key.encode())
        node, asking = self._owner(slot), False
        for _ in range(MOST_REDIRECTIONS):
            try:
                return self._send(node, asking, command)
            except exceptions.MovedError as moved:  # a subclass of AskError
                node, asking = (moved.host or node[0], moved.port), False
                self._moved(slot, node)
            except exceptions.AskError as asked:
                node, asking = (asked.host or node[0], asked.port), True
            except faults.GONE:
                self._silent = node
                raise
        raise exceptions.ClusterDownError('The nodes send us from one to another.')

    def lost(self, error: Exception) -> bool:
        return faults.is_lost_in_cluster(error)

    def look_again(self) -> None:
        # One looks; who comes meanwhile waits and takes what that one found.
        if not self._looking.acquire(blocking=False):
            with self._looking:
                return
        try:
            self._look()
        finally:
            self._looking.release()

    def nodes(self) -> Sequence[Node]:
        return self._nodes

    def target(self, node: Node) -> Target:
        return Target(self._target.kind, {**self._target.options, 'host': node[0], 'port': node[1]})

    def close(self) -> None:
        with self._lock:
            self._closed = True
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.connection_pool.disconnect()

    def _look(self) -> None:
        give_up = time.monotonic() + LOOKING
        known = list(dict.fromkeys([*self._nodes, *self._seeds]))
        known.sort(key=lambda node: node == self._silent)
        for node in known:
            try:
                answer = self._client(node).execute_command('CLUSTER', 'SLOTS')
            except (exceptions.RedisError, OSError) as error:
                LOG.debug('%s does not say who is in the cluster: %s', node, error)
                self._silent = node
                self._alone = 'cluster support disabled' in str(error)
            else:
                self._adopt(*slot_map(answer, node[0]))
                return
            if time.monotonic() > give_up:
                break
        LOG.warning('No node of the cluster of [events] says who is in it.')

    def _adopt(self, owners: Mapping[int, Node], nodes: Sequence[Node]) -> None:
        if not nodes:
            return
        with self._lock:
            self._owners, self._nodes = owners, nodes
            gone = [node for node in self._clients if node not in {*nodes, *self._seeds}]
            clients = [self._clients.pop(node) for node in gone]
        for client in clients:
            client.connection_pool.disconnect(inuse_connections=False)

    def _moved(self, slot: int, node: Node) -> None:
        """Most often one slot of many that moved: ask for all."""
        self.look_again()
        with self._lock:
            self._owners = {**self._owners, slot: node}

    def _owner(self, slot: int) -> Node:
        owner = self._owners.get(slot)
        if owner is None:
            self.look_again()
            owner = self._owners.get(slot)
        if owner is None:
            raise exceptions.ClusterDownError(f'Nobody is known to own slot {slot}.')
        return owner

    def _send(self, node: Node, asking: bool, command: Sequence[str | bytes | int]) -> Any:
        client = self._client(node)
        try:
            if not asking:
                return client.execute_command(*command)
            pipeline = client.pipeline(transaction=False)
            pipeline.execute_command('ASKING')
            pipeline.execute_command(*command)
            return pipeline.execute()[1]
        except exceptions.ResponseError as error:
            raise faults.in_cluster(error) from None

    def _client(self, node: Node) -> redis.Redis:
        with self._lock:
            if self._closed:
                raise exceptions.ConnectionError('The driver is closed.')
            found = self._clients.get(node)
            if found is None:
                found = self._clients[node] = links.client(self.target(node))
            return found

    def _ping(self, node: Node) -> None:
        try:
            self._client(node).ping()
        except (exceptions.RedisError, OSError) as error:
            LOG.warning('%s of [events] does not answer: %s', get_node_name(*node), error)


def slot_map(answer: Sequence[Any], asked: str) -> tuple[Mapping[int, Node], Sequence[Node]]:
    """Owners by slot, and all nodes, of an answer to CLUSTER SLOTS from the host ``asked``.

    >>> owners, nodes = slot_map([[0, 1, [b'h', 1, b'id'], [b'', 2, b'id', []]]], 'here')
    >>> owners, nodes
    ({0: ('h', 1), 1: ('h', 1)}, [('h', 1), ('here', 2)])
    """
    owners: dict[int, Node] = {}
    found: dict[Node, None] = {}
    for first, last, *listed in answer:
        # A node that does not know its own address leaves it out.
        nodes = [(host.decode() if host else asked, port) for host, port, *_ in listed]
        owners.update(dict.fromkeys(range(first, last + 1), nodes[0]))
        found.update(dict.fromkeys(nodes))
    return owners, list(found)
