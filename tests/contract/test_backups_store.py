"""Clients, actions, jobs, sessions and backups, on every database."""

from dataclasses import replace

import sqlalchemy as sa

from slotwright.domain import job_events, search, session_rounds
from slotwright.domain.backup_model import Backup, Job, JobAction, Session
from slotwright.domain.errors import Conflict, NotFound, Unprocessable
from slotwright.storage.sqlalchemy import backup_tables as tables
from tests.contract import databases
from tests.contract.backup_case import FILES, PROJECT, BackupCase, changing, scheduling


def found(*match, match_not=()):
    return search.parse({'match': list(match), 'match_not': list(match_not)})


class Contract:
    def test_clients(self):
        own = self.add_client('db', hostname='db.example', supported={'supported_modes': ('fs',)})
        self.add_client('db', 'other')
        self.assertEqual(own, self.clients.get(PROJECT, 'db'))
        self.assertEqual(['web', 'db'], [c.id for c in self.clients.list(PROJECT)])
        self.assertEqual(['db'], [c.id for c in self.clients.list(PROJECT, limit=5, offset=1)])
        self.assertRaises(Conflict, self.add_client, 'db')
        self.clients.delete(PROJECT, 'db')
        self.assertRaises(NotFound, self.clients.get, PROJECT, 'db')
        self.assertRaises(NotFound, self.clients.delete, PROJECT, 'db')
        self.assertEqual('other', self.clients.get('other', 'db').project_id)
        self.add_client('db')

    def test_central_clients_are_seen_by_all_and_deleted_by_their_owner(self):
        self.add_client('central', 'operators', is_central=True)
        job = self.add_job(client_id='central')
        self.assertEqual('central', job.client_id)
        self.assertEqual(['web', 'central'], [c.id for c in self.clients.list(PROJECT)])
        self.assertRaises(NotFound, self.clients.delete, PROJECT, 'central')
        self.clients.delete('operators', 'central')

    def test_an_action_is_stored_as_it_was_given(self):
        content = {**FILES, 'timeout': 3, 'log_file': '/l', 'storage': 'swift', 'deep': {'a': [1]}}
        action = self.add_action(**content)
        self.assertEqual(action, self.actions.get(PROJECT, action.id))
        written = self.actions.write(PROJECT, action.id, changing(max_retries=9))
        self.assertEqual(replace(action, max_retries=9, version=2), written)
        self.assertEqual([written], self.actions.list(PROJECT))
        self.assertRaises(NotFound, self.actions.get, 'other', action.id)

    def test_a_job_and_its_actions(self):
        action = self.add_action(mode='nova')
        job = self.add_job(
            JobAction(action.id, mandatory=True, max_retries=1),
            JobAction(freezer_action=FILES, max_retries_interval=60),
            schedule={'schedule_interval': '1 hour', 'time_created': 5, 'event': 'start'},
            description='Über alles',
        )
        one, two = job.actions
        self.assertEqual(JobAction(action.id, action.freezer_action, 1, 6, True), one)
        self.assertEqual(JobAction(two.action_id, FILES, 5, 60, False), two)
        self.assertEqual(
            {'schedule_interval': '1 hour', 'time_created': 5, 'event': 'start'}, job.schedule
        )
        self.assertEqual(
            ('Über alles', '', 0, 1),
            (job.description, job.session_id, job.session_tag, job.version),
        )
        self.assertEqual([job], self.jobs.list(PROJECT))
        self.assertEqual([], self.jobs.list('other'))
        self.assertEqual([job], self.jobs.list(None))
        self.assertRaises(NotFound, self.jobs.get, 'other', job.id)

    def test_a_change_leaves_everything_else(self):
        job = self.add_job(schedule={'schedule_hour': '3'}, description='kept')
        written = self.jobs.write(PROJECT, job.id, scheduling(status='running', current_pid=7))
        state = {'schedule_hour': '3', 'event': '', 'status': 'running', 'current_pid': 7}
        self.assertEqual(replace(job, schedule=state, version=2), written)
        moved = changing(project_id='other', user_id='x', id='y', description='')
        self.assertEqual(
            replace(job, schedule=state, description='', version=3),
            self.jobs.write(PROJECT, job.id, moved),
        )
        same = self.jobs.write(PROJECT, job.id, changing())
        self.assertEqual(3, same.version)

    def test_the_version_that_is_given_has_to_be_the_latest(self):
        job = self.add_job()
        self.jobs.write(PROJECT, job.id, changing(description='a'), version=1)
        with self.assert_unchanged():
            for version in (1, 3):
                self.assertRaises(
                    Conflict,
                    self.jobs.write, PROJECT, job.id, changing(description='b'), version,
                )  # fmt: skip
        self.assertEqual(2, self.jobs.get(PROJECT, job.id).version)

    def test_a_job_that_is_refused_leaves_nothing(self):
        picky = {'supported_modes': ('fs',), 'supported_engines': ('tar',)}
        self.add_client('picky', supported=picky)
        self.add_client('theirs', 'other')
        foreign = self.add_action('other')
        inline = JobAction(freezer_action=FILES)
        with self.assert_unchanged():
            for job in (
                Job('j', PROJECT, 'u', 'nobody', actions=(inline,)),
                Job('j', PROJECT, 'u', 'theirs', actions=(inline,)),
                Job('j', PROJECT, 'u', 'web', actions=(inline, JobAction('unknown'))),
                Job('j', PROJECT, 'u', 'web', actions=(inline, JobAction(foreign.id))),
                Job('j', PROJECT, 'u', 'picky',
                    actions=(inline, JobAction(freezer_action={**FILES, 'mode': 'nova'}))),
                Job('j', PROJECT, 'u', 'picky',
                    actions=(JobAction(freezer_action={**FILES, 'engine_name': 'rsync'}),)),
            ):  # fmt: skip
                self.assertRaises(Unprocessable, self.jobs.create, job)
                self.assertRaises(
                    Unprocessable, self.jobs.write, PROJECT, 'j', lambda _, job=job: job
                )
            self.assertRaises(
                Conflict, self.jobs.create, Job('j', PROJECT, 'u', 'web', session_id='s')
            )

    def test_actions_of_documents(self):
        """One that is the same is used again, one that differs is a new one; none is left over."""
        job = self.add_job()
        (part,) = job.actions
        other = {**FILES, 'container': 'c2'}
        for parts, same in (
            ((JobAction(freezer_action=FILES),), True),
            ((JobAction(part.action_id, FILES),), True),
            ((JobAction(part.action_id),), True),
            ((JobAction(part.action_id, other),), False),
        ):
            written = self.jobs.write(PROJECT, job.id, changing(actions=parts))
            self.assertEqual(same, written.actions[0].action_id == part.action_id)
            self.assertEqual(1, self.count(tables.actions))
        both = (JobAction('mine', FILES), JobAction('mine', FILES))
        written = self.jobs.write(PROJECT, job.id, changing(actions=both))
        self.assertEqual(['mine', 'mine'], [p.action_id for p in written.actions])
        self.jobs.delete(PROJECT, job.id)
        self.assertEqual(0, self.count(tables.actions))

    def test_an_action_of_two_jobs_stays_with_the_other(self):
        job = self.add_job()
        shared = job.actions[0].action_id
        again = self.add_job(JobAction(shared))
        registered = self.add_action()
        self.jobs.write(PROJECT, again.id,
                        changing(actions=(*again.actions, JobAction(registered.id))))  # fmt: skip
        self.jobs.delete(PROJECT, job.id)
        self.assertEqual(shared, self.actions.get(PROJECT, shared).id)
        self.jobs.delete(PROJECT, again.id)
        self.assertRaises(NotFound, self.actions.get, PROJECT, shared)
        self.assertEqual(registered, self.actions.get(PROJECT, registered.id))

    def test_an_action_that_is_deleted_leaves_its_jobs(self):
        action = self.add_action()
        job = self.add_job(JobAction(action.id), JobAction(freezer_action=FILES))
        self.assertRaises(NotFound, self.actions.delete, 'other', action.id)
        self.assertEqual(2, len(self.jobs.get(PROJECT, job.id).actions))
        self.actions.delete(PROJECT, action.id)
        self.assertEqual(job.actions[1:], self.jobs.get(PROJECT, job.id).actions)
        self.assertEqual([], self.jobs.list(PROJECT, found({'action_id': action.id})))

    def test_a_job_outlives_its_client(self):
        job = self.add_job()
        self.clients.delete(PROJECT, 'web')
        stopped = self.jobs.write(PROJECT, job.id, lambda old: job_events.request(old, 'stop')[0])
        self.assertEqual(('web', 'stop'), (stopped.client_id, stopped.schedule['event']))
        again = self.add_client('web')
        self.clients.delete(PROJECT, 'web')
        self.assertRaises(Unprocessable, self.add_job, client_id=again.id)

    def test_jobs_go_to_no_client_that_their_project_does_not_see(self):
        self.add_client('all', 'operators', is_central=True)
        self.add_job(client_id='all')
        self.clients.delete('operators', 'all')
        for project, central, owner in (
            ('operators', False, 'operators (gone)'),
            ('operators', True, 'operators'),
            (PROJECT, False, PROJECT),
        ):
            self.add_client('all', project, is_central=central)
            self.assertEqual(owner, self.owner_of_client())
            self.clients.delete(project, 'all')

    def owner_of_client(self):
        """The project of the client of the only job."""
        query = sa.select(tables.clients.c.project_id, tables.clients.c.deleted).join(
            tables.job_attachments, tables.job_attachments.c.client == tables.clients.c.seq
        )
        project, gone = self.store.database.read(lambda conn: conn.execute(query).one())
        return f'{project} (gone)' if gone else project

    def test_an_id_is_free_again(self):
        job = self.add_job()
        self.assertRaises(Conflict, self.jobs.create, job)
        self.jobs.delete(PROJECT, job.id)
        self.assertRaises(NotFound, self.jobs.delete, PROJECT, job.id)
        self.jobs.create(replace(job, actions=()))
        self.assertEqual(1, self.jobs.get(PROJECT, job.id).version)

    def test_a_blank_at_the_end_counts(self):
        """MySQL compares without it: ``'web '`` would be deleted as ``'web'``."""
        job = self.add_job()
        action_id = job.actions[0].action_id
        session = self.add_session(job)
        for things, name in (
            (self.clients, 'web'),
            (self.actions, action_id),
            (self.jobs, job.id),
            (self.sessions, session.id),
        ):
            self.assertRaises(NotFound, things.get, PROJECT, f'{name} ')
            self.assertRaises(NotFound, things.delete, PROJECT, f'{name} ')
        self.assertRaises(Unprocessable, self.add_job, JobAction(f'{action_id} '))
        two = self.add_action(**{'a': 1, 'a ': 2})
        self.assertEqual([two], self.actions.list(PROJECT, found({'a': 1}, {'a ': 2})))
        self.assertEqual([], self.actions.list(PROJECT, found({'a': 2})))

    def test_the_rounds_of_a_session(self):
        one, two = self.add_job(), self.add_job()
        session = self.add_session(one, two, schedule={'schedule_hour': '3'})
        self.assertEqual([one.id, two.id], [job.job_id for job in session.jobs])
        joined = self.jobs.get(PROJECT, one.id)
        self.assertEqual(
            (session.id, 0, '3'),
            (joined.session_id, joined.session_tag, joined.schedule['schedule_hour']),
        )
        for job in (one, two):
            session = self.act(session, session_rounds.start, job.id, 0, 1000)
        self.assertEqual(
            (1, 'running', 1000), (session.session_tag, session.status, session.time_start)
        )
        session = self.act(session, session_rounds.end, one.id, 'fail', 1, 1005)
        self.assertEqual(('running', ''), (session.status, session.result))
        session = self.act(session, session_rounds.end, two.id, 'success', 1, 1007)
        self.assertEqual(
            ('completed', 'fail', 1007), (session.status, session.result, session.time_end)
        )
        self.assertEqual(session, self.sessions.get(PROJECT, session.id))
        self.assertEqual([session], self.sessions.list(PROJECT, found({'status': 'completed'})))

    def act(self, session: Session, act, *arguments):
        return self.sessions.write(PROJECT, session.id, lambda old: act(old, *arguments)[0])

    def test_jobs_in_and_out_of_sessions(self):
        job = self.add_job(schedule={'schedule_interval': '1 hour'})
        session, other = self.add_session(job), self.add_session()
        for call in (
            lambda: self.sessions.add_job(PROJECT, 'unknown', job.id),
            lambda: self.sessions.add_job(PROJECT, session.id, 'unknown'),
            lambda: self.sessions.remove_job(PROJECT, 'unknown', job.id, 1),
            lambda: self.sessions.remove_job(PROJECT, other.id, job.id, 1),
            lambda: self.sessions.add_job('other', session.id, job.id),
        ):
            self.assertRaises(NotFound, call)
        self.assertRaises(Conflict, self.sessions.add_job, PROJECT, other.id, job.id)
        with self.assert_unchanged():
            self.sessions.add_job(PROJECT, session.id, job.id)
        moved = changing(session_id=other.id)
        self.assertRaises(Conflict, self.jobs.write, PROJECT, job.id, moved)
        self.sessions.remove_job(PROJECT, session.id, job.id, 1)
        left = self.jobs.get(PROJECT, job.id)
        self.assertEqual(
            ('', 'stop', '1 hour'),
            (left.session_id, left.schedule['event'], left.schedule['schedule_interval']),
        )
        self.sessions.add_job(PROJECT, other.id, job.id)
        self.assertEqual(
            [other.id], [s.id for s in self.sessions.list(PROJECT, found({'client_id': 'web'}))]
        )
        self.sessions.delete(PROJECT, other.id)
        self.assertEqual('', self.jobs.get(PROJECT, job.id).session_id)
        self.assertEqual([], self.jobs.list(PROJECT, found({'session_id': other.id})))

    def test_a_session_with_any_number_of_jobs_is_deleted_at_once(self):
        sent = []
        for count in (2, 9):
            session = self.add_session(*(self.add_job() for _ in range(count)))
            first = session.jobs[0].job_id
            self.act(session, session_rounds.start, first, 0, 1000)
            self.jobs.write(PROJECT, first, changing(session_tag=1))
            before = {job.id: job for job in self.jobs.list(PROJECT, limit=99)}
            with self.count_queries() as queries:
                self.sessions.delete(PROJECT, session.id)
            sent.append(len(queries))
            for member in session.jobs:
                old = before[member.job_id]
                left = replace(old, session_id='', session_tag=0, version=old.version + 1)
                self.assertEqual(left, self.jobs.get(PROJECT, old.id))
            self.assertEqual([], self.jobs.list(PROJECT, found({'session_id': session.id})))
            outside = found({'session_id': '', 'session_tag': 0})
            self.assertEqual(len(before), len(self.jobs.list(PROJECT, outside, limit=99)))
        self.assertEqual(sent[0], sent[1])

    def test_a_job_that_is_deleted_ends_the_round_that_waits_for_it(self):
        one, two = self.add_job(), self.add_job()
        session = self.add_session(one, two)
        self.act(session, session_rounds.start, one.id, 0, 1000)
        self.act(session, session_rounds.end, one.id, 'success', 1, 1005)
        self.jobs.delete(PROJECT, two.id)
        ended = self.sessions.get(PROJECT, session.id)
        self.assertEqual(
            ('completed', 'success', 1005), (ended.status, ended.result, ended.time_end)
        )
        self.assertEqual([one.id], [job.job_id for job in ended.jobs])

    def test_backups(self):
        job = self.add_job()
        backup = Backup('b1', PROJECT, 'u', {'container': 'c', 'hostname': 'h', 'job_id': job.id,
                                             'client_id': 'web', 'time_stamp': 5})  # fmt: skip
        self.backups.create(backup)
        self.assertEqual(backup, self.backups.get(PROJECT, 'b1'))
        self.assertEqual([backup], self.backups.list(PROJECT, found({'time_stamp': 5})))
        written = self.backups.write(PROJECT, 'b1', changing(status='error'))
        self.assertEqual(replace(backup, status='error', version=2), written)
        row = self.row('backups', 'b1')
        self.assertIsNotNone(row['job'])
        self.assertIsNotNone(row['client'])
        self.backups.delete(PROJECT, 'b1')
        self.assertRaises(NotFound, self.backups.get, PROJECT, 'b1')

    def test_searches(self):
        self.add_client('db')
        long = 'x' * 300
        one = self.add_job(JobAction(freezer_action={**FILES, 'mode': 'nova', 'why': long}))
        two = self.add_job(client_id='db', schedule={'status': 'completed', 'time_created': 5})
        for wanted, expected in (
            (found({'client_id': 'db'}), [two]),
            (found({'client_id': 'web'}, {'mode': 'nova'}), [one]),
            (found({'mode': 'fs'}), [two]),
            (found({'why': long}), [one]),
            (found({'why': long + 'x'}), []),
            (found({'time_created': 5.0}), [two]),
            (found({'time_created': '5'}), []),
            (found({'client_id': 'db '}), []),
            (found({'client_id': 'DB'}), []),
            (found(match_not=[{'status': 'completed'}]), [one]),
            (found({'client_id': 'db'}, match_not=[{'status': 'completed'}]), []),
            (found(match_not=[{'mode': 'fs'}, {'mode': 'nova'}]), []),
            (found({'status': None}), [one]),
            (found({'_all': '[{"client_id": "db"}]'}), [two]),
            (found({'client_id': 'web'}, {'_all': 'nova'}), [one]),
            (found({'_all': 'nowhere'}), []),
            (search.EVERYTHING, [one, two]),
        ):
            with self.subTest(wanted):
                self.assertEqual(expected, self.jobs.list(PROJECT, wanted))
        self.jobs.write(PROJECT, two.id, scheduling(status='scheduled', time_created=6))
        self.assertEqual([], self.jobs.list(PROJECT, found({'status': 'completed'})))
        self.assertEqual(1, len(self.jobs.list(PROJECT, found({'status': 'scheduled'}))))

    def test_terms_are_those_of_what_is_there(self):
        """What is written piece by piece is what would be written at once."""
        job = self.add_job()
        session = self.add_session(job)
        self.jobs.write(PROJECT, job.id, scheduling(event='start', status='', current_pid=5))
        self.act(session, session_rounds.start, job.id, 0, 10)
        self.sessions.remove_job(PROJECT, session.id, job.id, 11)
        self.jobs.write(PROJECT, job.id, changing(schedule={}, description='new'))
        piece_by_piece = self.terms()
        written = self.jobs.get(PROJECT, job.id)
        self.jobs.delete(PROJECT, job.id)
        self.jobs.create(replace(written))
        self.assertEqual(piece_by_piece, self.terms())

    def test_pages_cost_the_same_number_of_queries(self):
        jobs = [self.add_job(JobAction(freezer_action=FILES), JobAction(freezer_action=FILES))
                for _ in range(12)]  # fmt: skip
        self.add_session(*jobs[:3])
        with self.count_queries() as sent:
            page = self.jobs.list(PROJECT, found({'mode': 'fs'}))
            self.assertEqual(jobs[3:10], page[3:])
        self.assertEqual(2, len(sent), sent)
        with self.count_queries() as sent:
            self.sessions.list(PROJECT)
        self.assertEqual(2, len(sent), sent)


class SQLiteTest(Contract, BackupCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, BackupCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, BackupCase):
    backend = databases.PostgreSQL()
