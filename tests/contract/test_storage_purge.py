"""Rows of what was deleted go after a while, and nothing that is there notices, everywhere."""

import datetime
import threading

import sqlalchemy as sa

from slotwright.domain.backup_model import ActionReport, Backup, JobAction
from slotwright.domain.errors import NotFound
from slotwright.domain.hosts import Announcement
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy import purge
from slotwright.storage.sqlalchemy.tables import metadata
from tests.contract import databases
from tests.contract.backup_case import FILES, PROJECT, BackupCase, changing
from tests.contract.storage_case import new_id

KEEP = datetime.timedelta(days=90)
#: Seconds of the real clock, 100 days on.
LATER = 100 * 86400.0


class PurgeCase(BackupCase):
    def setUp(self):
        super().setUp()
        real = self.store.database.read(
            lambda conn: conn.execute(sa.select(self.store.clock.seconds())).scalar_one()
        )
        self.later = self.connect(now=lambda: real + LATER)

    def purge(self):
        """What went 100 days later, by table."""
        gone = {}
        for table, count in self.later.purge_deleted(KEEP):
            gone[table] = gone.get(table, 0) + count
        return gone

    def row_counts(self):
        return {name: len(rows) for name, rows in self.everything().items() if rows}

    def forget_events(self):
        found = self.store.take_events('me', 60, 1000)
        if found:
            self.store.mark_handed_on('me', found[-1].position)
        self.store.forget_events(datetime.datetime(2100, 1, 1), 1000)


class ClusterContract:
    def delete_cluster(self, cluster):
        deletion = self.claim(self.begin(cluster, OperationKind.DELETE))
        for member in cluster.instances:
            self.store.drop_instance(deletion, member.id, tombstone=False)
        self.finish(deletion, delete_cluster=True)

    def test_a_cluster_goes_with_all_that_it_had(self):
        kept = self.create_ready()
        before = self.row_counts()
        cluster = self.create()
        claim = self.claim(cluster)
        self.store.place_instance(
            claim, cluster.instances[0].id, 'here', Address('127.0.0.1', 6379, 16379)
        )
        self.finish(claim, statuses={i.id: InstanceStatus.ACTIVE for i in cluster.instances})
        self.delete_cluster(cluster)
        self.assertEqual([], list(self.store.purge_deleted(KEEP)))  # not yet
        with self.subTest('events name it'):
            self.assertEqual({'instances': 3}, self.purge())
            self.assertNotEqual([], self.store.list_cluster_events(PROJECT, cluster.id, 0, 100))
        self.forget_events()
        del before['events']
        self.assertEqual({'operations': 2, 'released_addresses': 1, 'clusters': 1}, self.purge())
        self.assertEqual(before, self.row_counts())
        self.assertEqual({}, self.purge())
        self.assertRaises(NotFound, self.store.last_seq, PROJECT, cluster.id)
        self.assertEqual(kept, self.store.get_cluster(PROJECT, kept.id))

    def test_a_tombstone_keeps_its_address_and_its_cluster(self):
        cluster = self.create()
        claim = self.claim(cluster)
        member = cluster.instances[0].id
        address = Address('127.0.0.1', 6379, 16379)
        self.store.place_instance(claim, member, 'here', address)
        self.finish(claim)
        self.finish(self.claim(self.begin(cluster, OperationKind.DELETE)), delete_cluster=True)
        self.forget_events()
        self.assertEqual({'instances': 2}, self.purge())
        self.assertTrue(self.row('instances', member)['tombstone'])
        self.assertIsNone(self.store.assigned_cluster(member))  # so its agent wipes itself
        said = {'running': False, 'node_id': None, 'volume_used': None}
        self.store.report(member, wiped=True, **said)
        self.assertEqual(
            {'operations': 2, 'released_addresses': 1, 'instances': 1, 'clusters': 1}, self.purge()
        )

    def test_members_that_left_a_cluster(self):
        cluster = self.create_ready()
        leaver, stays = cluster.instances[0].id, cluster.instances[1].id
        shrinking = self.begin(cluster, OperationKind.SHRINK, leaver)
        claim = self.claim(shrinking)
        self.store.drop_instance(claim, leaver, tombstone=False)
        self.assertEqual({}, self.purge())  # its operation is not done
        self.finish(claim)
        host = new_id()
        announced = {'group': 'g', 'machine': 'm', 'ram': 1, 'holds': leaver}
        self.store.announce(Announcement(host, address=Address('10.0.0.1', 1, 2), **announced), 20)
        self.assertEqual({}, self.purge())  # its files are still there
        announced['holds'] = ''
        self.store.announce(Announcement(host, address=Address('10.0.0.1', 1, 2), **announced), 20)
        self.assertEqual({'instances': 1}, self.purge())
        grown = self.begin(cluster, OperationKind.GROW, members=self.new_members(1))
        self.assertIn(stays, [i.id for i in grown.instances])
        self.assertEqual(4, max(i.ordinal for i in grown.instances))

    def test_what_failed_is_not_deleted(self):
        cluster = self.create()
        self.finish(self.claim(cluster), OperationState.FAILED)
        self.forget_events()
        self.assertEqual({}, self.purge())


