"""A plan applied to a model cluster always reaches its target, from anywhere."""

import datetime
import unittest

from hypothesis import given
from hypothesis import strategies as st

from slotwright.domain import actions, errors, slots
from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.desired import desired_cluster
from slotwright.domain.health import disagreement
from slotwright.domain.plan import plan
from slotwright.domain.states import (
    NONE,
    InstanceStatus,
    OperationKind,
    OperationState,
)
from slotwright.domain.topology import Address, NodeStatus
from slotwright.rpc.contract import CommandContext
from tests.model import ModelCluster

NOW = datetime.datetime(2026, 1, 1)
ROUNDS = 60


class World:
    """A cluster's records and its model nodes; runs plans on them."""

    def __init__(self) -> None:
        self.model = ModelCluster()
        self.instances: dict[str, Instance] = {}
        self.tenant_hash = ''

    def insert(self, count: int) -> list[str]:
        names = []
        for _ in range(count):
            number = len(self.instances) + 1
            name = f'i{number:02}'
            self.instances[name] = Instance(
                id=name, cluster_id='c', project_id='p', name=name, ordinal=number,
                flavor_id='1', volume_size=1, status=InstanceStatus.BUILD, created=NOW,
                updated=NOW,
            )  # fmt: skip
            names.append(name)
        return names

    def run(
        self,
        kind: OperationKind,
        named: list[str],
        crash_after: int = 10**9,
        reverting: bool = False,
    ) -> str:
        """Run rounds until the plan is done ('') or fails; answers the failure.

        ``crash_after``: so many actions are run, then the worker is gone.
        """
        left = crash_after
        trail = []
        for number in range(ROUNDS):
            cluster, operation = self.records(kind, named, reverting)
            desired = desired_cluster(cluster, operation, nudge=True, impatient=number > 30)
            step = plan(desired, self.observe())
            trail.append(step)
            if step.failure or step.done:
                return step.failure
            for action in step.actions:
                if left <= 0:
                    return 'crashed'
                left -= 1
                try:
                    self.apply(action)
                except errors.GuestError as error:
                    if error.permanent:
                        return str(error)
            self.model.gossip()
            self.model.now += 1
        raise AssertionError(f'no end in {ROUNDS} rounds: {trail}')

    def records(
        self, kind: OperationKind, named: list[str], reverting: bool
    ) -> tuple[Cluster, Operation]:
        detail = {'instances': named}
        if kind is OperationKind.CREATE:
            detail['layout'] = [list(r) for r in slots.split(len(named))]
        state = OperationState.REVERTING if reverting else OperationState.RUNNING
        operation = Operation(
            id='o', cluster_id='c', project_id='p', kind=kind, state=state, request_id='r',
            detail=detail, created=NOW, updated=NOW,
        )  # fmt: skip
        cluster = Cluster(
            id='c', project_id='p', name='c', datastore='redis', datastore_version='7',
            task=NONE, created=NOW, updated=NOW, tenant_hash=self.tenant_hash,
            instances=tuple(self.live()),
        )  # fmt: skip
        return cluster, operation

    def live(self) -> list[Instance]:
        alive = [i for i in self.instances.values() if i.status is not InstanceStatus.DELETED]
        return [self.with_node_id(i) for i in alive]

    def with_node_id(self, instance: Instance) -> Instance:
        node = self.model.nodes.get(instance.id)
        if instance.node_id is None and node and node.node_id:
            instance = replace(instance, node_id=node.node_id)
            self.instances[instance.id] = instance
        return instance

    def observe(self) -> dict[str, NodeStatus | None]:
        observed: dict[str, NodeStatus | None] = {}
        for instance in self.live():
            if instance.address:
                try:
                    wire = self.model.node(instance.id).status(CommandContext())
                    observed[instance.id] = NodeStatus.from_wire(wire)
                except errors.GuestSilent:
                    observed[instance.id] = None
        return observed

    def apply(self, action: actions.Action) -> None:
        guest = self.model.node(action.instance_id)
        instance = self.instances[action.instance_id]
        none = CommandContext()
        match action:
            case actions.Provision():
                address = instance.address or Address(f'10.0.0.{instance.ordinal}', 6379, 16379)
                self.instances[instance.id] = replace(instance, address=address)
                self.model.add(instance.id)
            case actions.Prepare():
                assert instance.address
                spec = {'address': instance.address.to_wire(), 'tenant_hash': self.tenant_hash}
                guest.prepare(none, spec)
            case actions.AddSlots(slots=wanted):
                guest.cluster_addslots(none, *wanted)
            case actions.SetConfigEpoch(config_epoch=epoch):
                guest.set_config_epoch(none, epoch)
            case actions.BumpEpoch():
                guest.bump_epoch(none)
            case actions.Join(peers=peers, members=members, forming=forming):
                wire = [{'node_id': i, **a.to_wire()} for i, a in peers]
                guest.cluster_join(none, wire, dict(members), forming, 1)
            case actions.RestoreSettings():
                guest.restore_settings(none)
            case actions.SetUsers(tenant_hash=digest):
                guest.set_users(none, digest)
            case actions.Complete():
                guest.cluster_complete(none)
            case actions.Retire():
                guest.retire(none)
            case actions.Forget(node_ids=node_ids):
                guest.remove_nodes(none, node_ids)
            case actions.Dismantle(reset=reset):
                if instance.address:
                    guest.leave(none) if reset else guest.stop(none, True)
                self.drop(instance.id)
            case actions.Abandon():
                self.drop(instance.id)
            case _:
                raise AssertionError(action)

    def drop(self, instance_id: str) -> None:
        gone = replace(self.instances[instance_id], status=InstanceStatus.DELETED, address=None)
        self.instances[instance_id] = gone

    def trouble(self) -> str:
        statuses = [s for s in self.observe().values() if s is not None]
        epochs = [s.me.config_epoch for s in statuses if s.me]
        if len(set(epochs)) < len(epochs):
            return 'config epochs collide'
        if any(s.forming or not s.completed for s in statuses):
            return 'not settled'
        return disagreement(statuses)


