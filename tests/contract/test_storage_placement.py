"""Pools are filled to their brim and never over it, on every database."""

import concurrent.futures
import datetime
import threading
from collections import Counter

from slotwright.domain.errors import NoRoom
from slotwright.domain.placement import ANTI_AFFINITY, Placement, Used
from slotwright.domain.pools import Pool
from slotwright.domain.quotas import Amounts
from slotwright.domain.states import OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.base import NewCluster
from tests.contract import databases
from tests.contract.storage_case import PROJECT, StoreCase, new_id

CREATES = 20
ROOM = 10
EVER = datetime.datetime(2000, 1, 1)
RAM = 2048  # MiB of flavor 2


def pool(name, weight=100, **options):
    return Pool(name, 'local://', weight, options=options)


class Contract:
    def make(self, members, pools, project_id=PROJECT, locality=None, quota=None):
        return self.store.create_cluster(
            NewCluster(new_id(), project_id, 'c', 'redis', '3.0', 'secret', locality=locality),
            self.new_members(members),
            self.new_operation(OperationKind.CREATE),
            quota=quota,
            placement=Placement(pools, locality=locality),
        )

    def filled(self):
        rows = self.everything()['instances']
        return Counter(row.pool for row in rows if row.status != 'DELETED')

    def test_an_instance_keeps_what_its_pool_was(self):
        options = {'instances': 3, 'failure_domain': 'rack 1'}
        made = self.make(2, [Pool('p', 'inventory://blue', 1, options=options)])
        for member in self.store.get_cluster(PROJECT, made.id).instances:
            self.assertEqual('p', member.pool)
            self.assertEqual('inventory://blue', member.pool_uri)
            self.assertEqual(options, member.pool_options)
            self.assertEqual('rack 1', member.failure_domain)
        plain = self.create(1).instances[0]
        self.assertEqual(
            (None, None, {}, None),
            (plain.pool, plain.pool_uri, plain.pool_options, plain.failure_domain),
        )

    def test_no_room_and_nothing_is_stored(self):
        pools = [pool('a', instances=2), pool('b', ram=RAM), pool('c', weight=0)]
        with self.assert_unchanged(), self.assertRaises(NoRoom):
            self.make(4, pools)
        self.make(3, pools)
        with self.assert_unchanged(), self.assertRaises(NoRoom) as caught:
            self.make(1, pools)
        self.assertIn('a: has 2 of 2 instances; b: has 2048 of 2048 MiB', str(caught.exception))

    def test_a_grow_is_placed_beside_its_members(self):
        pools = [pool('a', failure_domain='x'), pool('b', failure_domain='y')]
        placement = Placement([*pools, pool('c', failure_domain='z')], locality=ANTI_AFFINITY)
        made = self.make(2, pools, locality=ANTI_AFFINITY)
        self.finish(self.claim(made))
        grow = {'members': self.new_members(1), 'placement': placement}
        grown = self.begin(made, OperationKind.GROW, **grow)
        self.assertEqual(['x', 'y', 'z'], sorted(i.failure_domain for i in grown.instances))
        self.finish(self.claim(grown))
        with self.assert_unchanged(), self.assertRaises(NoRoom):
            self.begin(made, OperationKind.GROW, **{**grow, 'members': self.new_members(1)})

    def test_failed_and_deleted_members_give_their_room_back(self):
        pools = [pool('a', instances=2)]
        failed = self.make(2, pools)
        self.assertRaises(NoRoom, self.make, 1, pools)
        claim = self.claim(failed)
        for member in failed.instances:
            self.store.free_instance(claim, member.id, 'no address')
        self.finish(claim, OperationState.FAILED)
        made = self.make(2, pools)
        self.assertRaises(NoRoom, self.make, 1, pools)
        claim = self.claim(made)
        for port, member in enumerate(made.instances, 6000):
            self.store.place_instance(claim, member.id, 'h', Address('10.0.0.1', port, port + 9))
        self.finish(claim)
        gone = made.instances[0].id
        claim = self.claim(self.begin(made, OperationKind.SHRINK, gone))
        self.assertRaises(NoRoom, self.make, 1, pools)
        self.store.drop_instance(claim, gone, tombstone=True)
        self.finish(claim)
        self.assertRaises(NoRoom, self.make, 1, pools)
        self.store.report(gone, running=False, node_id=None, volume_used=None, wiped=True)
        self.make(1, pools)
        self.assertRaises(NoRoom, self.make, 1, pools)
        self.finish(self.claim(self.begin(made, OperationKind.DELETE)), delete_cluster=True)
        kept = made.instances[1].id
        self.assertRaises(NoRoom, self.make, 1, pools)
        self.store.report(kept, running=False, node_id=None, volume_used=None, wiped=True)
        self.make(1, pools)

    def test_of_twenty_creates_ten_find_room(self):
        """Each on its own connection, half of them counted against a quota too."""
        pools = [pool('a', instances=ROOM // 2), pool('b', ram=ROOM // 2 * RAM)]
        barrier = threading.Barrier(CREATES)

        def take(number):
            barrier.wait()
            quota = Amounts(CREATES, -1, -1) if number % 2 else None
            try:
                self.make(1, pools, f'p{number % 3}', quota=quota)
            except NoRoom:
                return 0
            return 1

        with concurrent.futures.ThreadPoolExecutor(CREATES) as threads:
            taken = sum(threads.map(take, range(CREATES)))
        self.assertEqual(ROOM, taken)
        self.assertEqual({'a': ROOM // 2, 'b': ROOM // 2}, self.filled())
        full = Used(ROOM // 2, ROOM // 2 * RAM)
        self.assertEqual({'a': full, 'b': full}, self.store.take_census(EVER).pools)
        self.assertEqual(ROOM, len(self.everything()['clusters']))

    def test_one_count_serves_many_pools(self):
        pools = [pool(f'p{n}', instances=1) for n in range(200)]
        with self.count_queries() as few:
            self.make(3, [*pools[:2], pool('any')])
        with self.count_queries() as many:
            self.make(3, pools)
        self.assertEqual(len(few), len(many))


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
