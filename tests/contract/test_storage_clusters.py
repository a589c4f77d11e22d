"""The contract of ``slotwright.storage.base.ClusterStore`` and ``FlavorStore``."""

import datetime

from oslo_db import exception as db_exception

from slotwright.domain import states
from slotwright.domain.errors import ClusterBusy, NotFound
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from tests.contract import databases
from tests.contract.storage_case import PROJECT, StoreCase, new_id


class FlavorContract:
    def test_three_flavors_are_there_by_default(self):
        found = [(f.id, f.ram, f.vcpus, f.disk, f.ephemeral) for f in self.store.list_flavors()]
        self.assertEqual(
            [('1', 512, 1, 5, 0), ('2', 2048, 2, 20, 10), ('3', 8192, 4, 80, 40)], found
        )

    def test_get_flavor(self):
        self.assertEqual(self.store.list_flavors()[1], self.store.get_flavor('2'))
        with self.assertRaisesRegex(NotFound, r'^Flavor 9 cannot be found\.$'):
            self.store.get_flavor('9')


class CreateContract:
    def test_create_is_read_back_as_it_was_answered(self):
        cluster = self.store.create_cluster(
            NewCluster(
                new_id(), PROJECT, 'näme ☃', 'redis', '3.0', 'secret', 'affinity', {'k': 'v'}
            ),
            [NewInstance(new_id(), '2', 2), NewInstance(new_id(), '1', None)],
            NewOperation(new_id(), OperationKind.CREATE, 'req-7'),
        )
        self.assertEqual(cluster, self.store.get_cluster(PROJECT, cluster.id))
        self.assertEqual(states.BUILDING, cluster.task)
        self.assertEqual(
            ('affinity', {'k': 'v'}, 'secret', '', 0),
            (
                cluster.locality,
                cluster.extended_properties,
                cluster.secret,
                cluster.tenant_hash,
                cluster.epoch,
            ),
        )
        self.assertEqual(
            [('näme ☃-member-1', 1, '2', 2), ('näme ☃-member-2', 2, '1', None)],
            [(i.name, i.ordinal, i.flavor_id, i.volume_size) for i in cluster.instances],
        )
        self.assertEqual({InstanceStatus.BUILD}, {i.status for i in cluster.instances})
        operation = cluster.operation
        self.assertEqual(
            (OperationKind.CREATE, OperationState.PENDING, 'req-7', 0.0),
            (operation.kind, operation.state, operation.request_id, operation.spent),
        )
        self.assertEqual(tuple(i.id for i in cluster.instances), operation.instance_ids)

    def test_times_are_utc_without_a_zone(self):
        created = self.create().created
        self.assertIsNone(created.tzinfo)
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        self.assertLess(abs(now - created), datetime.timedelta(minutes=5))

    def test_a_create_that_fails_leaves_nothing(self):
        taken = self.create().operation.id
        for flavor_id, operation_id in (('9', new_id()), ('1', taken)):
            with (
                self.subTest(flavor_id=flavor_id),
                self.assert_unchanged(),
                self.assertRaises(db_exception.DBError),
            ):
                self.store.create_cluster(
                    NewCluster(new_id(), PROJECT, 'c', 'redis', '3.0', 'secret'),
                    [NewInstance(new_id(), flavor_id, 2)],
                    NewOperation(operation_id, OperationKind.CREATE, 'req'),
                )


