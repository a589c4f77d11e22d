"""A model of Redis Cluster nodes and their guests, small enough to reason about.

``ModelCluster.node(id)`` offers the guest RPC API on model nodes, so plans and whole
operations run against it without a process. It keeps what matters for planning: node
tables that spread by gossip (``gossip``), the 60 s ban after FORGET, config epochs that
can only be set before the first peer, slot claims, the epoch fence, command ids.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain import errors, slots
from slotwright.domain.slots import SlotRange
from slotwright.rpc.contract import CommandContext

BAN = 60.0


@dataclass
class ModelNode:
    """One instance: its agent, and its Redis."""

    instance_id: str
    agent_up: bool = True
    prepared: bool = False
    running: bool = False
    ip: str = ''
    node_id: str = ''
    config_epoch: int = 0
    owned: tuple[SlotRange, ...] = ()
    importing: bool = False
    keys: int = 0
    #: what it heard of others: node id → (slots, config epoch).
    table: dict[str, tuple[tuple[SlotRange, ...], int]] = field(default_factory=dict)
    banned: dict[str, float] = field(default_factory=dict)
    forming: bool = False
    completed: bool = False
    retired: bool = False
    tenant_hash: str = ''
    fence: int = 0
    answers: dict[str, Any] = field(default_factory=dict)


class ModelCluster:
    """All nodes of a world, by instance id."""

    def __init__(self) -> None:
        self.nodes: dict[str, ModelNode] = {}
        self.now = 0.0
        self.calls = 0
        #: called before every guest command; may raise to play a crash or a loss.
        self.before: Callable[[str, str], None] = lambda instance_id, method: None
        self.ever_reset: set[str] = set()

    def add(self, instance_id: str) -> ModelNode:
        return self.nodes.setdefault(instance_id, ModelNode(instance_id))

    def node(self, instance_id: str) -> 'ModelGuest':
        return ModelGuest(self, instance_id)

    def by_node_id(self, node_id: str) -> ModelNode | None:
        return next((n for n in self.nodes.values() if n.running and n.node_id == node_id), None)

    def meet(self, one: ModelNode, other: ModelNode) -> None:
        """A handshake: it always succeeds between running nodes, ban or not."""
        for left, right in ((one, other), (other, one)):
            left.banned.pop(right.node_id, None)
            left.table[right.node_id] = (right.owned, right.config_epoch)

    def gossip(self, rounds: int = 1) -> None:
        """Everyone hears from those in its table, and of those in theirs."""
        for _ in range(rounds):
            for node in [n for n in self.nodes.values() if n.running]:
                self._hear(node)
            self._resolve_epochs()

    def _hear(self, node: ModelNode) -> None:
        for peer_id in list(node.table):
            peer = self.by_node_id(peer_id)
            if peer is None or node.node_id not in peer.table:
                continue  # it ignores whom it does not know
            node.table[peer_id] = (peer.owned, peer.config_epoch)
            for third in peer.table:
                known = third in node.table or third == node.node_id
                if not known and node.banned.get(third, -1) < self.now:
                    met = self.by_node_id(third)
                    if met is not None:
                        self.meet(node, met)

    def _resolve_epochs(self) -> None:
        """Redis's collision rule: of two with one epoch, one takes a new one."""
        for node in self.nodes.values():
            for peer_id, (_, epoch) in list(node.table.items()):
                if node.running and epoch == node.config_epoch and node.node_id > peer_id:
                    top = max([node.config_epoch, *(e for _, e in node.table.values())])
                    node.config_epoch = top + 1

    def state_ok(self, node: ModelNode) -> bool:
        owned = [*node.owned, *(r for known, _ in node.table.values() for r in known)]
        return slots.covers_once(owned)

    def text(self, node: ModelNode) -> str:
        """CLUSTER NODES of the node."""
        rows = [(node.node_id, 'myself,master', node.owned, node.config_epoch)]
        rows += [(i, 'master', owned, epoch) for i, (owned, epoch) in node.table.items()]
        return '\n'.join(
            f'{i} 10.0.0.1:6379@16379 {flags} - 0 0 {epoch} connected '
            + ' '.join(str(r) for r in owned)
            + (' [7-<-other]' if node.importing and 'myself' in flags else '')
            for i, flags, owned, epoch in rows
        )


