"""Reports of runs, on every database."""

import contextlib
import threading
from dataclasses import replace

from slotwright.domain.backup_model import ActionReport, JobAction
from slotwright.domain.errors import NotFound, Unprocessable
from tests.contract import databases
from tests.contract.backup_case import FILES, PROJECT, BackupCase, changing


class Contract:
    def setUp(self):
        super().setUp()
        self.reports = self.backup.reports

    def add_report(self, action, job=None, **more):
        """A report of a run in second 1."""
        values = {'result': 'success', 'time_elapsed': 1.5, 'report_date': 1, **more}
        report = ActionReport(self.new_name('r'), PROJECT, action, job and job.id, **values)
        self.reports.create(report)
        return report

    def test_the_newest_come_first(self):
        job = self.add_job()
        action = job.actions[0].action_id
        first = self.add_report(action, job, metadata={'level': 1})
        third = self.add_report(action, job, report_date=3)
        second = self.add_report(action, job, report_date=2)
        alone = self.add_report(action, result='fail', report_date=3, log='no spâce 💾' * 9000)
        self.add_report(self.add_job().actions[0].action_id)
        self.assertEqual(
            [alone, third, second, first], self.reports.list_of_action(PROJECT, action)
        )
        self.assertEqual([second], self.reports.list_of_action(PROJECT, action, 1, 2))
        with self.count_queries() as sent:
            self.assertEqual([third, second, first], self.reports.list_of_job(PROJECT, job.id))
        self.assertEqual(2, len(sent), sent)
        with self.count_queries() as sent:
            self.add_report(action, job)
        self.assertEqual(4, len(sent), sent)

    def test_what_is_not_there(self):
        job, other = self.add_job(), self.add_job()
        action = job.actions[0].action_id
        report = self.add_report(action, job)
        for error, wrong in (
            (NotFound, {'action_id': 'unknown'}),
            (NotFound, {'project_id': 'other'}),
            (Unprocessable, {'job_id': 'unknown'}),
            (Unprocessable, {'job_id': other.id}),
        ):
            self.assertRaises(error, self.reports.create, replace(report, id='new', **wrong))
        for list_them in (self.reports.list_of_action, self.reports.list_of_job):
            self.assertRaises(NotFound, list_them, PROJECT, 'unknown')
        self.assertRaises(NotFound, self.reports.list_of_action, 'other', action)
        self.assertRaises(NotFound, self.reports.list_of_job, 'other', job.id)
        self.assertEqual([], self.reports.list_of_job(PROJECT, other.id))

    def test_a_job_keeps_its_history_whatever_becomes_of_its_actions(self):
        job = self.add_job()
        action = job.actions[0].action_id
        report = self.add_report(action, job)
        other = JobAction(freezer_action={**FILES, 'mode': 'nova'})
        self.jobs.write(PROJECT, job.id, changing(actions=(other,)))
        self.assertRaises(NotFound, self.reports.list_of_action, PROJECT, action)
        self.assertRaises(NotFound, self.add_report, action, job)
        self.assertEqual([report], self.reports.list_of_job(PROJECT, job.id))

    def test_an_action_keeps_its_history_whatever_becomes_of_its_jobs(self):
        action = self.add_action()
        job = self.add_job(JobAction(action.id))
        report = self.add_report(action.id, job)
        self.jobs.delete(PROJECT, job.id)
        self.assertRaises(NotFound, self.reports.list_of_job, PROJECT, job.id)
        self.assertEqual([report], self.reports.list_of_action(PROJECT, action.id))

    def test_reports_while_the_job_changes(self):
        """Each is kept, or refused by name."""
        action = self.add_action()
        job = self.add_job(JobAction(action.id))
        done = []

        def report(store, number):
            for n in range(10):
                made = ActionReport(f'{number}-{n}', PROJECT, action.id, job.id, 'success', 1, n)
                with contextlib.suppress(Unprocessable):
                    store.reports.create(made)
                done.append(number)

        threads = [
            threading.Thread(target=report, args=(self.connect_backup(), number))
            for number in range(2)
        ]
        for thread in threads:
            thread.start()
        other = JobAction(freezer_action=FILES)
        for n in range(10):
            part = JobAction(action.id) if n % 2 else other
            self.jobs.write(PROJECT, job.id, changing(actions=(part,)))
        for thread in threads:
            thread.join()
        self.assertEqual(20, len(done))
        kept = self.reports.list_of_job(PROJECT, job.id, limit=100)
        self.assertEqual(kept, self.reports.list_of_action(PROJECT, action.id, limit=100))


class SQLiteTest(Contract, BackupCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, BackupCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, BackupCase):
    backend = databases.PostgreSQL()