class ReadContract:
    def test_a_foreign_project_sees_nothing(self):
        cluster = self.create()
        for project_id in ('other', PROJECT.upper(), ''):
            with self.subTest(project_id=project_id):
                self.assertEqual([], list(self.store.list_clusters(project_id, 10)))
                self.assertEqual([], list(self.store.list_instances(project_id, 10)))
                self.assertEqual([], list(self.store.list_operations(project_id, cluster.id, 9)))
                with self.assertRaises(NotFound):
                    self.store.get_cluster(project_id, cluster.id)
                with self.assertRaises(NotFound):
                    self.store.get_instance(project_id, cluster.instances[0].id)
                with self.assertRaises(NotFound):
                    self.store.get_operation(project_id, cluster.operation.id)
                with self.assertRaises(NotFound):
                    self.store.begin_operation(
                        project_id, cluster.id, self.new_operation(OperationKind.DELETE)
                    )

    def test_unknown_ids(self):
        for get, message in (
            (self.store.get_cluster, 'Cluster x cannot be found.'),
            (self.store.get_instance, 'Instance x cannot be found.'),
            (self.store.get_operation, 'Operation x cannot be found.'),
        ):
            with self.assertRaises(NotFound) as caught:
                get(PROJECT, 'x')
            self.assertEqual(message, str(caught.exception))

    def test_pages_of_clusters(self):
        every = sorted((self.create(2) for _ in range(5)), key=lambda c: c.id)
        self.create(2, 'other')
        self.assertEqual(every[:2], list(self.store.list_clusters(PROJECT, 2)))
        rest = self.store.list_clusters(PROJECT, 10, every[1].id)
        self.assertEqual(every[2:], list(rest))
        self.assertEqual(every, list(self.store.list_clusters(PROJECT, 10, '!')))
        self.assertEqual([], list(self.store.list_clusters(PROJECT, 10, every[-1].id)))

    def test_pages_of_instances(self):
        every = sorted((i for _ in range(2) for i in self.create(3).instances), key=lambda i: i.id)
        self.assertEqual(every[:4], list(self.store.list_instances(PROJECT, 4)))
        self.assertEqual(every[4:], list(self.store.list_instances(PROJECT, 4, every[3].id)))
        self.assertEqual(every[0], self.store.get_instance(PROJECT, every[0].id))

    def test_a_page_takes_three_queries_whatever_its_size(self):
        made = 0
        for size in (1, 10, 20):
            while made < size:
                self.create(3)
                made += 1
            with self.count_queries() as sent:
                page = self.store.list_clusters(PROJECT, 20)
            self.assertEqual((size, size * 3), (len(page), sum(len(c.instances) for c in page)))
            self.assertEqual(3, len(sent))

    def test_a_cluster_shows_its_newest_operation(self):
        cluster = self.create_ready()
        grown = self.begin(cluster, OperationKind.GROW, members=self.new_members(1))
        listed = self.store.list_operations(PROJECT, cluster.id, 10)
        self.assertEqual([grown.operation.id, cluster.operation.id], [o.id for o in listed])
        self.assertEqual(grown.operation, self.store.list_clusters(PROJECT, 10)[0].operation)
        self.assertEqual(
            [grown.operation], list(self.store.list_operations(PROJECT, cluster.id, 1))
        )
        self.assertEqual(grown.operation, self.store.get_operation(PROJECT, grown.operation.id))


