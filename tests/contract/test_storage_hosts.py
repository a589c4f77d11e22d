"""Enrolled hosts, and addresses that rest, in every database."""

from slotwright.domain.errors import AddressTaken, Forbidden, LeaseLost, NotFound
from slotwright.domain.hosts import ADDRESS_REST, Announcement
from slotwright.domain.states import OperationKind
from slotwright.domain.topology import Address
from tests.contract import databases
from tests.contract.storage_case import PROJECT, Hands, StoreCase, new_id

SILENCE = 20.0
HERE = Address('10.0.0.1', 6379, 16379)


class HostCase(StoreCase):
    """With a clock of its own, and announcements made short."""

    def setUp(self):
        super().setUp()
        self.time = Hands()
        self.store = self.connect(now=self.time)

    def announce(self, number, host_id=None, **changes):
        """A host at 10.0.0.<number>; answers its id."""
        host_id = host_id or new_id()
        said = {
            'group': 'g',
            'machine': f'm{number}',
            'address': Address(f'10.0.0.{number}', 6379, 16379),
            'ram': 4096,
        }
        self.given = self.store.announce(Announcement(host_id, **{**said, **changes}), SILENCE)
        return host_id

    def take(self, claim):
        return self.store.take_hosts(claim, 'g', SILENCE, poolless=True)

    def hosts(self):
        return {host.id: host for host in self.store.list_hosts()}

    def wiped(self, instance_id):
        self.store.report(instance_id, running=False, node_id=None, volume_used=None, wiped=True)


