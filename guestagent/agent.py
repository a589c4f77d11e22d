"""The guest agent's commands: ``GuestAgentAPI`` on one redis-server."""
# ruff: noqa: ARG002 - the contract gives every method a context, few look at it

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from guestagent.answers import AnswerCache
from guestagent.directory import InstanceDirectory
from guestagent.fence import Fence
from guestagent.joining import Joiner, Peer
from guestagent.node import Command, Node, accepted, info_fields
from guestagent.redisconf import NODE_TIMEOUT, TENANT_USER, tenant_rules
from guestagent.state import Spec, StateStore, check_hash
from guestagent.supervisor import Supervisor
from slotwright.domain.errors import (
    CommandRefused,
    EngineFailed,
    GuestError,
    NodeHoldsData,
    NotPrepared,
)
from slotwright.domain.slots import SLOT_COUNT, count
from slotwright.domain.topology import NodeStatus, PeerView
from slotwright.rpc.contract import CommandContext, Wire

LOG = logging.getLogger(__name__)

_BATCH = 1000  # slots in one ADDSLOTS, which takes each by itself


class GuestAgent:
    """Commands one redis-server. Implements ``GuestAgentAPI``.

    Admitting commands, their order and repeated ones are the endpoint's matter; only a
    long command looks at the fence itself.
    """

    def __init__(
        self,
        *,
        directory: InstanceDirectory,
        store: StateStore,
        fence: Fence,
        answers: AnswerCache,
        supervisor: Supervisor,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._directory = directory
        self._store = store
        self._fence = fence
        self._answers = answers
        self._supervisor = supervisor
        self._clock = clock
        self._sleep = sleep
        self._slots_at: float | None = None
        self._leaving = False

    # Reads.

    def get_node_ip(self, context: CommandContext) -> Wire:
        return self._spec().address.to_wire()

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        me = _myself(self._node.nodes())
        return None if me.slots or me.migrating or me.importing else me.node_id

    def status(self, context: CommandContext) -> Wire:
        state = self._store.state
        known = {
            'prepared': state.spec is not None,
            'running': False,
            'completed': state.completed,
            'retired': state.retired,
            'tenant_hash': '' if state.retired or not state.spec else state.spec.tenant_hash,
        }
        try:
            return {**known, **self._observe()}
        except GuestError as e:
            LOG.debug('No status of Redis: %s', e.message)
            return known

    def _observe(self) -> Wire:
        commands: list[Command] = [
            ('CLUSTER', 'INFO'),
            ('CLUSTER', 'NODES'),
            ('DBSIZE',),
            ('CONFIG', 'GET', 'cluster-node-timeout'),
        ]
        replies = self._node.run(*commands)
        info, nodes, keys, timeout = map(accepted, replies, commands)
        return {
            'running': True,
            'state_ok': info_fields(info)['cluster_state'] == 'ok',
            'keys': int(keys),
            'forming': int(timeout[1]) != NODE_TIMEOUT,
            'nodes': nodes,
        }

    # The node itself.

    def prepare(self, context: CommandContext, spec: Wire) -> None:
        if self._store.wiped:
            raise CommandRefused('the instance was removed from this host')
        wanted = self._agreed(Spec.from_wire(spec))
        self._supervisor.check(wanted)
        self._store.update(spec=wanted, stopped=False)
        try:
            self._supervisor.start()
        except OSError as e:
            raise EngineFailed(f'cannot write {self._directory.path}: {e}') from e

    def _agreed(self, wanted: Spec) -> Spec:
        """Bring a spec together with the one of an earlier prepare.

        A node keeps its address and its secret once it exists; its tenant's access is
        ``set_users``'s matter. The rest holds from the next start on.
        """
        known = self._store.state.spec
        if known is None or not self._directory.nodes_conf.exists():
            return wanted
        if known.address != wanted.address:
            raise CommandRefused(f'already prepared at {known.address}')
        if known.secret != wanted.secret:
            raise CommandRefused('already prepared with another secret')
        return replace(wanted, tenant_hash=known.tenant_hash)

    def resume(self) -> None:
        """Bring redis-server to what the state says, after a restart of the agent.

        The tenant's access is set once more: an agent may have died between Redis and the
        state.
        """
        state = self._store.state
        if state.spec is not None and not state.stopped:
            self._supervisor.start()
            self._give_access('' if state.retired else state.spec.tenant_hash, drop=False)

    def stop(self, context: CommandContext, wipe: bool) -> None:
        if self._store.wiped:
            return
        if wipe:
            self.wipe()
        else:
            self._store.update(stopped=True)
            self._supervisor.stop()

    def wipe(self) -> None:
        """Stop redis-server and remove all that the instance has on this host."""
        # Data that is removed next need not be written out.
        self._supervisor.stop(grace=0.0)
        self._store.forget()
        self._answers.detach()
        self._directory.wipe()

    # Slots and epochs.

    def cluster_addslots(self, context: CommandContext, first_slot: int, last_slot: int) -> None:
        if not 0 <= first_slot <= last_slot < SLOT_COUNT:
            raise CommandRefused(f'no slots {first_slot} to {last_slot}')
        began = self._clock()
        try:
            self._own(context, [(first_slot, last_slot)])
        except CommandRefused:
            # Redis takes all of one command or nothing: it may have some already.
            gaps = list(_missing(first_slot, last_slot, _myself(self._node.nodes())))
            if not gaps:
                return
            self._own(context, gaps)
        self._slots_at = began

    def _own(self, context: CommandContext, gaps: Sequence[tuple[int, int]]) -> None:
        if self._supervisor.major >= 7:
            self._node.ask('CLUSTER', 'ADDSLOTSRANGE', *(slot for gap in gaps for slot in gap))
            return
        slots = [slot for first, last in gaps for slot in range(first, last + 1)]
        for start in range(0, len(slots), _BATCH):
            self._fence.check(context)
            self._node.ask('CLUSTER', 'ADDSLOTS', *slots[start : start + _BATCH])

    def set_config_epoch(self, context: CommandContext, config_epoch: int) -> None:
        try:
            self._node.ask('CLUSTER', 'SET-CONFIG-EPOCH', config_epoch)
        except CommandRefused:
            # With an epoch already, or a peer met, there is nothing to do after all.
            nodes = self._node.nodes()
            if _myself(nodes).config_epoch == 0 and len(nodes) == 1:
                raise

    def bump_epoch(self, context: CommandContext) -> None:
        self._node.ask('CLUSTER', 'BUMPEPOCH')

    # Membership.

    def cluster_meet(self, context: CommandContext, ip: str, port: int) -> None:
        self._node.ask('CLUSTER', 'MEET', ip, port)

    def cluster_join(
        self,
        context: CommandContext,
        peers: Sequence[Wire],
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        patience: float,
    ) -> bool:
        def check() -> None:
            self._fence.check(context)
            if self._leaving:
                raise NotPrepared('the guest agent is stopping')

        joiner = Joiner(
            node=self._node,
            members=members,
            forming=forming,
            clock=self._clock,
            sleep=self._sleep,
            check=check,
        )
        now = self._clock()
        # Slots from before this agent: their rejoin delay is over, or about to be.
        slots_at = now if self._slots_at is None else self._slots_at
        return joiner.run(
            [Peer.from_wire(p) for p in peers], patience, slots_at, self._supervisor.writable_at
        )

    def remove_nodes(self, context: CommandContext, node_ids: Sequence[str]) -> None:
        known = {n.node_id: n for n in self._node.nodes()}
        leaving = [known[n] for n in dict.fromkeys(node_ids) if n in known]
        for node in leaving:
            if node.is_myself:
                raise CommandRefused('a node cannot forget itself')
            # Redis forgets a slot owner without a word, and its slots with it.
            if node.slots:
                raise NodeHoldsData(f'node {node.node_id} owns slots')
        commands = [('CLUSTER', 'FORGET', n.node_id) for n in leaving]
        if not commands:
            return
        for command, answer in zip(commands, self._node.run(*commands), strict=True):
            if 'unknown node' not in str(answer).lower():
                accepted(answer, command)

    def cluster_complete(self, context: CommandContext) -> None:
        self.restore_settings(context)
        self._store.update(completed=True)

    def restore_settings(self, context: CommandContext) -> None:
        self._node.ask('CONFIG', 'SET', 'cluster-node-timeout', NODE_TIMEOUT)

    # The tenant, and the end.

    def set_users(self, context: CommandContext, tenant_hash: str) -> None:
        check_hash(tenant_hash)
        spec = self._spec()
        self._give_access(
            tenant_hash, drop=bool(spec.tenant_hash and spec.tenant_hash != tenant_hash)
        )
        self._store.update(spec=replace(spec, tenant_hash=tenant_hash), retired=False)

    def retire(self, context: CommandContext) -> str:
        spec = self._spec()
        self._give_access('', drop=True)
        try:
            # From here on no tenant can bring data to the node: what is seen stays true.
            status = self._node.view()
            if status.holds_data:
                raise NodeHoldsData(_what_it_holds(status))
        except GuestError:
            if not self._store.state.retired:
                self._give_access(spec.tenant_hash, drop=False)
            raise
        self._store.update(retired=True)
        return _myself(status.nodes).node_id

    def leave(self, context: CommandContext) -> None:
        if self._store.wiped:
            return
        self._spec()
        self._supervisor.start()  # a node that is down may hold keys all the same
        status = self._node.view()
        if status.holds_data:
            raise NodeHoldsData(_what_it_holds(status))
        try:
            self._node.ask('CLUSTER', 'RESET', 'HARD')
        except CommandRefused as e:  # a key came in between
            raise NodeHoldsData(e.message) from e
        self.wipe()

    def hurry(self) -> None:
        """The agent is about to end: long commands give up."""
        self._leaving = True

    @property
    def _node(self) -> Node:
        return self._supervisor.node

    def _spec(self) -> Spec:
        spec = self._store.state.spec
        if spec is None:
            raise NotPrepared('the instance is not prepared')
        return spec

    def _give_access(self, tenant_hash: str, *, drop: bool) -> None:
        """Let the tenant in with a password, or not at all; now and after a restart.

        ``drop``: end its connections, which Redis leaves authenticated otherwise.
        """
        rules = tenant_rules(tenant_hash, self._supervisor.major)
        self._supervisor.write_conf(tenant_hash)
        self._node.ask('ACL', 'SETUSER', TENANT_USER, *rules)
        if drop:
            self._node.ask('CLIENT', 'KILL', 'USER', TENANT_USER)


def _myself(nodes: Sequence[PeerView]) -> PeerView:
    return next(n for n in nodes if n.is_myself)


def _missing(first: int, last: int, me: PeerView) -> Iterator[tuple[int, int]]:
    """The parts of ``first`` to ``last`` that the node does not own."""
    for owned in me.slots:
        if owned.last < first or owned.first > last:
            continue
        if owned.first > first:
            yield first, owned.first - 1
        first = owned.last + 1
    if first <= last:
        yield first, last


def _what_it_holds(status: NodeStatus) -> str:
    me = _myself(status.nodes)
    return (
        f'node {me.node_id} holds {status.keys} keys, owns {count(me.slots)} slots '
        f'and has {status.open_slots} open'
    )
