"""Reports of runs over HTTP."""

import base64
from pathlib import Path
from typing import Any

import fixtures

from api.auth import userfile
from tests.unit.backups_fixture import BackupsTestCase


class ReportsTest(BackupsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job_id = self.new_job()
        self.action_id = self.job(self.job_id)['job_actions'][0]['action_id']
        self.path = f'actions/{self.action_id}/reports'

    def report(self, **body: Any) -> str:
        made = self.given('POST', self.path, {'result': 'success', **body})
        self.assertEqual({'report_id'}, set(made))
        report_id: str = made['report_id']
        return report_id

    def listed(self, path: str, **query: str) -> list[str]:
        found = self.given('GET', path, params=query)['reports']
        return [report['report_id'] for report in found]

    def test_a_history(self) -> None:
        body = {
            'result': 'fail',
            'job_id': self.job_id,
            'time_elapsed': 12.5,
            'metadata': {'level': 0},
            'log': 'x' * 65536,
        }
        first = self.report(**body)
        rest = [self.report(job_id=None, log=None) for _ in range(3)]
        (shown,) = self.given('GET', f'jobs/{self.job_id}/reports')['reports']
        self.assertLess(1_700_000_000, shown.pop('report_date'))
        owner = {'report_id': first, 'project_id': 'demo', 'action_id': self.action_id}
        self.assertEqual({**body, **owner}, shown)
        newest = [*reversed(rest), first]
        self.assertEqual(newest, self.listed(self.path))
        self.assertEqual(newest[1:3], self.listed(self.path, limit='2', offset='1'))
        latest = self.given('GET', self.path, params={'limit': '1'})['reports'][0]
        self.assertEqual((None, -1, {}), tuple(latest[k] for k in ('job_id', 'time_elapsed',
                                                                   'metadata')))  # fmt: skip
        self.assertNotIn('log', latest)

    def test_bad_bodies(self) -> None:
        for said, body in (
            ('must be an object like', []),
            ("'result' is a required", {}),
            ('must be one of success, fail, aborted', {'result': ''}),
            ('must be one of success, fail, aborted', {'result': 'x' * 300}),
            ('seconds from 0', {'result': 'fail', 'time_elapsed': -1}),
            ('seconds from 0', {'result': 'fail', 'time_elapsed': '5'}),
            ('seconds from 0', {'result': 'fail', 'time_elapsed': True}),
            ('metadata', {'result': 'fail', 'metadata': []}),
            ('metadata', {'result': 'fail', 'metadata': {str(n): n for n in range(201)}}),
            ('up to 65536', {'result': 'fail', 'log': 'x' * 65537}),
            ('up to 65536', {'result': 'fail', 'log': 5}),
            ('runs that failed', {'result': 'success', 'log': ''}),
            ('job_id', {'result': 'fail', 'job_id': 'a b'}),
            ('job_id', {'result': 'fail', 'job_id': 'x' * 37}),
            ('unknown', {'result': 'fail', 'unknown': 1}),
        ):
            with self.subTest(body=str(body)[:60]):
                self.refused(400, said, 'POST', self.path, body)
        for query in ('limit=0', 'limit=x', 'offset=-1'):
            with self.subTest(query=query):
                self.refused(400, query[:5], 'GET', f'{self.path}?{query}')

    def test_what_is_missing(self) -> None:
        other, fail = self.new_job(), {'result': 'fail'}
        for status, request in (
            (404, ('POST', 'actions/none/reports', fail)),
            (404, ('GET', 'actions/none/reports')),
            (404, ('GET', 'jobs/none/reports')),
            (422, ('POST', self.path, {**fail, 'job_id': 'none'})),
            (422, ('POST', self.path, {**fail, 'job_id': other})),
        ):
            self.refused(status, '', *request)
        for method in ('GET', 'POST'):
            self.refused(404, 'no action', method, self.path, fail, project='other')
        self.refused(404, 'no job', 'GET', f'jobs/{self.job_id}/reports', project='other')
        for path in (self.path, f'jobs/{self.job_id}/reports'):
            self.assertEqual(404, self.ask('GET', path, version=1).status_code)
        self.assertEqual(405, self.ask('POST', f'jobs/{self.job_id}/reports', fail).status_code)

    def test_what_is_deleted_keeps_its_reports_for_the_other(self) -> None:
        report = self.report(job_id=self.job_id)
        self.given('DELETE', self.path.removesuffix('/reports'))
        self.refused(404, 'no action', 'GET', self.path)
        self.assertEqual([report], self.listed(f'jobs/{self.job_id}/reports'))
        self.given('DELETE', f'jobs/{self.job_id}')
        self.refused(404, 'no job', 'GET', f'jobs/{self.job_id}/reports')

    def test_a_page_has_a_hundred_at_most(self) -> None:
        for _ in range(101):
            self.report()
        self.assertEqual(100, len(self.listed(self.path, limit='1000')))
        self.assertEqual(10, len(self.listed(self.path)))


class RolesTest(BackupsTestCase):
    def test_readers_read_and_services_write(self) -> None:
        job = self.new_job()
        path = f'actions/{self.job(job)["job_actions"][0]["action_id"]}/reports'
        users = Path(self.useFixture(fixtures.TempDir()).path) / 'users'
        for name, project, role in (
            ('rita', 'demo', 'reader'),
            ('mel', 'demo', 'member'),
            ('svc', 'demo', 'service'),
            ('eve', 'other', 'member'),
        ):
            userfile.put(str(users), name, project, role, 'a long password')
        self.client = self.build(api_auth_strategy='http_basic', api_user_file=str(users))
        for name, reads, writes in (
            ('rita', 200, 403),
            ('mel', 200, 201),
            ('svc', 200, 201),
            ('eve', 403, 403),
        ):
            with self.subTest(user=name):
                login = base64.b64encode(f'{name}:a long password'.encode()).decode()
                headers = {'Authorization': f'Basic {login}'}
                for method, where, wanted in (
                    ('GET', path, reads),
                    ('GET', f'jobs/{job}/reports', reads),
                    ('POST', path, writes),
                ):
                    body = {'result': 'success'} if method == 'POST' else None
                    answer = self.ask(method, where, body, headers=headers)
                    self.assertEqual(wanted, answer.status_code, answer.text)
