"""A real Redis Cluster of three masters and three replicas, each behind a fault proxy.

Nobody is replaced unless a test says so, see ``replacing``: on a busy machine a server may pause
for longer than a time limit that is short enough to wait for.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import fixtures
import redis
from redis.crc import key_slot

from slotwright.domain.topology import PeerView, parse_nodes
from tests import servers
from tests.fault_proxy import LOOPBACK, FaultProxy
from tests.guarded import wait_until

MASTERS = 3
#: Milliseconds without an answer after which a node counts as failing.
PATIENT = 300_000
HASTY = 1000
SLOTS = 16384
FORMING = 120.0  # seconds


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
            'cluster-node-timeout': HASTY,
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

    def peers(self) -> tuple[PeerView, ...]:
        """All nodes it knows, itself too."""
        return parse_nodes(self.ask('CLUSTER', 'NODES'))

    def meet(self, other: 'Node') -> None:
        self.ask('CLUSTER', 'MEET', LOOPBACK, other.proxy.port, other.bus_port)

    def be_patient(self, milliseconds: int) -> None:
        """How long others may be silent from now on."""
        self.ask('CONFIG', 'SET', 'cluster-node-timeout', milliseconds)


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
        wait_until(self._have_met, 'nodes that know each other', FORMING)
        for replica, master in zip(replicas, masters, strict=True):
            replica.ask('CLUSTER', 'REPLICATE', master.ask('CLUSTER', 'MYID'))
        # The slots in the first packets of a pair are not looked at: meet again.
        for one, other in itertools.combinations(self.nodes, 2):
            one.meet(other)
        self.heal()

    def _have_met(self) -> bool:
        """Introduce those who do not know each other; a node forgets who is slow to answer."""
        strangers = 0
        for one in self.nodes:
            listed = {peer.address.port: peer for peer in one.peers() if peer.address}
            for other in self.nodes:
                known = listed.get(other.proxy.port)
                if one is not other and known is None:
                    one.meet(other)
                strangers += one is not other and (known is None or known.in_handshake)
        return not strangers

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
        if not self.is_whole():
            self._be_patient(self.nodes, HASTY)  # they tell each other more often then
            wait_until(self.is_whole, 'a cluster that is whole', FORMING)
        self._be_patient(self.nodes, PATIENT)

    @contextlib.contextmanager
    def replacing(self, gone: Node) -> Iterator[None]:
        """Meanwhile the replica of ``gone``, which is down or suspended, may take its place."""
        others = [node for node in self.nodes if node is not gone]
        self._be_patient(others, HASTY)
        yield
        self._be_patient(others, PATIENT)

    @staticmethod
    def _be_patient(nodes: Iterable[Node], milliseconds: int) -> None:
        for node in nodes:
            node.be_patient(milliseconds)

    def is_whole(self) -> bool:
        """Whether all nodes see the same three masters with a replica each, and reach them."""
        try:
            views = {self._view(node) for node in self.nodes}
            return len(views) == 1 and all(self._sees_all(node) for node in self.nodes)
        except (redis.RedisError, OSError):
            return False

    @staticmethod
    def _view(node: Node) -> frozenset[object]:
        """Who owns what, and who replicates whom, as this node has it."""
        return frozenset((peer.node_id, peer.master_id, peer.slots) for peer in node.peers())

    def _sees_all(self, node: Node) -> bool:
        if 'cluster_state:ok' not in node.ask('CLUSTER', 'INFO').replace('\r', '').split('\n'):
            return False
        if not all(peer.linked and not peer.suspected for peer in node.peers()):
            return False
        slots = node.ask('CLUSTER', 'SLOTS')
        ports = {found[1] for _, _, *listed in slots for found in listed}
        replicated = all(len(listed) == 2 for _, _, *listed in slots)
        replication = node.ask('INFO', 'replication')
        linked = replication['role'] == 'master' or replication['master_link_status'] == 'up'
        return linked and replicated and ports == {one.proxy.port for one in self.nodes}

    def _living(self) -> Node:
        for node in self.nodes:
            with contextlib.suppress(redis.RedisError, OSError):
                if node.is_running() and node.ask('PING'):
                    return node
        raise AssertionError('no node lives')
