"""The contract of ``slotwright.storage.base.WorkStore``: claims, fence, operations."""

import time

import sqlalchemy as sa

from slotwright.domain import states
from slotwright.domain.errors import LeaseLost
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy import clock
from tests.contract import databases
from tests.contract.storage_case import LEASE, PROJECT, Hands, StoreCase, new_id

RUNNING, REVERTING = OperationState.RUNNING, OperationState.REVERTING
COMPLETED, FAILED = OperationState.COMPLETED, OperationState.FAILED


class ClaimContract:
    def test_a_claim_runs_the_operation_and_raises_the_epoch(self):
        cluster = self.create()
        claim = self.claim(cluster, 'me')
        self.assertEqual(
            (cluster.operation.id, cluster.id, 'me', 1),
            (claim.operation_id, claim.cluster_id, claim.owner, claim.epoch),
        )
        loaded = self.store.load(claim)
        self.assertEqual((1, RUNNING), (loaded.epoch, loaded.operation.state))
        self.assertEqual(self.store.get_cluster(PROJECT, cluster.id), loaded)

    def test_who_holds_an_operation_keeps_others_out(self):
        cluster = self.create()
        self.claim(cluster)
        with self.assert_unchanged():
            self.assertIsNone(self.store.claim(cluster.operation.id, 'other', LEASE))

    def test_unknown_and_finished_operations_are_not_claimed(self):
        cluster = self.create_ready()
        for operation_id in ('x', cluster.operation.id):
            with self.assert_unchanged():
                self.assertIsNone(self.store.claim(operation_id, 'me', LEASE))

    def test_claimable_are_the_unfinished_that_nobody_holds_oldest_first(self):
        made = [self.create(1) for _ in range(5)]
        ids = [c.operation.id for c in made]
        self.assertEqual(ids, list(self.store.list_claimable(10)))
        self.assertEqual(ids[:2], list(self.store.list_claimable(2)))
        self.claim(made[0])
        self.finish(self.claim(made[1]))
        self.finish(self.claim(made[2]), FAILED)
        self.store.release(self.claim(made[3]))
        self.assertEqual(ids[3:], list(self.store.list_claimable(10)))

    def test_an_expired_lease_is_free_to_claim(self):
        cluster = self.create()
        operation_id = cluster.operation.id
        old = self.store.claim(operation_id, 'old', 0.0)
        self.assertEqual([operation_id], list(self.store.list_claimable(10)))
        new = self.store.claim(operation_id, 'new', LEASE)
        self.assertEqual((1, 2), (old.epoch, new.epoch))
        self.assertEqual([], list(self.store.list_claimable(10)))
        with self.assertRaises(LeaseLost):
            self.store.load(old)

    def test_a_lease_ends_on_the_second(self):
        hands = Hands()
        store = self.connect(hands)
        operation_id = self.create().operation.id
        store.claim(operation_id, 'old', 10.0)
        hands.now += 9.999
        self.assertIsNone(store.claim(operation_id, 'new', 10.0))
        self.assertEqual([], list(store.list_claimable(10)))
        hands.now += 0.001
        self.assertEqual([operation_id], list(store.list_claimable(10)))
        self.assertIsNotNone(store.claim(operation_id, 'new', 10.0))

    def test_release_gives_back_at_once_and_ends_the_claim(self):
        cluster = self.create()
        claim = self.claim(cluster)
        self.store.update_operation(claim, state=REVERTING)
        self.store.release(claim)
        with self.assertRaises(LeaseLost):
            self.store.release(claim)
        self.assertEqual([], list(self.store.renew([claim], LEASE)))
        again = self.claim(cluster, 'other')
        self.assertGreater(again.epoch, claim.epoch)
        self.assertEqual(REVERTING, self.store.load(again).operation.state)