class HostContract:
    def test_an_announcement_is_kept_and_renewed(self):
        host_id = self.announce(1)
        self.time.now += 7
        (host,) = self.store.list_hosts()
        self.assertEqual(
            (host_id, 'g', 'm1', HERE, 4096, '', None),
            (*(host.id, host.group, host.machine, host.address, host.ram, host.holds),
             host.instance_id),
        )  # fmt: skip
        self.assertAlmostEqual(7, host.age, places=2)
        self.announce(1, host_id, ram=8192, holds='x')
        (host,) = self.store.list_hosts()
        self.assertEqual((8192, 'x', 0), (host.ram, host.holds, host.age))
        self.assertIsNone(self.given)

    def test_two_hosts_that_are_there_have_two_addresses(self):
        self.announce(1)
        for taken in (HERE, Address('10.0.0.1', 16379, 26379), Address('10.0.0.1', 7000, 6379)):
            with self.subTest(taken), self.assert_unchanged(), self.assertRaises(AddressTaken):
                self.announce(2, address=taken)
        self.announce(2, address=Address('10.0.0.1', 6380, 16380))
        self.time.now += SILENCE + 1
        self.announce(3, address=HERE)  # the other may have lost its disk

    def test_all_are_taken_or_none(self):
        ids = [self.announce(n) for n in (1, 2)]
        cluster = self.create(3)
        claim = self.claim(cluster)
        before = self.hosts()
        shortage = self.take(claim)
        self.assertEqual((3, 2, False), (shortage.needed, shortage.free, shortage.may_pass))
        self.assertEqual(before, self.hosts())
        self.assertEqual([None] * 3, [i.address for i in self.store.load(claim).instances])
        ids.append(self.announce(3))
        for _ in range(2):
            self.assertIsNone(self.take(claim))
        placed = {i.id: i.address for i in self.store.load(claim).instances}
        self.assertEqual(placed, {h.instance_id: h.address for h in self.hosts().values()})
        self.announce(1, ids[0])
        self.assertEqual(self.hosts()[ids[0]].instance_id, self.given)
        with self.assertRaises(Forbidden):
            self.announce(1, ids[0], address=Address('10.0.0.9', 1, 2))

    def test_who_is_not_fit_is_not_taken(self):
        silent = self.announce(1)
        self.time.now += SILENCE + 1
        self.announce(2, holds=new_id())
        self.announce(3, ram=64)
        self.announce(4, group='other')
        self.announce(5)
        shortage = self.take(self.claim(self.create(2)))
        self.assertEqual(
            (2, 1, 1, 1, 1),
            (shortage.needed, shortage.free, shortage.silent, shortage.unclean, shortage.small),
        )
        self.announce(1, silent)
        self.assertIsNone(self.take(self.claim(self.create(2))))

    def test_each_group_serves_the_members_of_its_pools(self):
        ids = [self.announce(n, group=group) for n, group in enumerate(['a', 'a', 'b', 'g'], 1)]
        uris = ['inventory://a', 'INVENTORY://a', 'inventory://b', 'local://', None]
        cluster = self.create_in(*uris)
        claim = self.claim(cluster)
        given = {}

        def take(group, poolless):
            shortage = self.store.take_hosts(claim, group, SILENCE, poolless=poolless)
            given.update({h.id: h.instance_id for h in self.hosts().values() if h.instance_id})
            return shortage

        by_uri = {i.pool_uri: i.id for i in cluster.instances}
        self.assertIsNone(take('a', False))
        self.assertEqual({ids[0], ids[1]}, set(given))
        self.assertEqual({by_uri['inventory://a'], by_uri['INVENTORY://a']}, set(given.values()))
        with self.assert_unchanged():
            self.assertIsNone(take('g', False))  # nobody belongs there
        self.assertIsNone(take('g', True))
        self.assertEqual(by_uri[None], given[ids[3]])
        self.assertIsNone(take('b', False))
        self.assertEqual(by_uri['inventory://b'], given[ids[2]])
        homeless = [i.pool_uri for i in self.store.load(claim).instances if i.address is None]
        self.assertEqual(['local://'], homeless)

    def test_a_group_is_short_of_its_own_hosts_only(self):
        for number, group in enumerate(['a', 'b', 'b', 'b'], 1):
            self.announce(number, group=group)
        cluster = self.create_in('inventory://a', 'inventory://a', 'inventory://b')
        claim = self.claim(cluster)
        with self.assert_unchanged():
            shortage = self.store.take_hosts(claim, 'a', SILENCE, poolless=False)
        self.assertEqual(('a', 2, 1), (shortage.group, shortage.needed, shortage.free))
        self.assertIsNone(self.store.take_hosts(claim, 'b', SILENCE, poolless=False))

    def test_nobody_takes_after_losing_the_claim(self):
        self.announce(1)
        cluster = self.create(1)
        claim = self.claim(cluster)
        self.store.release(claim)
        with self.assert_unchanged(), self.assertRaises(LeaseLost):
            self.take(claim)

    def test_a_host_comes_back_with_its_place(self):
        host_id = self.announce(1)
        cluster = self.create(1)
        claim = self.claim(cluster)
        self.take(claim)
        (instance,) = cluster.instances
        self.store.drop_instance(claim, instance.id, tombstone=True)
        self.assertEqual(instance.id, self.hosts()[host_id].instance_id)
        self.wiped(instance.id)
        self.assertIsNone(self.hosts()[host_id].instance_id)
        self.assertIsNone(self.take(self.claim(self.create(1))))

    def test_a_silent_host_is_removed_with_its_tombstone(self):
        host_id = self.announce(1)
        claim = self.claim(self.create(1))
        self.take(claim)
        (instance,) = self.store.load(claim).instances
        with self.assertRaisesRegex(Forbidden, 'stop its agent'):
            self.store.remove_host(host_id, SILENCE)
        self.time.now += SILENCE + 1
        with self.assertRaisesRegex(Forbidden, 'cluster that lives'):
            self.store.remove_host(host_id, SILENCE)
        self.store.drop_instance(claim, instance.id, tombstone=True)
        self.assertEqual(instance.id, self.store.remove_host(host_id, SILENCE))
        self.assertEqual({}, self.hosts())
        self.assertIsNone(self.row('instances', instance.id)['ip'])
        with self.assertRaises(NotFound):
            self.store.remove_host(host_id, SILENCE)


