"""Whole operations on the real store, against model nodes, with workers killed."""

import shutil
import tempfile
from collections.abc import Callable, Sequence

from slotwright.domain import errors, slots
from slotwright.domain.clusters import Cluster
from slotwright.domain.health import disagreement
from slotwright.domain.slots import SlotRange
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address, NodeStatus
from slotwright.rpc.contract import CommandContext
from slotwright.storage.base import Claim
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.strategy import RedisTaskManagerStrategy, TaskManagerStrategy
from tests import base
from tests.controlplane import PROJECT, ControlPlane

MOST_STEPS = 2000


class OperationTestCase(base.TestCase):
    empty: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.empty = f'{directory.name}/empty.db'
        store = SQLAlchemyStore.connect(f'sqlite:///{cls.empty}')
        migration.upgrade(store)
        store.close()

    def plane(self, strategy: TaskManagerStrategy | None = None) -> ControlPlane:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = shutil.copy(self.empty, directory.name)
        plane = ControlPlane(f'sqlite:///{path}', strategy)
        self.addCleanup(plane.store.close)
        return plane

    def created(self, masters: int = 3) -> tuple[ControlPlane, Cluster]:
        plane = self.plane()
        cluster = plane.create(masters)
        plane.work()
        return plane, self.shown(plane, cluster)

    def shown(self, plane: ControlPlane, cluster: Cluster) -> Cluster:
        return plane.store.get_cluster(PROJECT, cluster.id)

    def assert_healthy(self, plane: ControlPlane, cluster: Cluster, masters: int) -> None:
        cluster = self.shown(plane, cluster)
        self.assertEqual('NONE', cluster.task.name)
        self.assertEqual(masters, len(cluster.instances))
        self.assertEqual({InstanceStatus.ACTIVE}, {i.status for i in cluster.instances})
        statuses = [
            NodeStatus.from_wire(plane.model.node(i.id).status(CommandContext()))
            for i in cluster.instances
        ]
        self.assertEqual('', disagreement(statuses))
        self.assertTrue(all(s.completed and not s.forming for s in statuses))
        self.assertEqual([i.node_id for i in cluster.instances], [s.node_id for s in statuses])