class ModelGuest:
    """``GuestAgentAPI`` on a model node."""

    def __init__(self, world: ModelCluster, instance_id: str) -> None:
        self._world = world
        self._id = instance_id

    def _enter(self, context: CommandContext, method: str) -> ModelNode:
        self._world.calls += 1
        self._world.before(self._id, method)
        node = self._world.nodes.get(self._id)
        if node is None or not node.agent_up:
            raise errors.GuestSilent(self._id)
        if context.epoch is not None:
            if context.epoch < node.fence:
                raise errors.StaleEpoch(f'{context.epoch} < {node.fence}')
            node.fence = context.epoch
        return node

    def _redis(self, context: CommandContext, method: str) -> ModelNode:
        node = self._enter(context, method)
        if not node.running:
            raise errors.NotPrepared(self._id)
        return node

    def get_node_ip(self, context: CommandContext) -> Mapping[str, Any]:
        node = self._redis(context, 'get_node_ip')
        return {'ip': node.ip, 'port': 6379, 'bus_port': 16379}

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        node = self._redis(context, 'get_node_id_for_removal')
        return None if node.owned or node.importing else node.node_id

    def status(self, context: CommandContext) -> Mapping[str, Any]:
        node = self._enter(context, 'status')
        if not node.running:
            return {'prepared': node.prepared, 'running': False}
        return {
            'prepared': True,
            'running': True,
            'state_ok': self._world.state_ok(node),
            'keys': node.keys,
            'forming': node.forming,
            'completed': node.completed,
            'retired': node.retired,
            'tenant_hash': '' if node.retired else node.tenant_hash,
            'nodes': self._world.text(node),
        }

    def prepare(self, context: CommandContext, spec: Mapping[str, Any]) -> None:
        node = self._enter(context, 'prepare')
        if not node.prepared:
            life = f'{self._id}:{len(node.answers)}:{self._world.calls}'
            node.node_id = hashlib.sha1(life.encode()).hexdigest()
            node.ip = spec['address']['ip']
            node.tenant_hash = spec['tenant_hash']
        node.prepared = node.running = True

    def cluster_addslots(self, context: CommandContext, first_slot: int, last_slot: int) -> None:
        node = self._redis(context, 'cluster_addslots')
        wanted = SlotRange(first_slot, last_slot)
        if wanted in node.owned:
            return
        taken = [*node.owned, *(r for owned, _ in node.table.values() for r in owned)]
        if any(r.first <= last_slot and first_slot <= r.last for r in taken):
            raise errors.CommandRefused('ERR Slot is already busy')
        node.owned = slots.normalize([*node.owned, wanted])

    def set_config_epoch(self, context: CommandContext, config_epoch: int) -> None:
        node = self._redis(context, 'set_config_epoch')
        if not node.table and not node.config_epoch:
            node.config_epoch = config_epoch

    def bump_epoch(self, context: CommandContext) -> None:
        node = self._redis(context, 'bump_epoch')
        node.config_epoch = 1 + max([node.config_epoch, *(e for _, e in node.table.values())])

    def cluster_meet(self, context: CommandContext, ip: str, port: int) -> None:
        node = self._redis(context, 'cluster_meet')
        for other in self._world.nodes.values():
            if other.running and other.ip == ip and other is not node:
                self._world.meet(node, other)

    def cluster_join(
        self,
        context: CommandContext,
        peers: Sequence[Mapping[str, Any]],
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        patience: float,
    ) -> bool:
        node = self._redis(context, 'cluster_join')
        node.forming = forming
        for peer in peers:
            other = self._world.by_node_id(peer['node_id'])
            if other is not None:
                self._world.meet(node, other)
        self._world.gossip(1)
        node.forming = False
        return set(members) == {node.node_id, *node.table} and self._world.state_ok(node)

    def restore_settings(self, context: CommandContext) -> None:
        self._redis(context, 'restore_settings').forming = False

    def cluster_complete(self, context: CommandContext) -> None:
        node = self._redis(context, 'cluster_complete')
        node.completed, node.forming = True, False

    def set_users(self, context: CommandContext, tenant_hash: str) -> None:
        node = self._redis(context, 'set_users')
        node.tenant_hash, node.retired = tenant_hash, False

    def retire(self, context: CommandContext) -> str:
        node = self._redis(context, 'retire')
        if node.owned or node.keys or node.importing:
            raise errors.NodeHoldsData(self._id)
        node.retired = True
        return node.node_id

    def remove_nodes(self, context: CommandContext, node_ids: Sequence[str]) -> None:
        node = self._redis(context, 'remove_nodes')
        if any(node.table.get(i, ((), 0))[0] for i in node_ids):
            raise errors.NodeHoldsData(self._id)
        for node_id in node_ids:
            if node.table.pop(node_id, None) is not None:
                node.banned[node_id] = self._world.now + BAN

    def leave(self, context: CommandContext) -> None:
        node = self._enter(context, 'leave')
        if node.running and (node.keys or node.owned):
            raise errors.NodeHoldsData(self._id)
        self._wipe(node)

    def stop(self, context: CommandContext, wipe: bool) -> None:
        node = self._enter(context, 'stop')
        node.running = False
        if wipe:
            self._wipe(node)

    def _wipe(self, node: ModelNode) -> None:
        self._world.ever_reset.add(node.node_id)
        fresh = ModelNode(node.instance_id, agent_up=node.agent_up, fence=node.fence)
        self._world.nodes[node.instance_id] = fresh