class RestContract:
    """A address given back, while somebody may still name it."""

    def setUp(self):
        super().setUp()
        self.cluster = self.create(2)
        self.owner = self.claim(self.cluster)
        self.gone, self.left = (i.id for i in self.cluster.instances)
        self.store.place_instance(self.owner, self.gone, 'h', HERE)
        self.store.place_instance(self.owner, self.left, 'h', Address('10.0.0.2', 6379, 16379))
        other = self.create(1)
        self.claimant, self.newcomer = self.claim(other), other.instances[0].id

    def place(self):
        self.store.place_instance(self.claimant, self.newcomer, 'h', HERE)

    def assert_resting(self):
        with self.assert_unchanged(), self.assertRaises(AddressTaken):
            self.place()
        self.assertEqual([HERE], list(self.store.list_resting('h')))

    def test_it_rests_while_its_cluster_may_gossip_of_it(self):
        self.store.drop_instance(self.owner, self.gone, tombstone=False)
        self.time.now += ADDRESS_REST - 1
        self.assert_resting()
        self.time.now += 2
        self.assertEqual([], list(self.store.list_resting('h')))
        self.place()

    def grow(self):
        """The claim on a grow of the cluster that had the address, and its new member."""
        self.finish(self.owner)
        (new,) = self.new_members(1)
        cluster = self.store.get_cluster(PROJECT, self.cluster.id)
        grown = self.begin(cluster, OperationKind.GROW, new.id, members=[new])
        return self.claim(grown), new.id

    def test_its_own_cluster_takes_it_back_at_once(self):
        self.store.drop_instance(self.owner, self.gone, tombstone=False)
        self.store.place_instance(*self.grow(), 'h', HERE)
        with self.assertRaises(AddressTaken):
            self.place()

    def test_its_own_cluster_waits_for_a_tombstone(self):
        self.store.drop_instance(self.owner, self.gone, tombstone=False)
        self.store.drop_instance(self.owner, self.left, tombstone=True)
        with self.assertRaises(AddressTaken):
            self.store.place_instance(*self.grow(), 'h', HERE)

    def test_it_rests_as_long_as_its_cluster_has_a_tombstone(self):
        self.store.drop_instance(self.owner, self.gone, tombstone=False)
        self.store.drop_instance(self.owner, self.left, tombstone=True)
        self.finish(self.owner, delete_cluster=True)
        self.time.now += 1000 * ADDRESS_REST
        self.assert_resting()
        self.wiped(self.left)
        self.place()

    def test_it_does_not_rest_when_nothing_of_its_cluster_is_left(self):
        for instance_id in (self.gone, self.left):
            self.store.drop_instance(self.owner, instance_id, tombstone=False)
        self.place()

    def test_an_enrolled_host_rests_with_its_address(self):
        for number in (1, 2):
            self.announce(number)
        cluster = self.create(2)
        claim = self.claim(cluster)
        self.take(claim)
        self.store.drop_instance(claim, cluster.instances[0].id, tombstone=False)
        shortage = self.take(self.claimant)
        self.assertEqual((0, 1, True), (shortage.free, shortage.resting, shortage.may_pass))
        self.time.now += ADDRESS_REST + 1
        for host in self.hosts().values():
            self.announce(int(host.address.ip[-1]), host.id)
        self.assertIsNone(self.take(self.claimant))


class SecretContract:
    def test_a_deleted_cluster_keeps_no_secret(self):
        cluster = self.create_ready(1)
        begun = self.begin(cluster, OperationKind.SET_USERS, tenant_hash='a' * 64)
        self.finish(self.claim(begun))
        begun = self.begin(self.store.get_cluster(PROJECT, cluster.id), OperationKind.DELETE)
        self.finish(self.claim(begun), delete_cluster=True)
        row = self.row('clusters', cluster.id)
        self.assertEqual(('', ''), (row['secret'], row['tenant_hash']))


class SQLiteTest(HostContract, SecretContract, HostCase):
    backend = databases.SQLite()


class MariaDBTest(HostContract, SecretContract, HostCase):
    backend = databases.MariaDB()


class PostgreSQLTest(HostContract, SecretContract, HostCase):
    backend = databases.PostgreSQL()


class SQLiteRestTest(RestContract, HostCase):
    backend = databases.SQLite()


class MariaDBRestTest(RestContract, HostCase):
    backend = databases.MariaDB()


class PostgreSQLRestTest(RestContract, HostCase):
    backend = databases.PostgreSQL()
