"""The contract of ``slotwright.storage.base.WorkStore``: instances, addresses, agents."""

from slotwright.domain.errors import AddressTaken, NotFound
from slotwright.domain.states import InstanceStatus, OperationKind
from slotwright.domain.topology import Address
from tests.contract import databases
from tests.contract.storage_case import PROJECT, StoreCase, new_id

HERE = Address('127.0.0.1', 7000, 17000)
THERE = Address('127.0.0.2', 7000, 17000)


class PlaceContract:
    def test_a_placed_instance_has_host_and_address(self):
        cluster = self.create(2)
        claim = self.claim(cluster)
        first, second = (i.id for i in cluster.instances)
        self.store.place_instance(claim, first, 'h', HERE)
        placed, free = self.store.load(claim).instances
        self.assertEqual(('h', HERE), (placed.host, placed.address))
        self.assertEqual((None, None), (free.host, free.address))
        self.assertEqual([placed], list(self.store.list_placed('h')))
        self.assertEqual([], list(self.store.list_placed('other')))
        self.assertEqual(cluster.id, self.store.assigned_cluster(first))
        self.assertIsNone(self.store.assigned_cluster(second))
        self.assertRaises(NotFound, self.store.assigned_cluster, 'x')

    def test_an_address_is_given_once_on_a_host(self):
        cluster = self.create(3)
        claim = self.claim(cluster)
        first, second, third = (i.id for i in cluster.instances)
        self.store.place_instance(claim, first, 'h', HERE)
        for taken in (HERE, Address(HERE.ip, HERE.port, 9), Address(HERE.ip, 9, HERE.bus_port)):
            with self.subTest(taken), self.assert_unchanged(), self.assertRaises(AddressTaken):
                self.store.place_instance(claim, second, 'h', taken)
        self.store.place_instance(claim, second, 'h', THERE)
        self.store.place_instance(claim, third, 'other host', HERE)

    def test_placing_again_changes_nothing(self):
        cluster = self.create(1)
        claim = self.claim(cluster)
        instance_id = cluster.instances[0].id
        self.store.place_instance(claim, instance_id, 'h', HERE)
        self.store.place_instance(claim, instance_id, 'g', THERE)
        self.store.place_instance(claim, instance_id, 'h', HERE)
        placed = self.store.get_instance(PROJECT, instance_id)
        self.assertEqual(('h', HERE), (placed.host, placed.address))

    def test_only_live_members_are_placed(self):
        cluster, other = self.create(1), self.create(1)
        claim = self.claim(cluster)
        self.store.drop_instance(claim, cluster.instances[0].id, tombstone=False)
        for wrong in (new_id(), other.instances[0].id, cluster.instances[0].id):
            with self.subTest(wrong), self.assert_unchanged(), self.assertRaises(NotFound):
                self.store.place_instance(claim, wrong, 'h', HERE)

    def test_node_ids_are_kept_as_identities(self):
        cluster, other = self.create(2), self.create(1)
        claim = self.claim(cluster)
        first, second = (i.id for i in cluster.instances)
        foreign = other.instances[0].id
        self.store.set_node_ids(claim, {first: 'a' * 40, second: 'b' * 40, foreign: 'c' * 40})
        self.store.set_node_ids(claim, {second: 'd' * 40})
        self.assertEqual(
            ['a' * 40, 'd' * 40], [i.node_id for i in self.store.load(claim).instances]
        )
        self.assertIsNone(self.store.get_instance(PROJECT, foreign).node_id)


