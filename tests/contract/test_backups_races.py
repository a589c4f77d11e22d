"""The races that the real API loses updates in: here none is lost.

How many of how many the real one lost, with four workers on SQLite, stands in each test.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from slotwright.domain import job_events, session_rounds
from slotwright.domain.backup_model import Client, JobAction
from slotwright.domain.errors import Conflict, NotFound
from tests.contract import databases
from tests.contract.backup_case import PROJECT, BackupCase, scheduling
from tests.contract.management_case import at_once

WORKERS = 4


class Contract:
    rounds = 6

    def setUp(self):
        super().setUp()
        self.hands = [self.connect_backup() for _ in range(WORKERS)]

    def spread(self, work, items):
        """Do ``work(store, item)`` for all items, every store at its own share at once."""
        barrier = threading.Barrier(WORKERS)

        def share(number):
            barrier.wait()
            for item in items[number::WORKERS]:
                work(self.hands[number], item)

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(share, range(WORKERS)))

    def jobs_for_all(self):
        return [self.add_job() for _ in range(WORKERS * self.rounds)]

    def test_jobs_are_put_into_a_session(self):
        """36 of 80 were lost."""
        jobs, session = self.jobs_for_all(), self.add_session()
        self.spread(lambda s, job: s.sessions.add_job(PROJECT, session.id, job.id), jobs)
        members = self.sessions.get(PROJECT, session.id).jobs
        self.assertEqual([job.id for job in jobs], [member.job_id for member in members])
        for job in jobs:
            self.assertEqual(session.id, self.jobs.get(PROJECT, job.id).session_id)

    def test_jobs_of_a_session_start_and_end(self):
        """61 starts and 52 ends of 80 were lost; the round ends once, with the last of them."""
        jobs = self.jobs_for_all()
        session = self.add_session(*jobs)
        self.spread(self.acting(session.id, session_rounds.start, 0, 1000), jobs)
        started = self.sessions.get(PROJECT, session.id)
        self.assertEqual({'running'}, {member.status for member in started.jobs})
        self.assertEqual(1, started.session_tag)
        self.spread(self.acting(session.id, session_rounds.end, 'success', 1, 1005), jobs)
        ended = self.sessions.get(PROJECT, session.id)
        self.assertEqual({'completed'}, {member.status for member in ended.jobs})
        self.assertEqual(('completed', 'success'), (ended.status, ended.result))
        self.assertEqual(started.version + len(jobs), ended.version)

    def acting(self, session_id, act, *arguments) -> Callable:
        def work(store, job):
            store.sessions.write(PROJECT, session_id, lambda old: act(old, job.id, *arguments)[0])

        return work

    def test_jobs_leave_a_session_and_are_deleted(self):
        jobs = self.jobs_for_all()
        session = self.add_session(*jobs)

        def work(store, item):
            number, job = item
            if number // WORKERS % 2:
                store.jobs.delete(PROJECT, job.id)
            else:
                store.sessions.remove_job(PROJECT, session.id, job.id, 1)

        self.spread(work, list(enumerate(jobs)))
        self.assertEqual((), self.sessions.get(PROJECT, session.id).jobs)

    def test_one_start_is_the_first(self):
        """Of 8 at once, 4 were told that they were."""
        for _ in range(self.rounds):
            job = self.add_job()
            words = at_once(
                *(lambda s=s, i=job.id: self.ask(s, i, 'start') for s in self.hands * 2)
            )
            self.assertEqual(['start already requested'] * 7 + ['success'], sorted(words))

    def ask(self, store, job_id, event):
        said = []

        def change(job):
            changed, word = job_events.request(job, event)
            said.append(word)
            return changed

        store.jobs.write(PROJECT, job_id, change)
        return said[-1]

    def test_every_field_of_a_job_is_kept(self):
        job = self.add_job()
        names = [f'time_{n}' for n in range(WORKERS * self.rounds)]
        self.spread(
            lambda store, name: store.jobs.write(PROJECT, job.id, scheduling(**{name: 1})), names
        )
        written = self.jobs.get(PROJECT, job.id)
        self.assertEqual({*names, 'event'}, set(written.schedule))
        self.assertEqual(1 + len(names), written.version)
        terms = self.terms()
        self.jobs.delete(PROJECT, job.id)
        self.jobs.create(written)
        self.assertEqual(terms, self.terms())

    def test_a_client_is_registered_once(self):
        """8 at once made 2 to 4."""
        for number in range(self.rounds):
            answers = at_once(*(lambda s=s, n=number: self.register(s, n) for s in self.hands * 2))
            self.assertEqual(7, sum(isinstance(answer, Conflict) for answer in answers))

    def register(self, store, number):
        store.clients.create(Client(f'client-{number}', PROJECT, 'u', 'x'))

    def test_jobs_are_made_at_once(self):
        """Of 4 at once on SQLite, 60 % were answered 500."""
        template = self.add_job()
        made = [
            replace(template, id=f'made-{n}', actions=(template.actions[0],))
            for n in range(WORKERS * self.rounds)
        ]
        self.spread(lambda store, job: store.jobs.create(job), made)
        self.assertEqual(len(made) + 1, len(self.jobs.list(PROJECT, limit=1000)))

    def test_jobs_are_made_under_their_ids_at_once(self):
        """As the client does with a document that has a job_id."""
        template = self.add_job()
        names = [f'made-{n}' for n in range(WORKERS * self.rounds)]
        self.spread(
            lambda store, name: store.jobs.write(
                PROJECT, name, lambda old: old or replace(template, id=name, actions=())
            ),
            names * 2,
        )
        self.assertEqual(len(names) + 1, len(self.jobs.list(PROJECT, limit=1000)))
        self.assertEqual({1}, {job.version for job in self.jobs.list(PROJECT, limit=1000)})

    def test_one_of_all_makes_a_job_and_the_others_change_it(self):
        template = self.add_job()
        for number in range(self.rounds):
            made = replace(template, id=f'made-{number}', actions=())
            words = [f'said-{n}' for n in range(WORKERS)]
            answers = at_once(
                *(
                    lambda s=store, m=made, w=word: s.jobs.write(
                        PROJECT, m.id, lambda old: replace(old or m, description=w)
                    )
                    for store, word in zip(self.hands, words, strict=True)
                )
            )
            versions = sorted(job.version for job in answers)
            self.assertEqual(list(range(1, WORKERS + 1)), versions)

    def test_an_action_stays_with_the_job_that_takes_it(self):
        """A job goes with the action that it made, while others are made with that one."""
        for number in range(self.rounds):
            job = self.add_job()
            (action,) = {part.action_id for part in job.actions}
            takers = [
                replace(job, id=f'taker-{number}-{n}', actions=(JobAction(action),))
                for n in range(1, WORKERS)
            ]
            at_once(
                lambda j=job: self.hands[0].jobs.delete(PROJECT, j.id),
                *(
                    lambda s=store, j=taker: s.jobs.create(j)
                    for store, taker in zip(self.hands[1:], takers, strict=True)
                ),
            )
            ids = {found.id for found in self.jobs.list(PROJECT, limit=1000)}
            if ids & {taker.id for taker in takers}:
                self.assertEqual(action, self.actions.get(PROJECT, action).id)
            else:
                self.assertRaises(NotFound, self.actions.get, PROJECT, action)


class SQLiteTest(Contract, BackupCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, BackupCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, BackupCase):
    backend = databases.PostgreSQL()