def replace(instance: Instance, **changes: object) -> Instance:
    fields = {name: getattr(instance, name) for name in Instance.__dataclass_fields__}
    return Instance(**{**fields, **changes})


class PlanTest(unittest.TestCase):
    @given(st.integers(1, 12), st.integers(0, 60))
    def test_create_from_every_partial_state(self, masters: int, crash_after: int) -> None:
        world = World()
        named = world.insert(masters)
        world.run(OperationKind.CREATE, named, crash_after)
        self.assertEqual('', world.run(OperationKind.CREATE, named))
        self.assertEqual('', world.trouble())
        owned = [s.me.slots for s in world.observe().values() if s and s.me]
        self.assertEqual([(r,) for r in slots.split(masters)], owned)

    @given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 40))
    def test_grow_from_every_partial_state(
        self, masters: int, added: int, crash_after: int
    ) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(masters))
        before = {i: world.model.nodes[i].owned for i in world.instances}
        named = world.insert(added)
        world.run(OperationKind.GROW, named, crash_after)
        self.assertEqual('', world.run(OperationKind.GROW, named))
        self.assertEqual('', world.trouble())
        self.assertEqual(before, {i: world.model.nodes[i].owned for i in before})
        self.assertTrue(all(not world.model.nodes[i].owned for i in named))

    @given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 40))
    def test_shrink_from_every_partial_state(
        self, masters: int, removed: int, crash_after: int
    ) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(masters))
        named = world.insert(removed)
        world.run(OperationKind.GROW, named)
        gone = {world.model.nodes[i].node_id for i in named}
        world.run(OperationKind.SHRINK, named, crash_after)
        self.assertEqual('', world.run(OperationKind.SHRINK, named))
        self.assertEqual(masters, len(world.live()))
        self.assertEqual('', world.trouble())
        world.model.now += 120
        world.model.gossip(5)
        listed = {i for n in world.model.nodes.values() for i in n.table}
        self.assertFalse(gone & listed, 'a removed node came back')

    @given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 40))
    def test_reverting_a_shrink_takes_everyone_back(
        self, masters: int, removed: int, crash_after: int
    ) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(masters))
        named = world.insert(removed)
        world.run(OperationKind.GROW, named)
        world.run(OperationKind.SHRINK, named, crash_after)
        self.assertEqual('', world.run(OperationKind.SHRINK, named, reverting=True))
        self.assertEqual('', world.trouble())
        self.assertFalse(any(world.model.nodes[i.id].retired for i in world.live()))

    @given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 40))
    def test_reverting_a_grow_leaves_the_old_cluster_whole(
        self, masters: int, added: int, crash_after: int
    ) -> None:
        world = World()
        old = world.insert(masters)
        world.run(OperationKind.CREATE, old)
        named = world.insert(added)
        world.run(OperationKind.GROW, named, crash_after)
        self.assertEqual('', world.run(OperationKind.GROW, named, reverting=True))
        self.assertEqual(old, [i.id for i in world.live()])
        self.assertEqual('', world.trouble())

    @given(st.integers(1, 5), st.integers(1, 3))
    def test_reverting_a_grow_spares_a_slot_owner(self, masters: int, added: int) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(masters))
        named = world.insert(added)
        world.run(OperationKind.GROW, named)
        giver, taker = world.model.nodes['i01'], world.model.nodes[named[0]]
        taker.owned, giver.owned = giver.owned, ()
        world.model.gossip(3)
        world.run(OperationKind.GROW, named, reverting=True)
        self.assertIn(named[0], [i.id for i in world.live()])
        self.assertEqual(masters + 1, len(world.live()))

    @given(st.integers(1, 5), st.integers(0, 40), st.booleans())
    def test_delete_leaves_nothing(self, masters: int, crash_after: int, silent: bool) -> None:
        world = World()
        named = world.insert(masters)
        world.run(OperationKind.CREATE, named, crash_after)
        if silent and named[0] in world.model.nodes:
            world.model.nodes[named[0]].agent_up = False
        self.assertEqual('', world.run(OperationKind.DELETE, named))
        self.assertEqual([], world.live())
        running = [i for i, n in world.model.nodes.items() if n.running and n.agent_up]
        self.assertEqual([], running)

    @given(st.sampled_from(['owned', 'keys', 'importing']), st.integers(1, 4), st.integers(0, 30))
    def test_a_shrink_never_removes_data(
        self, holding: str, masters: int, crash_after: int
    ) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(masters))
        named = world.insert(1)
        world.run(OperationKind.GROW, named)
        taker, giver = world.model.nodes[named[0]], world.model.nodes['i01']
        if holding == 'owned':
            taker.owned, giver.owned = giver.owned, ()
            world.model.gossip(3)
        else:
            setattr(taker, holding, True)
        self.assertTrue(world.run(OperationKind.SHRINK, named))
        self.assertIn(named[0], [i.id for i in world.live()])
        self.assertTrue(taker.running)

    def test_a_stranger_fails_the_operation(self) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(3))
        other = World()
        other.run(OperationKind.CREATE, other.insert(1))
        world.model.nodes['foreign'] = other.model.nodes['i01']
        world.model.meet(world.model.nodes['i01'], world.model.nodes['foreign'])
        world.model.gossip(3)
        self.assertIn('stranger', world.run(OperationKind.GROW, world.insert(1)))

    def test_a_member_that_lost_its_disk_is_not_made_anew(self) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(3))
        world.model.nodes['i02'].prepared = world.model.nodes['i02'].running = False
        self.assertIn('lost all', world.run(OperationKind.GROW, world.insert(1)))

    def test_users_reach_every_node(self) -> None:
        world = World()
        world.run(OperationKind.CREATE, world.insert(3))
        world.tenant_hash = 'ab' * 32
        self.assertEqual('', world.run(OperationKind.SET_USERS, []))
        hashes = {n.tenant_hash for n in world.model.nodes.values()}
        self.assertEqual({'ab' * 32}, hashes)