class RenewContract:
    def spent(self, cluster):
        return self.store.get_operation(PROJECT, cluster.operation.id).spent

    def test_spent_is_the_time_under_lease(self):
        hands = Hands()
        store = self.connect(hands)
        cluster = self.create()
        claim = store.claim(cluster.operation.id, 'me', 10.0)
        for step, spent in ((4.0, 4.0), (10.0, 14.0), (0.0, 14.0)):
            hands.now += step
            self.assertEqual([claim], list(store.renew([claim], 10.0)))
            self.assertEqual(spent, self.spent(cluster))
        hands.now += 9.0
        self.assertIsNone(store.claim(cluster.operation.id, 'other', 10.0))

    def test_a_lease_run_out_is_renewed_but_the_gap_is_not_spent(self):
        hands = Hands()
        store = self.connect(hands)
        cluster = self.create()
        claim = store.claim(cluster.operation.id, 'me', 10.0)
        hands.now += 1000.0
        self.assertEqual([claim], list(store.renew([claim], 10.0)))
        self.assertEqual(10.0, self.spent(cluster))
        self.assertIsNone(store.claim(cluster.operation.id, 'other', 10.0))

    def test_a_clock_put_back_takes_nothing_off(self):
        hands = Hands()
        store = self.connect(hands)
        cluster = self.create()
        claim = store.claim(cluster.operation.id, 'me', 10.0)
        hands.now -= 3600.0
        self.assertEqual([claim], list(store.renew([claim], 10.0)))
        self.assertEqual(0.0, self.spent(cluster))

    def test_a_lease_that_ended_unrenewed_is_spent_but_not_the_time_after(self):
        hands = Hands()
        store = self.connect(hands)
        cluster = self.create()
        store.claim(cluster.operation.id, 'killed', 10.0)
        hands.now += 1000.0
        claim = store.claim(cluster.operation.id, 'next', 10.0)
        self.assertEqual(10.0, self.spent(cluster))
        hands.now += 2.0
        store.release(claim)
        hands.now += 500.0
        claim = store.claim(cluster.operation.id, 'next', 10.0)
        self.assertEqual(12.0, self.spent(cluster))
        hands.now += 1.5
        store.finish(claim, COMPLETED)
        self.assertEqual(13.5, self.spent(cluster))

    def test_reset_spent_begins_to_count_anew(self):
        hands = Hands()
        store = self.connect(hands)
        cluster = self.create()
        claim = store.claim(cluster.operation.id, 'me', 10.0)
        hands.now += 5.0
        store.update_operation(claim, reset_spent=True)
        self.assertEqual(0.0, self.spent(cluster))
        hands.now += 1.0
        store.renew([claim], 10.0)
        self.assertEqual(1.0, self.spent(cluster))

    def test_renew_answers_the_claims_that_hold_in_their_order(self):
        made = [self.create(1) for _ in range(4)]
        claims = [self.store.claim(c.operation.id, 'me', 0.0) for c in made]
        self.claim(made[1], 'other')
        self.finish(claims[2])
        self.assertEqual([claims[0], claims[3]], list(self.store.renew(claims, LEASE)))
        self.assertEqual([], list(self.store.renew([], LEASE)))


class FenceContract:
    def writes_of(self, claim, instance_id):
        address = Address('127.0.0.1', 7000, 17000)
        return {
            'release': lambda: self.store.release(claim),
            'load': lambda: self.store.load(claim),
            'update': lambda: self.store.update_operation(claim, done=9, detail={'x': 1}),
            'revert': lambda: self.store.update_operation(claim, state=REVERTING),
            'node_ids': lambda: self.store.set_node_ids(claim, {instance_id: 'f' * 40}),
            'place': lambda: self.store.place_instance(claim, instance_id, 'h', address),
            'drop': lambda: self.store.drop_instance(claim, instance_id, tombstone=False),
            'free': lambda: self.store.free_instance(claim, instance_id, 'broken'),
            'finish': lambda: self.store.finish(claim, FAILED, delete_cluster=True),
        }

    def assert_refused(self, claim, instance_id):
        for name, write in self.writes_of(claim, instance_id).items():
            with self.subTest(name), self.assert_unchanged(), self.assertRaises(LeaseLost):
                write()
        with self.assert_unchanged():
            self.assertEqual([], list(self.store.renew([claim], LEASE)))

    def test_after_a_new_claim_the_old_one_writes_nothing(self):
        cluster = self.create()
        old = self.store.claim(cluster.operation.id, 'same', 0.0)
        self.store.claim(cluster.operation.id, 'same', LEASE)
        self.assert_refused(old, cluster.instances[0].id)

    def test_after_release_the_claim_writes_nothing(self):
        cluster = self.create()
        claim = self.claim(cluster)
        self.store.release(claim)
        self.assert_refused(claim, cluster.instances[0].id)

    def test_a_terminal_operation_cannot_be_changed(self):
        for state in (COMPLETED, FAILED):
            cluster = self.create()
            claim = self.claim(cluster)
            self.finish(claim, state)
            self.assert_refused(claim, cluster.instances[0].id)

    def test_a_claim_of_an_earlier_operation_writes_nothing(self):
        cluster = self.create()
        claim = self.claim(cluster)
        self.finish(claim)
        self.begin(cluster, OperationKind.DELETE)
        self.assert_refused(claim, cluster.instances[0].id)

    def test_a_write_that_changes_nothing_is_no_lost_lease(self):
        cluster = self.create()
        store = self.connect(Hands())
        claim = store.claim(cluster.operation.id, 'me', LEASE)
        for _ in range(2):
            store.update_operation(claim, done=3)
            self.assertEqual([claim], list(store.renew([claim], LEASE)))


