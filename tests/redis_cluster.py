"""A real Redis Cluster of three masters and three replicas, each behind a fault proxy."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import fixtures
import redis
from redis.crc import key_slot

from tests import servers
from tests.fault_proxy import LOOPBACK, FaultProxy
from tests.guarded import wait_until

MASTERS = 3
NODE_TIMEOUT = 2000  # milliseconds
SLOTS = 16384
FORMING = 60.0  # seconds


class Node:
    """A server, and the proxy whose port it announces to clients."""

    def __init__(self, cluster: fixtures.Fixture) -> None:
        self.proxy = cluster.useFixture(FaultProxy())
        self.bus_port = servers.free_port()
        self.server = cluster.useFixture(servers.RedisServer(*self._options()))
        self.proxy.upstream = self.server.port

    def _options(self) -> Iterator[str]:
        options = {
            'cluster-enabled': 'yes',
            'cluster-node-timeout': NODE_TIMEOUT,
            'cluster-replica-validity-factor': 0,
            'cluster-port': self.bus_port,
            'cluster-announce-ip': LOOPBACK,
            'cluster-announce-port': self.proxy.port,
            'cluster-announce-bus-port': self.bus_port,
            'appendonly': 'yes',  # a master that restarts empty would wipe its replica
            'appendfsync': 'no',
            'repl-diskless-sync-delay': 0,
            'repl-ping-replica-period': 1,  # without offsets they are left out of CLUSTER SLOTS
        }
        for name, value in options.items():
            yield from (f'--{name}', str(value))

    @property
    def address(self) -> tuple[str, int]:
        """As clients know it."""
        return LOOPBACK, self.proxy.port

    def ask(self, *command: Any) -> Any:
        """Run a command, not by the proxy."""
        with redis.Redis(
            port=self.server.port, decode_responses=True, socket_timeout=10, protocol=2
        ) as client:
            return client.execute_command(*command)

    def is_running(self) -> bool:
        return self.server.process.is_running()


class RedisCluster(fixtures.Fixture):
    """Formed when it is set up; ``heal`` makes it whole again after a test."""

    def setUp(self) -> None:
        servers.RedisServer.require()
        super().setUp()

    def _setUp(self) -> None:
        self.nodes = [Node(self) for _ in range(2 * MASTERS)]
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        for number, master in enumerate(masters):
            first, last = SLOTS * number // MASTERS, SLOTS * (number + 1) // MASTERS - 1
            master.ask('CLUSTER', 'ADDSLOTSRANGE', first, last)
            master.ask('CLUSTER', 'SET-CONFIG-EPOCH', number + 1)
        self._meet()
        for replica, master in zip(replicas, masters, strict=True):
            node_id = master.ask('CLUSTER', 'MYID')
            wait_until(
                lambda replica=replica, node_id=node_id: _replicates(replica, node_id),
                'a replica that knows its master',
                FORMING,
            )
        # The slots in the first packets of a pair are not looked at: meet twice.
        self._meet()
        wait_until(self.is_whole, 'a formed cluster', FORMING)

    def _meet(self) -> None:
        for one, other in itertools.combinations(self.nodes, 2):
            one.ask('CLUSTER', 'MEET', LOOPBACK, other.proxy.port, other.bus_port)

    @property
    def url(self) -> str:
        """The first node."""
        return f'redis://{LOOPBACK}:{self.nodes[0].proxy.port}'

    @property
    def seeds(self) -> list[str]:
        """The other nodes."""
        return [f'{LOOPBACK}:{node.proxy.port}' for node in self.nodes[1:]]

    def owner(self, key: str) -> Node:
        """The node that owns the slot of ``key``."""
        slot = key_slot(key.encode())
        for first, last, master, *_ in self._living().ask('CLUSTER', 'SLOTS'):
            if first <= slot <= last:
                return self.at(('', master[1]))
        raise AssertionError(f'nobody owns slot {slot}')

    def at(self, address: tuple[str, int]) -> Node:
        """The node that announces this port."""
        return next(node for node in self.nodes if node.proxy.port == address[1])

    def heal(self) -> None:
        """Whoever is down, suspended or cut off comes back; wait until all agree."""
        for node in self.nodes:
            node.proxy.heal()
            node.server.resume()
            if not node.is_running():
                node.server.kill()
                node.server.start()
        wait_until(self.is_whole, 'a cluster that is whole again', FORMING)

    def is_whole(self) -> bool:
        """Whether all nodes see three masters with a replica each, and nobody failing."""
        try:
            return all(self._sees_all(node) for node in self.nodes)
        except (redis.RedisError, OSError):
            return False

    def _sees_all(self, node: Node) -> bool:
        if 'cluster_state:ok' not in node.ask('CLUSTER', 'INFO').replace('\r', '').split('\n'):
            return False
        slots = node.ask('CLUSTER', 'SLOTS')
        ports = {found[1] for _, _, *listed in slots for found in listed}
        replication = node.ask('INFO', 'replication')
        linked = replication['role'] == 'master' or replication['master_link_status'] == 'up'
        return linked and ports == {one.proxy.port for one in self.nodes}

    def _living(self) -> Node:
        for node in self.nodes:
            with contextlib.suppress(redis.RedisError, OSError):
                if node.is_running() and node.ask('PING'):
                    return node
        raise AssertionError('no node lives')


def _replicates(replica: Node, node_id: str) -> bool:
    try:
        return bool(replica.ask('CLUSTER', 'REPLICATE', node_id))
    except redis.ResponseError:  # it does not know that node yet
        return False
