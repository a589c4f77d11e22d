"""A reset of a cluster's status, and a forced delete: what is shown is what is there."""

import functools

from slotwright.domain import errors
from slotwright.domain.clusters import Cluster
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.storage.base import NewOperation
from tests.controlplane import LEASE, PROJECT, ControlPlane
from tests.unit.test_taskmanager_operations import OperationTestCase

ANYTHING = frozenset(OperationKind)


class ResetTestCase(OperationTestCase):
    def force(self, plane: ControlPlane, cluster: Cluster, kind: OperationKind) -> Cluster:
        """What the API stores for ``reset-status`` and for a forced delete."""
        operation = NewOperation(plane.new_id(), kind, 'req-9')
        return plane.store.begin_operation(PROJECT, cluster.id, operation, supersedes=ANYTHING)

    def reset(self, plane: ControlPlane, cluster: Cluster) -> Cluster:
        self.force(plane, cluster, OperationKind.RESET_STATUS)
        plane.work('resetting')
        return self.shown(plane, cluster)

    def statuses(self, cluster: Cluster) -> list[str]:
        self.assertEqual('NONE', cluster.task.name)
        return [i.status.value for i in cluster.instances]

    def reason(self, cluster: Cluster) -> str:
        assert cluster.operation
        self.assertEqual(OperationKind.RESET_STATUS, cluster.operation.kind)
        self.assertEqual(OperationState.FAILED, cluster.operation.state)
        return str(cluster.operation.reason)


class ResetTest(ResetTestCase):
    def test_a_healthy_cluster_stays_so(self) -> None:
        plane, cluster = self.created(3)
        self.reset(plane, cluster)
        self.assert_healthy(plane, cluster, 3)
        operation = self.shown(plane, cluster).operation
        assert operation
        self.assertEqual(OperationState.COMPLETED, operation.state)
        self.assertIsNone(operation.reason)

    def test_a_cluster_that_lost_slots_does_not_become_healthy(self) -> None:
        plane, cluster = self.created(3)
        lost = plane.model.nodes[cluster.instances[1].id]
        lost.owned = ()
        plane.model.gossip(2)
        shown = self.reset(plane, cluster)
        self.assertEqual(['ERROR'] * 3, self.statuses(shown))
        self.assertIn('3 of 3 members are not well: c-member-1: it sees an', self.reason(shown))
        self.assertIn('an owner for 10923 of 16384 slots', str(shown.instances[0].fault))

    def test_a_dead_redis_and_a_silent_agent_are_told_apart(self) -> None:
        plane, cluster = self.created(3)
        dead, silent, well = (plane.model.nodes[i.id] for i in cluster.instances)
        dead.running = False
        silent.agent_up = False
        shown = self.reset(plane, cluster)
        self.assertEqual(['ERROR', 'ERROR', 'ACTIVE'], self.statuses(shown))
        self.assertEqual('its redis-server does not run', shown.instances[0].fault)
        self.assertEqual('its agent does not answer', shown.instances[1].fault)
        self.assertIsNone(shown.instances[2].fault)
        dead.running = silent.agent_up = True
        shown = self.reset(plane, cluster)
        self.assertEqual({None}, {i.fault for i in shown.instances})
        self.assert_healthy(plane, cluster, 3)
        self.assertTrue(well.running)

    def test_another_redis_in_its_place(self) -> None:
        plane, cluster = self.created(2)
        plane.model.nodes[cluster.instances[0].id].node_id = 'f' * 40
        shown = self.reset(plane, cluster)
        self.assertIn('is now ffffffff', str(shown.instances[0].fault))

    def test_a_doomed_grow_is_given_up_and_the_old_members_are_well(self) -> None:
        plane, cluster = self.created(3)
        plane.begin(cluster.id, OperationKind.GROW, new=1)
        (operation_id,) = plane.store.list_claimable(1)
        running = plane.store.claim(operation_id, 'doomed', LEASE)
        assert running
        shown = self.reset(plane, cluster)
        self.assertEqual(['ACTIVE'] * 3 + ['ERROR'], self.statuses(shown))
        self.assertIn('c-member-4: it has no place', self.reason(shown))
        before = self.shown(plane, cluster)
        self.assertRaises(
            errors.LeaseLost, plane.store.update_operation, running, message='I am here still'
        )
        plane.runner.run(running, lambda: False)
        self.assertEqual([], list(plane.store.renew([running], LEASE)))
        self.assertEqual(before, self.shown(plane, cluster))
        grow = plane.store.get_operation(PROJECT, operation_id)
        self.assertEqual(OperationState.FAILED, grow.state)
        self.assertEqual('given up for a reset_status (req-9)', grow.reason)

        plane.begin(cluster.id, OperationKind.SHRINK, (shown.instances[-1].id,))
        plane.work()
        self.assert_healthy(plane, cluster, 3)

    def test_commands_of_the_worker_that_lost_it_are_refused(self) -> None:
        plane, cluster = self.created(2)
        plane.begin(cluster.id, OperationKind.GROW, new=1)
        running = plane.store.claim(plane.store.list_claimable(1)[0], 'doomed', LEASE)
        assert running
        self.reset(plane, cluster)
        fences = {plane.model.nodes[i.id].fence for i in cluster.instances}
        self.assertGreater(min(fences), running.epoch)

    def test_an_interrupted_shrink_lets_the_tenant_in_again(self) -> None:
        plane, cluster = self.created(2)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
        plane.work()
        leaving = plane.model.nodes[grown.instances[-1].id]
        plane.begin(cluster.id, OperationKind.SHRINK, (leaving.instance_id,))
        leaving.retired = leaving.forming = True
        shown = self.reset(plane, cluster)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(shown))
        self.assertFalse(leaving.retired or leaving.forming)

    def test_a_node_that_was_forgotten_is_not_well(self) -> None:
        plane, cluster = self.created(2)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
        plane.work()
        added = plane.model.nodes[grown.instances[-1].id]
        for member in cluster.instances:
            plane.model.nodes[member.id].table.pop(added.node_id)
        shown = self.reset(plane, cluster)
        self.assertEqual('ERROR', self.statuses(shown)[-1])
        self.assertIn('know it', str(shown.instances[-1].fault))

    def test_a_failed_create_keeps_its_reason(self) -> None:
        plane = self.plane()
        cluster = plane.create(2)

        def refuse(instance_id: str, method: str) -> None:
            if (instance_id, method) == (cluster.instances[0].id, 'prepare'):
                raise errors.EngineFailed('out of memory')

        plane.model.before = refuse
        plane.work()
        before = [i.fault for i in self.shown(plane, cluster).instances]
        shown = self.reset(plane, cluster)
        self.assertEqual(['ERROR'] * 2, self.statuses(shown))
        self.assertEqual(before, [i.fault for i in shown.instances])
        self.assertIn('out of memory', self.reason(shown))

    def test_what_cannot_be_mended_does_not_keep_it(self) -> None:
        plane, cluster = self.created(2)
        stuck = plane.model.nodes[cluster.instances[0].id]
        stuck.retired = True

        def refuse(instance_id: str, method: str) -> None:
            if method == 'set_users':
                raise errors.CommandRefused('no')

        plane.model.before = refuse
        shown = self.reset(plane, cluster)
        self.assertEqual(['ERROR', 'ACTIVE'], self.statuses(shown))
        self.assertIn("its tenant's user is not as wanted", self.reason(shown))

    def test_killed_at_every_step(self) -> None:
        for step in range(1, 60):
            plane, cluster = self.created(2)
            plane.model.nodes[cluster.instances[0].id].retired = True
            self.force(plane, cluster, OperationKind.RESET_STATUS)
            more = plane.work_through_crash(step)
            self.assert_healthy(plane, cluster, 2)
            plane.store.close()
            if not more:
                break
        self.assertGreater(step, 5)


