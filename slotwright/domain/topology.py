"""What a Redis node says of itself and of its cluster.

The one parser of CLUSTER NODES (format: redis.io, "CLUSTER NODES"). Redis 4 and
later write an address as ``ip:port@cport`` and, from 7.0 on, ``,hostname`` after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain import slots
from slotwright.domain.slots import SlotRange


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a node listens: clients on ``port``, the cluster bus on ``bus_port``."""

    ip: str
    port: int
    bus_port: int

    def to_wire(self) -> dict[str, Any]:
        return {'ip': self.ip, 'port': self.port, 'bus_port': self.bus_port}

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> 'Address':
        return cls(str(data['ip']), int(data['port']), int(data['bus_port']))

    def __str__(self) -> str:
        return f'{self.ip}:{self.port}@{self.bus_port}'


def parse_address(text: str) -> Address | None:
    """Read ``ip:port@cport[,hostname]``; None when the node has no address yet.

    >>> str(parse_address('127.0.0.1:30001@31001,host-1'))
    '127.0.0.1:30001@31001'
    >>> parse_address(':0@0') is None
    True
    """
    endpoint = text.partition(',')[0]
    client, _, bus = endpoint.partition('@')
    ip, _, port = client.rpartition(':')
    if not ip or not int(port):
        return None
    return Address(ip, int(port), int(bus) if bus else int(port) + 10000)


@dataclass(frozen=True, slots=True)
class PeerView:
    """One line of CLUSTER NODES: a node as another one (or itself) sees it."""

    node_id: str
    address: Address | None
    flags: frozenset[str]
    master_id: str | None
    config_epoch: int
    linked: bool
    slots: tuple[SlotRange, ...] = ()
    #: (slot, node id of the other side) of slots open on this node.
    migrating: tuple[tuple[int, str], ...] = ()
    importing: tuple[tuple[int, str], ...] = ()

    @property
    def is_myself(self) -> bool:
        return 'myself' in self.flags

    @property
    def is_master(self) -> bool:
        return 'master' in self.flags

    @property
    def in_handshake(self) -> bool:
        """A peer met but not identified yet: its node id is made up."""
        return 'handshake' in self.flags

    @property
    def suspected(self) -> bool:
        """Held for failing (``fail?``) or failed (``fail``)."""
        return bool(self.flags & {'fail', 'fail?'})


def parse_nodes(text: str) -> tuple[PeerView, ...]:
    """Read the answer of CLUSTER NODES.

    >>> line = 'aa 10.0.0.1:7000@17000 myself,master - 0 0 3 connected 0-9 12 [7->-bb]'
    >>> (view,) = parse_nodes(line)
    >>> view.config_epoch, [str(r) for r in view.slots], view.migrating
    (3, ['0-9', '12'], ((7, 'bb'),))
    """
    return tuple(_parse_line(line) for line in text.splitlines() if line.strip())


def _parse_line(line: str) -> PeerView:
    fields = line.split()
    owned, migrating, importing = [], [], []
    for item in fields[8:]:
        if not item.startswith('['):
            owned.append(slots.parse(item))
        elif '->-' in item:
            slot, _, other = item.strip('[]').partition('->-')
            migrating.append((int(slot), other))
        elif '-<-' in item:
            slot, _, other = item.strip('[]').partition('-<-')
            importing.append((int(slot), other))
    return PeerView(
        node_id=fields[0],
        address=parse_address(fields[1]),
        flags=frozenset(fields[2].split(',')),
        master_id=None if fields[3] == '-' else fields[3],
        config_epoch=int(fields[6]),
        linked=fields[7] == 'connected',
        slots=slots.normalize(owned),
        migrating=tuple(migrating),
        importing=tuple(importing),
    )


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A guest's answer to ``status``: the node and the cluster as it sees them.

    ``nodes`` is empty while redis-server does not run. ``forming`` tells that settings
    are changed for the time of forming; ``completed`` that the guest was told the
    cluster is complete. ``tenant_hash`` is the SHA-256 of the tenant's password that the
    node obeys, '' when the tenant has no access.
    """

    prepared: bool
    running: bool
    state_ok: bool = False
    keys: int = 0
    forming: bool = False
    completed: bool = False
    retired: bool = False
    tenant_hash: str = field(default='', repr=False)
    nodes: tuple[PeerView, ...] = ()

    @property
    def me(self) -> PeerView | None:
        return next((n for n in self.nodes if n.is_myself), None)

    @property
    def node_id(self) -> str | None:
        return self.me.node_id if self.me else None

    @property
    def peers(self) -> tuple[PeerView, ...]:
        """Everyone in the node table but the node itself."""
        return tuple(n for n in self.nodes if not n.is_myself)

    @property
    def slot_map(self) -> dict[str, tuple[SlotRange, ...]]:
        """Who owns which slots, by node id, owners only."""
        return {n.node_id: n.slots for n in self.nodes if n.slots}

    @property
    def open_slots(self) -> int:
        me = self.me
        return len(me.migrating) + len(me.importing) if me else 0

    @property
    def holds_data(self) -> bool:
        """Owns slots, has one open, or has keys: removing it would lose something."""
        me = self.me
        return bool(self.keys or self.open_slots or (me and me.slots))

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> 'NodeStatus':
        """Build from the guest's answer; ``nodes`` comes as CLUSTER NODES text."""
        return cls(
            prepared=bool(data['prepared']),
            running=bool(data['running']),
            state_ok=bool(data.get('state_ok')),
            keys=int(data.get('keys', 0)),
            forming=bool(data.get('forming')),
            completed=bool(data.get('completed')),
            retired=bool(data.get('retired')),
            tenant_hash=str(data.get('tenant_hash') or ''),
            nodes=parse_nodes(data.get('nodes') or ''),
        )