class BackupContract:
    def report(self, action, job=None):
        made = ActionReport(self.new_name('r'), PROJECT, action, job, 'success', 1.5, 1)
        self.backup.reports.create(made)
        return made

    def shown(self):
        """All that anybody can ask for."""
        jobs = self.jobs.list(PROJECT, limit=1000)
        actions = self.actions.list(PROJECT, limit=1000)
        return [
            self.clients.list(PROJECT, limit=1000),
            jobs,
            actions,
            self.sessions.list(PROJECT, limit=1000),
            self.backups.list(PROJECT, limit=1000),
            [self.backup.reports.list_of_job(PROJECT, job.id) for job in jobs],
            [self.backup.reports.list_of_action(PROJECT, action.id) for action in actions],
        ]

    def test_all_that_is_deleted_goes(self):
        before = self.row_counts()
        self.add_client('db')
        job = self.add_job(client_id='db')
        self.add_session(job)
        action = self.add_action()
        self.report(job.actions[0].action_id, job.id)
        self.report(action.id)
        self.backups.create(
            Backup('b', PROJECT, 'u', {'client_id': 'db', 'job_id': job.id, 'container': 'c'})
        )
        for things, name in (
            (self.actions, action.id),
            (self.sessions, self.sessions.list(PROJECT)[0].id),
            (self.jobs, job.id),
            (self.backups, 'b'),
            (self.clients, 'db'),
        ):
            things.delete(PROJECT, name)
        self.assertEqual([], list(self.store.purge_deleted(KEEP)))  # not yet
        self.assertEqual(
            {
                'action_reports': 2, 'action_attachments': 1, 'job_attachments': 1, 'backups': 1,
                'jobs': 1, 'actions': 2, 'sessions': 1, 'clients': 1,
            },
            self.purge(),
        )  # fmt: skip
        self.assertEqual(before, self.row_counts())

    def test_what_is_there_keeps_what_it_refers_to(self):
        self.add_client('db')
        action = self.add_action()
        on_gone_client = self.add_job(client_id='db')
        changed, gone = self.add_job(), self.add_job(JobAction(action.id))
        self.add_session(on_gone_client)
        self.report(changed.actions[0].action_id, changed.id)
        self.report(action.id, gone.id)
        self.backups.create(Backup('b', PROJECT, 'u', {'client_id': 'web', 'job_id': gone.id}))
        self.clients.delete(PROJECT, 'db')
        self.jobs.delete(PROJECT, gone.id)
        other = JobAction(freezer_action={**FILES, 'mode': 'nova'})
        self.jobs.write(PROJECT, changed.id, changing(actions=(other,)))
        shown = self.shown()
        # Reports have an action and a job; the attachment between them may go.
        self.assertEqual({'action_attachments': 1, 'job_attachments': 1}, self.purge())
        self.assertEqual(shown, self.shown())
        self.add_client('db')  # and takes its jobs over
        self.assertEqual({'clients': 1}, self.purge())
        self.actions.delete(PROJECT, action.id)
        self.assertEqual({'action_reports': 1, 'actions': 1}, self.purge())  # a backup has the job
        self.backups.delete(PROJECT, 'b')
        self.assertEqual({'backups': 1, 'jobs': 1}, self.purge())
        self.assertEqual({}, self.purge())

    def test_many_go_in_batches_past_those_that_stay(self):
        self.patch_batch(3)
        action = self.add_action()
        jobs = [self.add_job(JobAction(action.id)) for _ in range(12)]
        for number, job in enumerate(jobs):
            if number % 2:
                self.report(action.id, job.id)
            self.jobs.delete(PROJECT, job.id)
        steps = self.later.purge_deleted(KEEP)
        self.assertEqual(('action_attachments', 3), next(steps))
        steps.close()  # somebody ends it here
        self.assertEqual(9, self.count(metadata.tables['action_attachments']))
        self.assertEqual({'action_attachments': 9, 'job_attachments': 12, 'jobs': 6}, self.purge())

    def patch_batch(self, size):
        before = purge.BATCH
        purge.BATCH = size
        self.addCleanup(setattr, purge, 'BATCH', before)

    def test_while_others_are_at_work(self):
        """Two purges, of what was deleted just now, beside a third who makes and deletes."""
        self.patch_batch(2)
        now = [self.connect() for _ in range(2)]
        done = threading.Event()
        gone = []

        def purge_all(store):
            while not done.is_set():
                gone.extend(store.purge_deleted(datetime.timedelta(0)))

        threads = [threading.Thread(target=purge_all, args=(store,)) for store in now]
        for thread in threads:
            thread.start()
        try:
            for n in range(12):
                job = self.add_job()
                self.add_session(job)
                report = self.report(job.actions[0].action_id, job.id)
                self.assertEqual([report], self.backup.reports.list_of_job(PROJECT, job.id))
                self.jobs.write(PROJECT, job.id, changing(description=str(n)))
                self.jobs.delete(PROJECT, job.id)
                self.create(1)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        gone.extend(now[0].purge_deleted(datetime.timedelta(0)))
        self.assertEqual(12, sum(count for table, count in gone if table == 'jobs'))
        self.assertEqual(0, self.count_all('action_reports'))
        self.assertEqual(12, len(self.sessions.list(PROJECT, limit=100)))

    def count_all(self, table):
        return self.row_counts().get(table, 0)


class SQLiteTest(ClusterContract, BackupContract, PurgeCase):
    backend = databases.SQLite()


class MariaDBTest(ClusterContract, BackupContract, PurgeCase):
    backend = databases.MariaDB()


class PostgreSQLTest(ClusterContract, BackupContract, PurgeCase):
    backend = databases.PostgreSQL()
