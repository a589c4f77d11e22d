"""See one node's join through: MEET its peers and wait until it knows the whole cluster.

Facts of cluster.c (Redis 7.0 and Valkey 9) that the timing comes from:

* A MEET makes a link at the next cron tick (100 ms). The pair knows each other after one
  or two ticks, but the slot map in the header of the first packets is not looked at,
  because its sender is not known yet. A second MEET from a known sender carries the map.
  So every node meets its peers twice, ``_PUSH_AFTER`` apart; gossip alone would take a
  ping interval, half of cluster-node-timeout.
* A master leaves the fail state no sooner than the rejoin delay after it last was in the
  minority: clamp(cluster-node-timeout, 500 ms, 5 s), read when it is evaluated. A node
  without slots is in the minority, so the delay starts at its first slot.
* The state is evaluated at each cron tick, and at once after CLUSTER SETSLOT … STABLE,
  which changes nothing on a slot that is not open.
* Every link is pinged after half of cluster-node-timeout: lowered, it repairs what the
  second MEET missed.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guestagent.node import Command, Node, accepted, info_fields
from guestagent.redisconf import NODE_TIMEOUT
from slotwright.domain import slots
from slotwright.domain.errors import GuestError
from slotwright.domain.forming import DENSE_LIMIT
from slotwright.domain.slots import SlotRange
from slotwright.domain.topology import Address, PeerView

_PUSH_AFTER = 0.2  # seconds from the first MEET to the second
_LOOK_AFTER = 0.1  # seconds from the second MEET to the first look
_LATE = 0.25  # seconds after the second MEET from which a missing peer is late
_LOOK_EVERY = 0.1  # seconds between two looks at CLUSTER NODES when it is late
_PUSH_EVERY = 0.25  # seconds between the further MEETs of late peers
_NAP = 0.25  # longest sleep without a look at the fence
_FORMING_TIMEOUT = 500  # ms, the smallest rejoin delay
_REJOIN = _FORMING_TIMEOUT / 1000
_LONGEST_REJOIN = 5000  # ms
# The clock of the rejoin delay may have started up to one cron tick before the first slot.
_TICK = 0.1


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody to meet."""

    node_id: str
    address: Address

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> 'Peer':
        return cls(str(data['node_id']), Address.from_wire(data))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a node table compares with the members wanted."""

    missing: frozenset[str]  # not known yet, or without an address
    strangers: frozenset[str]
    disagreeing: frozenset[str]  # known, but with other slots
    unsettled: bool  # somebody is in handshake or held for failing

    @property
    def complete(self) -> bool:
        return not (self.missing or self.strangers or self.disagreeing or self.unsettled)


def compare(nodes: Sequence[PeerView], members: Mapping[str, tuple[SlotRange, ...]]) -> Verdict:
    """Hold a node table against the members: slots by node id."""
    settled = {n.node_id: n for n in nodes if not n.in_handshake}
    return Verdict(
        missing=frozenset(members.keys() - settled.keys()),
        strangers=frozenset(settled.keys() - members.keys()),
        disagreeing=frozenset(
            node_id
            for node_id, node in settled.items()
            if node_id in members and node.slots != members[node_id]
        ),
        unsettled=any(n.in_handshake or n.suspected for n in nodes),
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """The timing of a join by the number of members."""

    timeout: int  # ms, cluster-node-timeout from the start
    repair: int  # ms, the same when peers are late
    push_after: float  # seconds from the first MEET to the second
    poll: float  # seconds

    @classmethod
    def of(cls, members: int, forming: bool) -> 'Pace':
        # n * n links are pinged every half timeout: 13000 pings a second are affordable
        # where nothing else goes on, half of it where something is late already.
        gossip = max(1000, members * members * 3 // 20)
        repair = max(_FORMING_TIMEOUT, members * members * 3 // 10)
        if members <= DENSE_LIMIT:
            return cls(NODE_TIMEOUT, repair, _PUSH_AFTER, 0.012 if forming else 0.03)
        return cls(gossip, repair, 1.0 + 0.6 * gossip / 1000, 0.05)


class Joiner:
    """One join of one node."""

    def __init__(
        self,
        *,
        node: Node,
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        check: Callable[[], None],
    ) -> None:
        """``check`` is called before each batch and ends the join by raising."""
        self._node = node
        self._members = {m: slots.normalize(SlotRange(*r) for r in o) for m, o in members.items()}
        self._assigned = sum(slots.count(owned) for owned in self._members.values())
        self._forming = forming
        self._pace = Pace.of(len(members), forming)
        self._clock = clock
        self._sleep = sleep
        self._check = check
        self._timeout = NODE_TIMEOUT  # what cluster-node-timeout is, ms
        self._slots_at = 0.0

    def run(self, peers: Sequence[Peer], patience: float, slots_at: float, ready: float) -> bool:
        """Meet the peers; answer whether the node knows exactly the members and is ok.

        ``slots_at``: clock time of the node's first slot. ``ready``: clock time before
        which the node cannot be ok.

        :raises GuestError: when Redis does not answer, refuses a MEET, or ``check`` raises.
        """
        start = self._clock()
        deadline = start + patience
        self._slots_at = slots_at
        # Before this nobody needs to look: the state cannot be ok.
        due = max(slots_at + _REJOIN - _TICK, ready) if self._forming else ready
        try:
            self._set_timeout(self._pace.timeout)  # above DENSE_LIMIT, gossip does the work
            self._meet(peers)
            self._pause_until(min(start + self._pace.push_after, deadline))
            self._meet(peers)
            self._pause_until(min(self._clock() + _LOOK_AFTER, deadline))
            return self._see_through(peers, start, due, deadline)
        finally:
            self._put_back()

    def _see_through(
        self, peers: Sequence[Peer], start: float, due: float, deadline: float
    ) -> bool:
        late_from = start + self._pace.push_after + _LATE
        looked = pushed = start
        mapped = ok = False
        while True:
            now = self._clock()
            late = now >= late_from
            if mapped and not ok and now >= due:
                self._set_timeout(self._rejoin_timeout(now))
            elif late:
                self._set_timeout(self._repair_timeout(now - start))
            ok, counts_fit = self._glance(kick=mapped and now >= due)
            # CLUSTER NODES costs far more than CLUSTER INFO: only when it may be the last
            # look, or when it is late and somebody may be missing.
            if (counts_fit and (ok or not mapped)) or (late and now >= looked + _LOOK_EVERY):
                looked = now
                verdict = compare(self._node.nodes(), self._members)
                if verdict.complete and ok:
                    return True
                if verdict.strangers:
                    return False  # does not go away by waiting
                mapped = not (verdict.missing or verdict.disagreeing)
                if late and not mapped and now >= pushed + _PUSH_EVERY:
                    pushed = now
                    lacking = verdict.missing | verdict.disagreeing
                    self._meet([p for p in peers if p.node_id in lacking])
            if now >= deadline:
                return False
            # Nothing to see before the state can change.
            self._pause_until(min(deadline, max(due if mapped else 0.0, now + self._pace.poll)))

    def _glance(self, *, kick: bool) -> tuple[bool, bool]:
        """Look at CLUSTER INFO: is the state ok, and may the node table be complete?

        ``kick`` has Redis evaluate its state first. Only on a master with slots, so only
        while forming.
        """
        commands: list[Command] = [('CLUSTER', 'INFO')]
        if kick and self._forming:
            commands.insert(0, ('CLUSTER', 'SETSLOT', 0, 'STABLE'))
        info = info_fields(accepted(self._run(*commands)[-1], commands[-1]))
        counts_fit = (
            int(info['cluster_known_nodes']) == len(self._members)
            and int(info['cluster_slots_assigned']) == self._assigned
        )
        return info['cluster_state'] == 'ok', counts_fit

    def _meet(self, peers: Sequence[Peer]) -> None:
        commands = [
            ('CLUSTER', 'MEET', p.address.ip, p.address.port, p.address.bus_port) for p in peers
        ]
        if commands:
            for command, answer in zip(commands, self._run(*commands), strict=True):
                accepted(answer, command)

    def _rejoin_timeout(self, now: float) -> int:
        """The largest cluster-node-timeout whose rejoin delay is over, ms.

        Set as late as can be: the pings that it brings crowd out MEETs, and on a busy
        machine links are given up for slow. At 25 members on 2 busy cores: 0.9 s when
        lowered at the second MEET, 0.6 s when lowered here.
        """
        over = int((now - self._slots_at) / _REJOIN) * _FORMING_TIMEOUT
        return self._pace.timeout if over >= _LONGEST_REJOIN else max(_FORMING_TIMEOUT, over)

    def _repair_timeout(self, elapsed: float) -> int:
        """cluster-node-timeout while somebody is late, ms.

        Doubled as time passes: on a machine too busy to answer pings within it, nodes would
        hold one another for failing for ever.
        """
        return min(self._pace.timeout, self._pace.repair << min(3, int(elapsed // 3)))

    def _set_timeout(self, timeout: int) -> None:
        if self._forming and timeout != self._timeout:
            self._timeout = timeout
            command = ('CONFIG', 'SET', 'cluster-node-timeout', timeout)
            accepted(self._run(command)[0], command)

    def _put_back(self) -> None:
        """Restore cluster-node-timeout, unless Redis is gone: its file has the old one."""
        if self._timeout != NODE_TIMEOUT:
            with contextlib.suppress(GuestError):
                self._node.ask('CONFIG', 'SET', 'cluster-node-timeout', NODE_TIMEOUT)

    def _run(self, *commands: Command) -> list[Any]:
        self._check()
        return self._node.run(*commands)

    def _pause_until(self, moment: float) -> None:
        left = moment - self._clock()
        while left > 0:
            self._check()
            self._sleep(min(left, _NAP))
            left = moment - self._clock()