class DropContract:
    def placed(self):
        cluster = self.create(2)
        claim = self.claim(cluster)
        self.store.place_instance(claim, cluster.instances[0].id, 'h', HERE)
        return claim, *(i.id for i in cluster.instances)

    def test_a_dropped_instance_is_gone_and_its_address_free(self):
        claim, dropped, left = self.placed()
        self.store.drop_instance(claim, dropped, tombstone=False)
        self.store.drop_instance(claim, dropped, tombstone=True)
        self.assertEqual([left], [i.id for i in self.store.load(claim).instances])
        with self.assertRaises(NotFound):
            self.store.get_instance(PROJECT, dropped)
        self.assertIsNone(self.store.assigned_cluster(dropped))
        self.assertEqual([], list(self.store.list_placed('h')))
        self.assertEqual('DELETED', self.row('instances', dropped)['status'])
        self.store.place_instance(claim, left, 'h', HERE)

    def test_a_tombstone_keeps_the_address_until_the_agent_wiped_itself(self):
        claim, dropped, left = self.placed()
        self.store.drop_instance(claim, dropped, tombstone=True)
        self.assertEqual([left], [i.id for i in self.store.load(claim).instances])
        self.assertIsNone(self.store.assigned_cluster(dropped))
        self.report(dropped, wiped=False)
        with self.assertRaises(AddressTaken):
            self.store.place_instance(claim, left, 'h', HERE)
        (grave,) = self.store.list_placed('h')
        self.assertEqual(
            (dropped, InstanceStatus.DELETED, HERE), (grave.id, grave.status, grave.address)
        )
        self.report(dropped, wiped=True)
        self.assertEqual([], list(self.store.list_placed('h')))
        self.store.place_instance(claim, left, 'h', HERE)

    def test_a_tombstone_outlives_its_cluster(self):
        claim, dropped, _ = self.placed()
        self.store.drop_instance(claim, dropped, tombstone=True)
        self.finish(claim, delete_cluster=True)
        self.assertEqual([dropped], [i.id for i in self.store.list_placed('h')])
        self.report(dropped, wiped=True)
        self.assertEqual([], list(self.store.list_placed('h')))

    def test_members_left_at_a_delete_keep_their_address_until_wiped(self):
        claim, placed, never_placed = self.placed()
        self.finish(claim, delete_cluster=True)
        self.assertEqual([placed], [i.id for i in self.store.list_placed('h')])
        for instance_id in (placed, never_placed):
            self.assertIsNone(self.store.assigned_cluster(instance_id))
            with self.assertRaises(NotFound):
                self.store.get_instance(PROJECT, instance_id)
        self.report(placed, wiped=True)
        self.assertEqual([], list(self.store.list_placed('h')))

    def test_a_freed_instance_is_a_failed_member_without_address(self):
        claim, failed, left = self.placed()
        self.store.free_instance(claim, failed, 'redis-server does not start')
        member = self.store.load(claim).instance(failed)
        self.assertEqual(
            (InstanceStatus.ERROR, 'redis-server does not start', None, None),
            (member.status, member.fault, member.host, member.address),
        )
        self.assertIsNone(self.store.assigned_cluster(failed))
        self.store.place_instance(claim, left, 'h', HERE)
        self.finish(claim)
        shrunk = self.begin(
            self.store.get_cluster(PROJECT, claim.cluster_id), OperationKind.SHRINK, failed
        )
        self.assertEqual(InstanceStatus.SHUTDOWN, shrunk.instance(failed).status)

    def report(self, instance_id, **more):
        said = {'running': True, 'node_id': None, 'volume_used': None, 'wiped': False}
        self.store.report(instance_id, **{**said, **more})


class ReportContract:
    def test_a_heartbeat_is_recorded(self):
        instance_id = self.create(1).instances[0].id
        self.store.report(
            instance_id, running=True, node_id='a' * 40, volume_used=0.25, wiped=False
        )
        seen = self.store.get_instance(PROJECT, instance_id)
        self.assertEqual((True, 'a' * 40, 0.25), (seen.running, seen.node_id, seen.volume_used))
        self.assertIsNotNone(seen.reported)
        self.store.report(instance_id, running=False, node_id=None, volume_used=None, wiped=False)
        seen = self.store.get_instance(PROJECT, instance_id)
        self.assertEqual((False, 'a' * 40, None), (seen.running, seen.node_id, seen.volume_used))

    def test_a_heartbeat_does_not_change_an_identity(self):
        cluster = self.create(1)
        instance_id = cluster.instances[0].id
        self.store.set_node_ids(self.claim(cluster), {instance_id: 'a' * 40})
        self.store.report(
            instance_id, running=True, node_id='b' * 40, volume_used=None, wiped=False
        )
        self.assertEqual('a' * 40, self.store.get_instance(PROJECT, instance_id).node_id)

    def test_wiped_says_nothing_of_a_live_member(self):
        cluster = self.create(1)
        instance_id = cluster.instances[0].id
        self.store.place_instance(self.claim(cluster), instance_id, 'h', HERE)
        self.store.report(instance_id, running=False, node_id=None, volume_used=None, wiped=True)
        self.assertEqual(HERE, self.store.get_instance(PROJECT, instance_id).address)

    def test_unknown_instances_are_ignored(self):
        with self.assert_unchanged():
            self.store.report('x', running=True, node_id='a', volume_used=1.0, wiped=True)


class Contract(PlaceContract, DropContract, ReportContract):
    pass


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
