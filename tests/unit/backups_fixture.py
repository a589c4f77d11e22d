"""Requests to /v2/{project} and /v1, as Freezer's clients send them."""

import json
from typing import Any

from falcon import testing

from tests.unit.api_fixture import ApiTestCase

FILES = {'action': 'backup', 'mode': 'fs', 'path_to_backup': '/etc', 'backup_name': 'b',
         'container': 'c'}  # fmt: skip
BACKUP = {'container': 'c', 'hostname': 'h', 'backup_name': 'b', 'time_stamp': 5}


class BackupsTestCase(ApiTestCase):
    """With a client ``web`` in project ``demo``."""

    version = 2

    def setUp(self) -> None:
        super().setUp()
        self.given('POST', 'clients', {'client_id': 'web', 'hostname': 'web'})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        project: str = 'demo',
        version: int | None = None,
        **options: Any,
    ) -> testing.Result:
        if body is not None:
            options.update(body=json.dumps(body))
        headers = dict(options.pop('headers', {}))
        prefix = f'/v2/{project}'
        if (version or self.version) == 1:
            prefix, headers['X-Project-Id'] = '/v1', project
        return self.client.simulate_request(method, f'{prefix}/{path}', headers=headers, **options)

    def given(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Ask, see that it is done, and answer the document, None without one."""
        answer = self.ask(method, path, body, **options)
        self.assertLess(answer.status_code, 300, answer.text)
        return answer.json if answer.content else None

    def refused(self, status: int, said: str, *request: Any, **options: Any) -> None:
        """Ask, and see that nothing is stored and the answer names what is wrong."""
        before = self.row_counts()
        answer = self.ask(*request, **options)
        self.assertEqual(status, answer.status_code, answer.text)
        self.assertEqual({'title', 'description'}, set(answer.json))
        self.assertIn(said, answer.json['description'])
        self.assertEqual(before, self.row_counts())

    def new_job(self, **more: Any) -> str:
        body = {'client_id': 'web', 'job_actions': [{'freezer_action': FILES}], **more}
        job_id: str = self.given('POST', 'jobs', body)['job_id']
        return job_id

    def new_session(self, *jobs: str, **more: Any) -> str:
        made = self.given('POST', 'sessions', {'schedule': {}, **more})
        session_id: str = made['session_id']
        for job_id in jobs:
            self.given('PUT', f'sessions/{session_id}/jobs/{job_id}')
        return session_id

    def job(self, job_id: str) -> Any:
        return self.given('GET', f'jobs/{job_id}')