class BeginContract:
    def test_grow_numbers_on_and_never_anew(self):
        cluster = self.create_ready(2)
        for first in (3, 5):
            grown = self.begin(cluster, OperationKind.GROW, members=self.new_members(2))
            new = grown.operation.instance_ids
            self.assertEqual(states.BUILDING, grown.task)
            self.assertEqual(
                [f'c-member-{first}', f'c-member-{first + 1}'],
                [grown.instance(i).name for i in new],
            )
            claim = self.claim(grown)
            for instance_id in new:
                self.store.drop_instance(claim, instance_id, tombstone=False)
            self.finish(claim)
            after = self.store.get_cluster(PROJECT, cluster.id)
            self.assertEqual([1, 2], [i.ordinal for i in after.instances])

    def test_shrink_shuts_down_the_named_members(self):
        cluster = self.create_ready(3)
        gone = cluster.instances[1].id
        shrunk = self.begin(cluster, OperationKind.SHRINK, gone)
        self.assertEqual(states.SHRINKING, shrunk.task)
        self.assertEqual((gone,), shrunk.operation.instance_ids)
        self.assertEqual(
            [InstanceStatus.ACTIVE, InstanceStatus.SHUTDOWN, InstanceStatus.ACTIVE],
            [i.status for i in shrunk.instances],
        )
        self.assertEqual(shrunk, self.store.get_cluster(PROJECT, cluster.id))

    def test_delete_shuts_down_all_members(self):
        deleting = self.begin(self.create_ready(2), OperationKind.DELETE)
        self.assertEqual(states.DELETING, deleting.task)
        self.assertEqual({InstanceStatus.SHUTDOWN}, {i.status for i in deleting.instances})

    def test_tenant_hash_is_changed_when_given(self):
        cluster = self.create_ready()
        changed = self.begin(cluster, OperationKind.SET_USERS, tenant_hash='ab' * 32)
        self.assertEqual(('ab' * 32, states.UPDATING), (changed.tenant_hash, changed.task))
        self.finish(self.claim(changed))
        kept = self.begin(cluster, OperationKind.SET_USERS)
        self.assertEqual('ab' * 32, kept.tenant_hash)
        self.finish(self.claim(kept))
        self.assertEqual(
            '', self.begin(cluster, OperationKind.SET_USERS, tenant_hash='').tenant_hash
        )

    def test_a_busy_cluster_is_refused_and_nothing_changes(self):
        building = self.create()
        deleting = self.begin(self.create_ready(), OperationKind.DELETE)
        for cluster, task in ((building, 'BUILDING'), (deleting, 'DELETING')):
            for kind in OperationKind:
                with self.subTest(task=task, kind=kind), self.assert_unchanged():
                    with self.assertRaises(ClusterBusy) as caught:
                        self.begin(cluster, kind, members=self.new_members(2), tenant_hash='x')
                    self.assertEqual(
                        'This action cannot be performed on the cluster while the current '
                        f"cluster task is '{task}'.",
                        str(caught.exception),
                    )

    def test_whoever_is_no_live_member_is_refused_and_nothing_changes(self):
        cluster, other = self.create_ready(3), self.create_ready(1)
        shrunk = self.begin(cluster, OperationKind.SHRINK, cluster.instances[2].id)
        claim = self.claim(shrunk)
        self.store.drop_instance(claim, cluster.instances[2].id, tombstone=True)
        self.finish(claim)
        live = cluster.instances[0].id
        for wrong in (new_id(), other.instances[0].id, cluster.instances[2].id):
            with self.subTest(wrong=wrong), self.assert_unchanged():
                with self.assertRaises(NotFound) as caught:
                    self.begin(cluster, OperationKind.SHRINK, live, wrong)
                self.assertEqual(f'Instance {wrong} does not exist.', str(caught.exception))

    def test_a_cluster_whose_create_failed_can_be_deleted(self):
        cluster = self.create()
        self.finish(self.claim(cluster), OperationState.FAILED, reason='no room')
        failed = self.store.get_cluster(PROJECT, cluster.id)
        self.assertEqual(
            (states.NONE, OperationState.FAILED, 'no room'),
            (failed.task, failed.operation.state, failed.operation.reason),
        )
        deleting = self.begin(failed, OperationKind.DELETE)
        self.finish(self.claim(deleting), delete_cluster=True)
        with self.assertRaises(NotFound):
            self.store.get_cluster(PROJECT, cluster.id)

    def test_a_deleted_cluster_is_gone_but_for_its_operations(self):
        cluster = self.create_ready()
        deleting = self.begin(cluster, OperationKind.DELETE)
        self.finish(self.claim(deleting), delete_cluster=True)
        with self.assertRaisesRegex(NotFound, f'^Cluster {cluster.id} cannot be found\\.$'):
            self.begin(cluster, OperationKind.DELETE)
        with self.assertRaises(NotFound):
            self.store.get_instance(PROJECT, cluster.instances[0].id)
        self.assertEqual([], list(self.store.list_clusters(PROJECT, 10)))
        self.assertEqual([], list(self.store.list_instances(PROJECT, 10)))
        newest = self.store.list_operations(PROJECT, cluster.id, 10)[0]
        self.assertEqual(
            (deleting.operation.id, OperationState.COMPLETED), (newest.id, newest.state)
        )


class Contract(FlavorContract, CreateContract, ReadContract, BeginContract):
    pass


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
