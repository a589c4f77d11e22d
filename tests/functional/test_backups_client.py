"""``openstack backup …`` of python-freezerclient, unmodified, with the admin token."""

import json
import urllib.parse
from pathlib import Path
from typing import Any

import fixtures

from tests.base import TestCase
from tests.openstack_client import OpenStackClient
from tests.standalone import Standalone

TOKEN = 's3cret-token'
JOB = {
    'job_actions': [{'freezer_action': {'action': 'backup', 'mode': 'fs', 'container': 'c'}}],
    'job_schedule': {'schedule_interval': '1 hour'},
    'description': 'nightly',
    'job_id': 'j1',
}


class BackupsClientTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        login = {'auth_strategy': 'admin_token', 'admin_token': TOKEN}
        standalone = self.useFixture(Standalone({'api': login}))
        host = urllib.parse.urlsplit(standalone.url).netloc
        self.openstack = OpenStackClient(
            f'http://{host}/v2/demo', {'OS_AUTH_TYPE': 'admin_token', 'OS_TOKEN': TOKEN}
        )
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)

    def file(self, name: str, body: Any) -> str:
        path = self.directory / name
        path.write_text(json.dumps(body), encoding='utf-8')
        return str(path)

    def test_all_commands(self) -> None:
        client = self.file('client', {'client_id': 'web', 'hostname': 'web.example'})
        job = self.file('job', JOB)
        other = self.file('other', {**JOB, 'job_id': 'j2'})
        action = self.file('action', {'action_id': 'a1', **JOB['job_actions'][0]})
        changed_action = self.file('changed-action', {'max_retries': 9})
        change = self.file('change', {'description': 'hourly'})
        session = self.file('session', {'schedule': {'schedule_hour': '3'}, 'description': 's'})
        record = self.file('backup', {'container': 'c', 'hostname': 'web', 'backup_name': 'b',
                                      'time_stamp': 5})  # fmt: skip
        said = self.openstack.session(
            f'backup client register --file {client}',
            'backup client show web -f json',
            f'backup job create --file {job} --client web',
            f'backup job create --file {other} --client web',
            f'backup job update j1 {change}',
            'backup job start j1',
            'backup job show j1 -f json',
            'backup job stop j1',
            'backup job abort j1',
            'backup job list -C web -f json',
            'backup job get j1 --no-format',
            f'backup action create --file {action}',
            f'backup action update a1 {changed_action}',
            'backup action show a1 -f json',
            'backup action list -f json',
            f'backup session create --file {session}',
            'backup session list -f json',
            f'backup create --file {record}',
            'backup list -f value',
            'backup client list -f json',
        )
        shown = dict(enumerate(said))
        self.assertEqual('web', json.loads(shown[1])['Client ID'])
        self.assertIn('hourly', shown[6])
        self.assertEqual('start', json.loads(shown[6])['Event'])
        self.assertEqual(['j1', 'j2'], [job['Job ID'] for job in json.loads(shown[9])])
        self.assertIn('abort', shown[10])
        self.assertIn('a1', [action['Action ID'] for action in json.loads(shown[14])])
        (session_row,) = json.loads(shown[16])
        backup_id, _, hostname, *_ = shown[18].split()
        self.assertEqual('web', hostname)
        self.assertEqual(1, len(json.loads(shown[19])))
        self.end(session_row['Session ID'], backup_id)

    def end(self, session_id: str, backup_id: str) -> None:
        """The rounds of a session, and everything goes."""
        change = self.file('hold-off', {'hold_off': 7})
        _, shown, *rest, jobs, clients = self.openstack.session(
            f'backup session add job --session-id {session_id} --job-id j1',
            f'backup session start --session-id {session_id} --job-id j1 --job-tag 0',
            f'backup session show {session_id} -f json',
            f'backup session update {session_id} {change}',
            f'backup session remove job --session-id {session_id} --job-id j1',
            f'backup session delete {session_id}',
            f'backup show {backup_id} -f json',
            f'backup delete {backup_id}',
            'backup action delete a1',
            'backup job delete j1',
            'backup job delete j2',
            'backup client delete web',
            'backup job list -f json',
            'backup client list -f json',
        )[1:]
        self.assertEqual('running', json.loads(shown)['Status'])
        self.assertEqual(backup_id, json.loads(rest[3])['Backup ID'])
        for text in rest:
            self.assertNotIn('rror', text)
        # Of nothing the client shows one empty line.
        self.assertEqual([''], [job['Job ID'] for job in json.loads(jobs)])
        self.assertEqual([''], [client['Client ID'] for client in json.loads(clients)])
