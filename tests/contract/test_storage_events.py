"""Every change is told once, in order, and handed on until it is known to be; on every database."""

import concurrent.futures
import contextlib
import datetime
import itertools
import threading

import sqlalchemy as sa

from slotwright.domain.errors import ClusterBusy, NotFound
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from tests.contract import databases, pool_news
from tests.contract.storage_case import LEASE, PROJECT, Hands, StoreCase

ALL = 9999
WRITERS = 6


class Contract:
    def told(self, cluster, after=0):
        return self.store.list_cluster_events(PROJECT, cluster.id, after, ALL)

    def kinds(self, cluster, after=0):
        return [str(event.kind) for event in self.told(cluster, after)]

    def report(self, instance, **said):
        usual = {'running': True, 'node_id': 'n', 'volume_used': 0.1, 'wiped': False}
        self.store.report(instance.id, **{**usual, **said})

    def test_the_life_of_a_cluster(self):
        cluster = self.create(2)
        first, second = cluster.instances
        claim = self.claim(cluster)
        self.store.place_instance(claim, first.id, 'h', Address('10.0.0.1', 1, 2))
        self.store.place_instance(claim, first.id, 'h', Address('10.0.0.1', 1, 2))  # no news
        self.store.update_operation(claim, done=1, total=4, message='AddSlots 2')
        self.store.update_operation(claim, detail={'layout': []})  # for taskmanagers only
        self.store.set_node_ids(claim, {first.id: 'a' * 40})
        self.store.set_node_ids(claim, {first.id: 'a' * 40})
        self.store.free_instance(claim, second.id, 'no address')
        self.store.update_operation(claim, state=OperationState.REVERTING, reason='why')
        self.finish(
            claim,
            OperationState.FAILED,
            statuses={first.id: InstanceStatus.ACTIVE, second.id: InstanceStatus.ERROR},
            faults={second.id: 'no address'},
        )
        self.assertEqual(
            [
                'cluster.created', 'operation.accepted', 'instance.created', 'instance.created',
                'operation.changed', 'instance.placed', 'operation.changed', 'instance.changed',
                'instance.changed', 'operation.changed', 'operation.failed', 'instance.changed',
                'cluster.changed',
            ],
            self.kinds(cluster),
        )  # fmt: skip
        told = self.told(cluster)
        self.assertEqual([*range(1, len(told) + 1)], [event.seq for event in told])
        self.assertEqual({'req-1'}, {event.request_id for event in told})
        self.assertEqual({cluster.operation.id}, {event.operation_id for event in told})
        self.assertEqual(
            (first.id, '10.0.0.1:1@2'), (told[5].instance_id, told[5].state['address'])
        )
        self.assertEqual('Operation create is running (1/4): AddSlots 2.', told[6].message)
        self.assertEqual('Operation create has failed: why.', told[10].message)
        self.assertEqual((first.id, 'ACTIVE'), (told[11].instance_id, told[11].state['status']))
        self.assertEqual('Cluster c is idle.', told[12].message)

    def test_the_end_of_a_cluster(self):
        cluster = self.create_ready(3)
        before = len(self.told(cluster))
        gone, left, _ = cluster.instances
        claim = self.claim(self.begin(cluster, OperationKind.SHRINK, gone.id))
        for _ in range(2):
            self.store.drop_instance(claim, gone.id, tombstone=False)
        self.finish(claim, statuses={left.id: InstanceStatus.ACTIVE})
        self.assertEqual(
            [
                'cluster.changed', 'operation.accepted', 'instance.changed', 'operation.changed',
                'instance.deleted', 'operation.completed', 'cluster.changed',
            ],
            self.kinds(cluster, before),
        )  # fmt: skip
        before = len(self.told(cluster))
        claim = self.claim(self.begin(cluster, OperationKind.DELETE))
        self.finish(claim, delete_cluster=True)
        self.assertEqual(
            [
                'cluster.changed', 'operation.accepted', *['instance.changed'] * 2,
                'operation.changed', 'operation.completed', *['instance.deleted'] * 2,
                'cluster.deleted',
            ],
            self.kinds(cluster, before),
        )  # fmt: skip
        self.assertRaises(NotFound, self.store.list_cluster_events, 'other', cluster.id, 0, 9)

    def test_a_place_that_is_lost_is_told(self):
        cluster = self.create(1)
        (member,) = cluster.instances
        claim = self.claim(cluster)
        self.store.place_instance(claim, member.id, 'h', Address('10.0.0.1', 1, 2))
        error = {member.id: InstanceStatus.ERROR}
        self.finish(claim, OperationState.FAILED, statuses=error, faults={member.id: 'broken'})
        claim = self.claim(self.begin(cluster, OperationKind.GROW))
        before = len(self.told(cluster))
        for _ in range(2):
            self.store.free_instance(claim, member.id, 'broken')
        (told,) = self.told(cluster, before)
        self.assertIsNone(told.state['address'])

    def test_one_that_is_given_up_is_told_to_have_failed(self):
        cluster = self.create(1)
        before = len(self.told(cluster))
        self.begin(cluster, OperationKind.DELETE, supersedes=set(OperationKind))
        failed, *_ = self.told(cluster, before)
        self.assertEqual('operation.failed', failed.kind)
        self.assertEqual(cluster.operation.id, failed.operation_id)

    def test_what_is_refused_is_not_told(self):
        busy = self.create(1)
        with self.assert_unchanged():
            grow = {'members': self.new_members(1)}
            self.assertRaises(ClusterBusy, self.begin, busy, OperationKind.GROW, **grow)

    def test_a_heartbeat_is_no_news_but_what_it_says_may_be(self):
        cluster = self.create_ready(1)
        member = cluster.instances[0]
        before = len(self.told(cluster))
        for _ in range(3):
            self.report(member)
        self.report(member, volume_used=0.2)
        self.assertEqual(['instance.changed'], self.kinds(cluster, before))
        self.report(member, running=False)
        self.report(member, running=False, fault='broken')
        self.report(member, running=True)
        self.report(member, running=True, node_id='another')  # is not taken
        changes = self.told(cluster, before + 1)
        self.assertEqual([False, False, True], [event.state['running'] for event in changes])
        self.assertEqual(
            'Instance c-member-1 is ACTIVE, but its server is down.', changes[0].message
        )
        self.assertEqual('Instance c-member-1 is ACTIVE: broken.', changes[1].message)

    def test_they_are_handed_on_until_that_is_marked(self):
        self.assertEqual([], self.store.take_events('me', LEASE, ALL))
        one, other = self.create(1), self.create(1, 'another')
        first = self.store.take_events('me', LEASE, 5)
        self.assertEqual([1, 2, 3, 4, 5], [event.position for event in first])
        self.assertIsNone(self.store.take_events('you', LEASE, ALL))
        self.assertFalse(self.store.mark_handed_on('you', 5))
        self.assertEqual(first, self.store.take_events('me', LEASE, 5))
        self.assertTrue(self.store.mark_handed_on('me', 4))
        rest = self.store.take_events('me', LEASE, ALL)
        self.assertEqual([5, 6], [event.position for event in rest])
        self.assertTrue(self.store.mark_handed_on('me', 6))
        self.assertTrue(self.store.mark_handed_on('me', 2))  # late, and of no effect
        self.assertEqual([], self.store.take_events('me', LEASE, ALL))
        self.assertEqual(6, self.store.last_position())
        everything = self.store.list_events(None, 0, ALL)
        self.assertEqual([1, 2, 3, 4, 5, 6], [event.position for event in everything])
        mine = self.store.list_events(PROJECT, 0, ALL)
        self.assertEqual({one.id}, {event.cluster_id for event in mine})
        self.assertEqual(mine[1:], self.store.list_events(PROJECT, mine[0].position, ALL))
        self.assertEqual(mine[:1], self.store.list_events(PROJECT, 0, 1))
        self.assertEqual(3, len(self.store.list_events(other.project_id, 0, ALL)))

    def test_another_takes_over_when_the_lease_is_over(self):
        clock = Hands()
        store = self.connect(clock)
        self.create(1)
        taken = store.take_events('me', 10, ALL)
        clock.now += 9
        self.assertIsNone(store.take_events('you', 10, ALL))
        clock.now += 2
        self.assertEqual(taken, store.take_events('you', 10, ALL))
        self.assertFalse(store.mark_handed_on('me', 3))
        self.assertTrue(store.mark_handed_on('you', 3))

    def test_old_ones_are_forgotten_once_handed_on(self):
        cluster = self.create(1)
        far = datetime.datetime(2999, 1, 1)
        self.assertEqual(0, self.store.forget_events(far, ALL))
        self.store.take_events('me', LEASE, ALL)
        self.store.mark_handed_on('me', 2)
        self.assertEqual(0, self.store.forget_events(datetime.datetime(2000, 1, 1), ALL))
        self.assertEqual(1, self.store.forget_events(far, 1))
        self.assertEqual(1, self.store.forget_events(far, ALL))
        self.assertEqual([3], [event.seq for event in self.told(cluster)])
        self.store.mark_handed_on('me', 3)
        self.store.forget_events(far, ALL)
        self.assertEqual([], self.told(cluster))
        self.assertEqual(3, self.store.last_seq(PROJECT, cluster.id))
        self.assertRaises(NotFound, self.store.last_seq, 'other', cluster.id)
        self.claim(cluster)
        self.assertEqual([4], [event.seq for event in self.told(cluster)])

    def test_pools_and_flavors_are_told_of_too(self):
        store = SQLAlchemyPoolStore(self.store.database)
        pool_news.change(store)
        told = self.store.take_events('me', LEASE, ALL)
        self.assertEqual({(None, None, 0)}, {(e.project_id, e.cluster_id, e.seq) for e in told})
        self.assertEqual(pool_news.TOLD, [event.message for event in told])
        self.assertEqual({'ram': 9}, told[0].state['options'])
        self.assertEqual({'ram': 64}, told[6].state['capabilities'])
        self.assertEqual([], list(self.store.list_events(PROJECT, 0, ALL)))

    def test_no_order_is_lost_among_many_writers(self):
        """Some write in one cluster each, all report into one more, and two relays take turns."""
        shared = self.create_ready(WRITERS)
        done = threading.Event()
        handed_on = {'a': [], 'b': []}

        def write(number):
            cluster = self.create(1)
            claim = self.claim(cluster)
            for step in range(8):
                self.store.update_operation(claim, done=step, total=8)
                self.report(shared.instances[number], running=bool(step % 2))
            self.finish(claim)
            return cluster

        def relay(name):
            while not done.is_set():
                for event in self.store.take_events(name, 0.0, 7) or ():
                    handed_on[name].append(event)
                    self.store.mark_handed_on(name, event.position)

        with concurrent.futures.ThreadPoolExecutor(WRITERS + 2) as pool:
            relays = [pool.submit(relay, name) for name in handed_on]
            made = list(pool.map(write, range(WRITERS)))
            done.set()
            for running in relays:
                running.result()
        while events := self.store.take_events('a', LEASE, ALL):
            handed_on['a'] += events
            self.store.mark_handed_on('a', events[-1].position)
        everything = self.store.list_events(None, 0, ALL)
        self.assertEqual([*range(1, len(everything) + 1)], [e.position for e in everything])
        taken = {event.position for event in itertools.chain(*handed_on.values())}
        self.assertEqual({event.position for event in everything}, taken)
        for cluster in (shared, *made):
            by_position = [e.seq for e in everything if e.cluster_id == cluster.id]
            self.assertEqual([*range(1, len(by_position) + 1)], by_position)
            self.assertEqual(by_position, [event.seq for event in self.told(cluster)])


