"""Quotas: counted from live members, never overshot, on every database."""

import concurrent.futures
import threading

from slotwright.domain.errors import ClusterBusy, NotFound, OverLimit
from slotwright.domain.quotas import NO_LIMITS, Amounts
from slotwright.domain.states import OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.base import NewCluster
from tests.contract import databases
from tests.contract.storage_case import PROJECT, StoreCase, new_id

THREADS = 12
RAM = 2048  # MiB of flavor 2
FEW = Amounts(instances=10, volumes=-1, ram=-1)
MANY = frozenset(OperationKind)


class Contract:
    def make(self, members, quota, project_id=PROJECT):
        return self.store.create_cluster(
            NewCluster(new_id(), project_id, 'c', 'redis', '3.0', 'secret'),
            self.new_members(members),
            self.new_operation(OperationKind.CREATE),
            quota=quota,
        )

    def in_use(self, project_id=PROJECT):
        return self.store.get_usage(project_id, NO_LIMITS).in_use

    def using(self, members):
        return Amounts(members, members * 2, members * RAM)

    def test_what_is_used(self):
        self.assertEqual(self.using(0), self.in_use())
        cluster = self.create_ready(3)
        self.create(2, 'other')
        self.assertEqual(self.using(3), self.in_use())
        self.begin(cluster, OperationKind.GROW, members=self.new_members(2))
        self.assertEqual(self.using(5), self.in_use())

    def test_each_resource_is_refused_by_name(self):
        for quota, names in (
            (Amounts(2, 100, -1), "['instances']"),
            (Amounts(2, 5, -1), "['instances', 'volumes']"),
            (Amounts(-1, 6, 3 * RAM - 1), "['ram']"),
            (Amounts(0, 0, 0), "['instances', 'volumes', 'ram']"),
        ):
            with self.assert_unchanged(), self.assertRaises(OverLimit) as caught:
                self.make(3, quota)
            self.assertIn(
                f'Quota exceeded for resources: {names}. Asked for ', str(caught.exception)
            )
        self.make(3, Amounts(3, 6, 3 * RAM))

    def test_a_grow_counts_and_other_refusals_come_first(self):
        cluster = self.create_ready(3)
        grow = {'members': self.new_members(2), 'quota': Amounts(4, -1, -1)}
        with self.assert_unchanged():
            self.assertRaises(OverLimit, self.begin, cluster, OperationKind.GROW, **grow)
        busy = self.create(1)
        with self.assert_unchanged():
            self.assertRaises(ClusterBusy, self.begin, busy, OperationKind.GROW, **grow)
            operation = self.new_operation(OperationKind.GROW)
            self.assertRaises(
                NotFound, self.store.begin_operation, 'x', cluster.id, operation, **grow
            )
        self.begin(cluster, OperationKind.GROW, **{**grow, 'quota': Amounts(6, -1, -1)})

    def test_nothing_leaks(self):
        cluster = self.place_all(self.create_ready(3))
        gone = cluster.instances[-1].id
        claim = self.claim(self.begin(cluster, OperationKind.SHRINK, gone))
        self.assertEqual(self.using(3), self.in_use())
        self.store.drop_instance(claim, gone, tombstone=True)
        self.finish(claim)
        self.assertEqual(self.using(2), self.in_use())

        failed = self.create(2)
        claim = self.claim(failed)
        for instance in failed.instances:
            self.store.free_instance(claim, instance.id, 'no room')
        self.finish(claim, OperationState.FAILED)
        self.assertEqual(self.using(2), self.in_use())
        self.begin(failed, OperationKind.DELETE)
        self.assertEqual(self.using(2), self.in_use())

        claim = self.claim(self.begin(cluster, OperationKind.DELETE))
        self.assertEqual(self.using(2), self.in_use())
        self.finish(claim, delete_cluster=True)
        self.assertEqual(self.using(0), self.in_use())

    def place_all(self, cluster):
        claim = self.claim(self.begin(cluster, OperationKind.SET_USERS))
        for port, instance in enumerate(cluster.instances, 6000):
            self.store.place_instance(claim, instance.id, 'h', Address('10.0.0.1', port, port + 9))
        self.finish(claim)
        return cluster

    def test_a_project_has_limits_of_its_own(self):
        defaults = Amounts(10, 40, -1)
        usage = self.store.set_limits(PROJECT, {'instances': 2, 'ram': RAM}, defaults)
        self.assertEqual(Amounts(2, 40, RAM), usage.limits)
        self.assertEqual(defaults, self.store.get_usage('other', defaults).limits)
        self.assertRaises(OverLimit, self.make, 2, defaults)
        usage = self.store.set_limits(PROJECT, {'ram': None, 'volumes': -1}, defaults)
        self.assertEqual(Amounts(2, -1, -1), usage.limits)
        self.make(2, defaults)

    def test_a_lowered_limit_takes_nothing_away(self):
        self.make(3, FEW)
        self.store.set_limits(PROJECT, {'instances': 1}, FEW)
        self.assertEqual(3, self.in_use().instances)
        self.assertRaises(OverLimit, self.make, 1, FEW)

    def test_many_at_once_take_what_there_is_and_no_more(self):
        """Creates and grows of a project that has no row yet, each on its own connection."""
        idle = [self.create_ready(1).id for _ in range(2)]
        barrier = threading.Barrier(THREADS)

        def take(number):
            barrier.wait()
            try:
                if number < len(idle):
                    self.store.begin_operation(
                        PROJECT,
                        idle[number],
                        self.new_operation(OperationKind.GROW),
                        members=self.new_members(1),
                        quota=FEW,
                    )
                else:
                    self.make(1, FEW)
            except OverLimit:
                return 0
            return 1

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            taken = sum(pool.map(take, range(THREADS)))
        self.assertEqual(FEW.instances - len(idle), taken)
        self.assertEqual(FEW.instances, self.in_use().instances)

    def test_an_operation_given_up_is_lost_to_its_worker(self):
        cluster = self.create_ready(2)
        claim = self.claim(self.begin(cluster, OperationKind.GROW, members=self.new_members(1)))
        self.assertRaises(
            ClusterBusy,
            self.begin,
            cluster,
            OperationKind.DELETE,
            supersedes=(OperationKind.RESET_STATUS,),
        )
        reset = self.begin(cluster, OperationKind.RESET_STATUS, supersedes=MANY)
        self.assertEqual('UPDATING_CLUSTER', reset.task.name)
        self.assertEqual(3, len(reset.instances))
        self.assertEqual([], list(self.store.renew([claim], 60)))
        given_up = self.store.get_operation(PROJECT, claim.operation_id)
        self.assertEqual(OperationState.FAILED, given_up.state)
        self.assertEqual('given up for a reset_status (req-1)', given_up.reason)
        self.assertGreater(self.claim(reset).epoch, claim.epoch)

    def test_one_of_many_forced_deletes_wins_over_the_worker(self):
        cluster = self.create(2)
        claim = self.claim(cluster)
        barrier = threading.Barrier(4)

        def force(number):
            barrier.wait()
            try:
                if not number:
                    return self.store.update_operation(claim, done=1)
                return self.begin(cluster, OperationKind.DELETE, supersedes={OperationKind.CREATE})
            except Exception as error:  # noqa: BLE001 - who lost is looked at below
                return error

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            _, *answers = pool.map(force, range(4))
        busy = [a for a in answers if isinstance(a, ClusterBusy)]
        self.assertEqual(2, len(busy), answers)
        shown = self.store.get_cluster(PROJECT, cluster.id)
        self.assertEqual(OperationKind.DELETE, shown.operation.kind)

    def test_names(self):
        first, second = sorted(self.create(1, name='twin').id for _ in range(2))
        self.create(1, name='other')
        self.create(1, project_id='foreign', name='twin')
        found = self.store.find_clusters(PROJECT, 'twin', 5)
        self.assertEqual([first, second], [cluster.id for cluster in found])
        self.assertEqual(1, len(self.store.find_clusters(PROJECT, 'twin', 1)))
        self.assertEqual([], list(self.store.find_clusters(PROJECT, 'TWIN', 5)))
        members = self.store.find_instances(PROJECT, 'twin-member-1', 5)
        self.assertEqual({first, second}, {member.cluster_id for member in members})
        self.assertEqual(4, len(self.store.list_instances(None, 10)))


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