class ForcedDeleteTest(ResetTestCase):
    def test_of_a_doomed_create(self) -> None:
        plane = self.plane()
        cluster = plane.create(3)
        plane.store.claim(plane.store.list_claimable(1)[0], 'doomed', LEASE)
        going = self.force(plane, cluster, OperationKind.DELETE)
        self.assertEqual({InstanceStatus.SHUTDOWN}, {i.status for i in going.instances})
        plane.work()
        self.assertRaises(errors.NotFound, self.shown, plane, cluster)
        self.assertEqual({}, plane.model.nodes)
        self.assertEqual([], list(plane.store.list_placed('host-1')))

    def test_of_a_grow_at_every_step(self) -> None:
        for step in range(1, 200, 3):
            plane, cluster = self.created(1)
            plane.begin(cluster.id, OperationKind.GROW, new=1)
            more = plane.work_through_crash(
                step, functools.partial(self.force, plane, cluster, OperationKind.DELETE)
            )
            with self.subTest(step=step):
                self.assertRaises(errors.NotFound, self.shown, plane, cluster)
                self.assertEqual({}, plane.model.nodes)
                self.assertEqual([], list(plane.store.list_placed('host-1')))
            plane.store.close()
            if not more:
                break
        self.assertGreater(step, 10)

    def test_a_delete_takes_over_from_a_reset(self) -> None:
        plane, cluster = self.created(2)
        self.force(plane, cluster, OperationKind.RESET_STATUS)
        operation = NewOperation(plane.new_id(), OperationKind.DELETE, 'req-9')
        plane.store.begin_operation(
            PROJECT, cluster.id, operation, supersedes=(OperationKind.RESET_STATUS,)
        )
        plane.work()
        self.assertRaises(errors.NotFound, self.shown, plane, cluster)
        self.assertEqual({}, plane.model.nodes)