class UpdateContract:
    def test_update_changes_what_is_given_and_merges_detail(self):
        cluster = self.create(1)
        claim = self.claim(cluster)
        self.store.update_operation(claim, done=1, total=5, message='m', reason='r')
        self.store.update_operation(claim, detail={'layout': {'a': [1, 2]}, 'b': 'ü'})
        self.store.update_operation(claim, done=2, detail={'b': None})
        operation = self.store.load(claim).operation
        self.assertEqual(
            (2, 5, 'm', 'r', RUNNING),
            (
                operation.done,
                operation.total,
                operation.message,
                operation.reason,
                operation.state,
            ),
        )
        self.assertEqual(
            {'instances': [cluster.instances[0].id], 'layout': {'a': [1, 2]}, 'b': None},
            operation.detail,
        )

    def test_a_large_detail_survives(self):
        claim = self.claim(self.create(1))
        layout = {new_id(): [[n, n] for n in range(0, 16384, 2)]}
        self.store.update_operation(claim, detail={'layout': layout})
        self.assertEqual(layout, self.store.load(claim).operation.detail['layout'])

    def test_only_the_moves_of_the_table(self):
        claim = self.claim(self.create())
        for state in (OperationState.PENDING, COMPLETED, FAILED):
            with self.subTest(state), self.assert_unchanged(), self.assertRaises(ValueError):
                self.store.update_operation(claim, state=state, done=7)
        self.store.update_operation(claim, state=RUNNING)
        self.store.update_operation(claim, state=REVERTING)
        with self.assert_unchanged():
            for state in (OperationState.PENDING, RUNNING, COMPLETED, FAILED):
                with self.subTest(state), self.assertRaises(ValueError):
                    self.store.update_operation(claim, state=state, done=7)
            for state in (COMPLETED, RUNNING, REVERTING):
                with self.subTest(state), self.assertRaises(ValueError):
                    self.store.finish(claim, state)
        self.finish(claim, FAILED)

    def test_finish_ends_operation_task_and_lease(self):
        cluster = self.create(3)
        claim = self.claim(cluster)
        first, second, third = (i.id for i in cluster.instances)
        self.store.finish(
            claim,
            COMPLETED,
            reason='done',
            statuses={
                first: InstanceStatus.ACTIVE,
                second: InstanceStatus.ERROR,
                third: InstanceStatus.ACTIVE,
                new_id(): InstanceStatus.ACTIVE,
            },
        )
        after = self.store.get_cluster(PROJECT, cluster.id)
        self.assertEqual(states.NONE, after.task)
        self.assertEqual(['ACTIVE', 'ERROR', 'ACTIVE'], [i.status for i in after.instances])
        self.assertEqual((COMPLETED, 'done'), (after.operation.state, after.operation.reason))
        row = self.row('operations', claim.operation_id)
        self.assertEqual((None, None), (row['owner'], row['lease_until']))


class ClockContract:
    def test_the_database_counts_seconds_since_1970_in_any_time_zone(self):
        settings = {
            'mysql': "SET time_zone = '+05:30'",
            'postgresql': "SET LOCAL TIME ZONE 'Asia/Kolkata'",
        }

        def ask(conn):
            if conn.dialect.name in settings:
                conn.exec_driver_sql(settings[conn.dialect.name])
            return conn.execute(sa.select(clock.DbSeconds(), clock.DbUtc())).one()

        before = time.time()
        seconds, utc = self.store.database.read(ask)
        self.assertIsInstance(seconds, float)
        self.assertLess(abs(seconds - before), 60.0)
        self.assertNotEqual(0.0, seconds % 1 + self.store.database.read(ask)[0] % 1)
        self.assertLess(abs((utc - clock.EPOCH).total_seconds() - seconds), 1.0)

    def test_a_lease_keeps_its_milliseconds(self):
        hands = Hands()
        store = self.connect(hands)
        operation_id = self.create().operation.id
        store.claim(operation_id, 'me', 0.125)
        self.assertEqual(hands.now + 0.125, self.row('operations', operation_id)['lease_until'])


class Contract(ClaimContract, RenewContract, FenceContract, UpdateContract, ClockContract):
    pass


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