class Overtaken(Contract):
    """Where a transaction may be overtaken by another one."""

    def test_reports_that_overtake_each_other_are_all_told(self):
        """Two taskmanagers take two of one agent: the news comes amid what was none."""
        cluster = self.create_ready(2)
        for member, news in zip(
            cluster.instances, ({'running': False}, {'fault': 'broken'}), strict=True
        ):
            self.report(member)
            before = len(self.told(cluster))
            with self.amid('UPDATE instances', lambda m=member, n=news: self.report(m, **n)):
                self.report(member)
            changed = [event.state for event in self.told(cluster, before)]
            well = [state['running'] and not state['fault'] for state in changed]
            self.assertEqual([False, True], well)

    def test_what_two_reports_say_is_told_once(self):
        cluster = self.create_ready(1)
        (member,) = cluster.instances
        self.report(member)
        before = len(self.told(cluster))
        with self.amid('SELECT clusters.id', lambda: self.report(member, running=False)):
            self.report(member, running=False)
        self.assertEqual(['instance.changed'], self.kinds(cluster, before))

    @contextlib.contextmanager
    def amid(self, start, function):
        """Call a function, in another transaction, before the first statement that starts so."""
        waiting = [function]

        def look(conn, cursor, statement, *rest):
            if waiting and statement.startswith(start):
                waiting.pop()()

        engine = self.store.database.engine
        sa.event.listen(engine, 'before_cursor_execute', look)
        try:
            yield
        finally:
            sa.event.remove(engine, 'before_cursor_execute', look)
        self.assertEqual([], waiting)


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Overtaken, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Overtaken, StoreCase):
    backend = databases.PostgreSQL()