class LifeCycleTest(OperationTestCase):
    def test_create_grow_shrink_delete(self) -> None:
        plane, cluster = self.created(3)
        self.assert_healthy(plane, cluster, 3)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=2)
        plane.work()
        self.assert_healthy(plane, cluster, 5)
        added = tuple(i.id for i in grown.instances[-2:])
        plane.begin(cluster.id, OperationKind.SHRINK, added)
        plane.work()
        self.assert_healthy(plane, cluster, 3)
        plane.begin(cluster.id, OperationKind.DELETE)
        plane.work()
        self.assertRaises(errors.NotFound, self.shown, plane, cluster)
        self.assertEqual({}, plane.model.nodes)

    def test_a_strategy_from_elsewhere_decides_the_layout(self) -> None:
        class Lopsided(RedisTaskManagerStrategy):
            def layout(self, masters: int) -> Sequence[SlotRange]:
                rest = [SlotRange(i, i) for i in range(masters - 1)]
                return [*rest, SlotRange(masters - 1, slots.SLOT_COUNT - 1)]

        plane = self.plane(Lopsided())
        cluster = plane.create(3)
        plane.work()
        self.assert_healthy(plane, cluster, 3)
        owned = [plane.model.nodes[i.id].owned for i in self.shown(plane, cluster).instances]
        self.assertEqual([((0, 0),), ((1, 1),), ((2, 16383),)], owned)

    def test_what_is_tried_in_vain_is_told(self) -> None:
        plane = self.plane()
        cluster = plane.create(2)
        full = errors.Unavailable('No address is free.')
        told = []

        def refuse(*_: object) -> None:
            shown = self.shown(plane, cluster).operation
            assert shown
            if shown.state is OperationState.RUNNING:
                told.append(shown.message)
            raise full

        plane.counted.place_instance = refuse
        with self.assertLogs('taskmanager.operation', 'WARNING') as logged:
            plane.work()
        self.assertIn('c-member-1: No address is free.', told[-1])
        shown = self.shown(plane, cluster)
        assert shown.operation
        self.assertIn('No address is free.', str(shown.operation.reason))
        self.assertNotIn('No address', shown.operation.message)
        self.assertEqual(2, sum('No address is free.' in r for r in logged.output[:-1]))

    def test_a_layout_that_leaves_slots_out_fails_the_create(self) -> None:
        class Sloppy(RedisTaskManagerStrategy):
            def layout(self, masters: int) -> Sequence[SlotRange]:
                return [SlotRange(i, i) for i in range(masters)]

        plane = self.plane(Sloppy())
        cluster = plane.create(3)
        plane.work()
        shown = self.shown(plane, cluster)
        assert shown.operation
        self.assertEqual(OperationState.FAILED, shown.operation.state)
        self.assertIn('Sloppy', str(shown.operation.reason))
        self.assertEqual({}, plane.model.nodes)

    def test_a_create_that_cannot_succeed_gives_everything_back(self) -> None:
        plane = self.plane()
        cluster = plane.create(3)
        victim = cluster.instances[1].id

        def refuse(instance_id: str, method: str) -> None:
            if (instance_id, method) == (victim, 'prepare'):
                raise errors.EngineFailed('out of memory')

        plane.model.before = refuse
        plane.work()
        shown = self.shown(plane, cluster)
        assert shown.operation
        self.assertEqual(OperationState.FAILED, shown.operation.state)
        self.assertIn('out of memory', str(shown.operation.reason))
        self.assertEqual({InstanceStatus.ERROR}, {i.status for i in shown.instances})
        self.assertEqual([], list(plane.store.list_placed('host-1')))
        self.assertEqual({}, plane.model.nodes)
        plane.begin(cluster.id, OperationKind.DELETE)
        plane.work()
        self.assertRaises(errors.NotFound, self.shown, plane, cluster)

    def test_a_member_that_never_got_a_place_is_an_error_too(self) -> None:
        plane = self.plane()
        cluster = plane.create(3)
        victim = cluster.instances[1].id
        place = plane.counted.place_instance

        def refuse(claim: Claim, instance_id: str, host: str, address: Address) -> None:
            if instance_id == victim:
                raise errors.EngineNotFound('no server on this host')
            place(claim, instance_id, host, address)

        plane.counted.place_instance = refuse
        plane.work()
        shown = self.shown(plane, cluster)
        assert shown.operation
        self.assertEqual(OperationState.FAILED, shown.operation.state)
        self.assertEqual({InstanceStatus.ERROR}, {i.status for i in shown.instances})
        self.assertEqual({shown.operation.reason}, {i.fault for i in shown.instances})

    def test_a_failed_grow_leaves_the_old_cluster_whole(self) -> None:
        plane, cluster = self.created(3)
        old = [i.id for i in cluster.instances]
        grown = plane.begin(cluster.id, OperationKind.GROW, new=2)
        victim = grown.instances[-1].id

        def refuse(instance_id: str, method: str) -> None:
            if (instance_id, method) == (victim, 'prepare'):
                raise errors.EngineFailed('no such binary')

        plane.model.before = refuse
        plane.work()
        self.assert_healthy(plane, cluster, 3)
        shown = self.shown(plane, cluster)
        assert shown.operation
        self.assertEqual(OperationState.FAILED, shown.operation.state)
        self.assertEqual(old, [i.id for i in shown.instances])

    def test_a_shrink_refused_by_keys_keeps_the_node(self) -> None:
        plane, cluster = self.created(3)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
        plane.work()
        plane.model.nodes[grown.instances[-1].id].keys = 7
        plane.begin(cluster.id, OperationKind.SHRINK, (grown.instances[-1].id,))
        plane.work()
        self.assert_healthy(plane, cluster, 4)
        operation = self.shown(plane, cluster).operation
        assert operation
        self.assertEqual(OperationState.FAILED, operation.state)

    def test_delete_with_an_agent_away_leaves_a_tombstone(self) -> None:
        plane, cluster = self.created(3)
        away = cluster.instances[0]
        plane.model.nodes[away.id].agent_up = False
        plane.begin(cluster.id, OperationKind.DELETE)
        plane.work()
        self.assertRaises(errors.NotFound, self.shown, plane, cluster)
        self.assertEqual([away.id], [i.id for i in plane.store.list_placed('host-1')])
        self.assertIsNone(plane.store.assigned_cluster(away.id))
        plane.store.report(away.id, running=False, node_id=None, volume_used=0.0, wiped=True)
        self.assertEqual([], list(plane.store.list_placed('host-1')))

    def test_an_older_worker_changes_nothing_any_more(self) -> None:
        plane = self.plane()
        cluster = plane.create(2)
        operation_id = plane.store.list_claimable(1)[0]
        stale = plane.store.claim(operation_id, 'stale', 10)
        assert stale
        plane.now += 11
        plane.work('fresh')
        before = self.shown(plane, cluster)
        plane.runner.run(stale, lambda: False)
        self.assertEqual(before, self.shown(plane, cluster))


class CrashTest(OperationTestCase):
    """The worker is killed at every step there is; the end is always the same."""

    def each_step(
        self, prepare: Callable[[], tuple[ControlPlane, Cluster]], masters: int | None
    ) -> None:
        crashed = 0
        for step in range(1, MOST_STEPS):
            plane, cluster = prepare()
            with self.subTest(step=step):
                more = plane.work_through_crash(step)
                if masters is None:
                    self.assertRaises(errors.NotFound, self.shown, plane, cluster)
                    self.assertEqual({}, plane.model.nodes)
                    self.assertEqual([], list(plane.store.list_placed('host-1')))
                else:
                    self.assert_healthy(plane, cluster, masters)
            plane.store.close()
            if not more:
                break
            crashed += 1
        self.assertGreater(crashed, 10)

    def test_create(self) -> None:
        def prepare() -> tuple[ControlPlane, Cluster]:
            plane = self.plane()
            return plane, plane.create(2)

        self.each_step(prepare, 2)

    def test_grow(self) -> None:
        def prepare() -> tuple[ControlPlane, Cluster]:
            plane, cluster = self.created(1)
            plane.begin(cluster.id, OperationKind.GROW, new=1)
            return plane, cluster

        self.each_step(prepare, 2)

    def test_shrink(self) -> None:
        def prepare() -> tuple[ControlPlane, Cluster]:
            plane, cluster = self.created(1)
            grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
            plane.work()
            plane.begin(cluster.id, OperationKind.SHRINK, (grown.instances[-1].id,))
            return plane, cluster

        self.each_step(prepare, 1)

    def test_delete(self) -> None:
        def prepare() -> tuple[ControlPlane, Cluster]:
            plane, cluster = self.created(2)
            plane.begin(cluster.id, OperationKind.DELETE)
            return plane, cluster

        self.each_step(prepare, None)
