"""No secret shows anywhere: a life at debug level, looked at from all sides."""

import json
import re
import threading
from pathlib import Path
from typing import Any

from tests import rows, servers
from tests.base import TestCase
from tests.deployment import Deployment, HttpApi, members
from tests.tenant import Tenant

BROKER_PASSWORD = 'mq-pass-3141592653'
DATABASE_PASSWORD = 'db-pass-2718281828'
#: Columns that are there to keep a secret; nothing else of a row may have one.
KEEPERS = {('clusters', 'secret'), ('clusters', 'tenant_hash')}


class CommandLines:
    """Everything that was on a command line or in a title while this ran."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.02):
            for process in Path('/proc').iterdir():
                if process.name.isdigit():
                    try:
                        words = (process / 'cmdline').read_bytes()
                    except OSError:  # it ended while we looked
                        continue
                    self.seen.add(words.replace(b'\0', b' ').decode('utf-8', 'replace'))


class NotedApi(HttpApi):
    """Keeps all answers, by request."""

    def __init__(self, api: HttpApi) -> None:
        self.endpoint = api.endpoint
        self.headers = api.headers
        self.answers: list[tuple[str, str]] = []

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, answer = super().__call__(method, path, body)
        self.answers.append((f'{method} {path}', json.dumps(answer)))
        return status, answer


class SecretsTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        url = broker.new_vhost()
        broker.control('add_user', 'guarded', BROKER_PASSWORD)
        self.addCleanup(broker.control, 'delete_user', 'guarded')
        vhost = url.rpartition('/')[2]
        broker.control('set_permissions', '--vhost', vhost, 'guarded', '.*', '.*', '.*')
        # This server lets in whoever comes, with any password.
        database = servers.shared(servers.MariaDB).new_database()
        database = database.replace('root@', f'guarded:{DATABASE_PASSWORD}@')
        self.plane = self.useFixture(
            Deployment(url.replace('guest:guest', f'guarded:{BROKER_PASSWORD}'), database)
        )
        self.api = NotedApi(self.plane.api)
        self.command_lines = CommandLines()
        self.command_lines.start()
        self.addCleanup(self.command_lines.stop)

    def test_a_life_shows_no_secret(self) -> None:
        cluster_id = self.api.create(3)['id']
        self.api.completed(cluster_id)
        tenant = Tenant(self.api, cluster_id)
        (row,) = rows.select(self.plane.database, 'clusters', id=cluster_id)
        secrets = {
            'the agents': row['secret'],
            'the tenant': tenant.password,
            'the hash of the tenant': row['tenant_hash'],
            'the broker': BROKER_PASSWORD,
            'the database': DATABASE_PASSWORD,
        }
        self.assertTrue(all(len(secret) > 10 for secret in secrets.values()), secrets.keys())
        tenant.write('first')
        self.api.action(cluster_id, {'grow': members(1)})
        new = self.api.completed(cluster_id)['instances'][-1]
        self.look('grown', secrets)
        logs = self.logs()
        self.api.action(cluster_id, {'shrink': [{'id': new['id']}]})
        self.api.completed(cluster_id)
        status, _ = self.api('DELETE', f'/clusters/{cluster_id}/root')
        self.assertIn(status, (200, 202, 204))
        self.api.completed(cluster_id)
        for path in ('', '/instances', '/root', '/operations'):
            self.api('GET', f'/clusters/{cluster_id}{path}')
        for path in ('/instances', '/flavors', '/datastores', '/limits', '/no/such'):
            self.api('GET', path)
        self.api('POST', '/clusters', {'cluster': {'name': tenant.password}})
        self.api('DELETE', f'/clusters/{cluster_id}')
        self.assertIsNone(self.api.settled(cluster_id))

        self.command_lines.stop()
        self.assertTrue(any('redis-server' in words for words in self.command_lines.seen))
        self.look('deleted', secrets, logs)
        for table in self.tables():
            for row in rows.select(self.plane.database, table):
                for secret in secrets.values():
                    self.assertNotIn(secret, str(row))

    def look(self, when: str, secrets: dict[str, str], logs: str = '') -> None:
        """:raises AssertionError: a secret shows; which, and where, never the secret."""
        places = {
            'logs': logs + self.logs(),
            'command lines': '\n'.join(self.command_lines.seen),
            'answers': self.answers(secrets['the tenant']),
            'rows': self.rows(),
        }
        self.assertIn('DEBUG', places['logs'])
        for place, text in places.items():
            for whose, secret in secrets.items():
                at = text.find(secret)
                context = re.sub(re.escape(secret), '***', text[max(0, at - 200) : at + 200])
                self.assertEqual(-1, at, f'{when}: the secret of {whose} in {place}: {context}')

    def answers(self, password: str) -> str:
        """All answers; root enable's own has the password, once."""
        told = [answer for _, answer in self.api.answers if password in answer]
        echoed = [request for request, answer in self.api.answers if answer in told]
        self.assertEqual(1, len(told), echoed)
        return '\n'.join(answer for _, answer in self.api.answers if answer not in told)

    def logs(self) -> str:
        """Those of both daemons, of all agents and of all redis-servers."""
        files = [self.plane.api_process.log, *(t.log for t in self.plane.taskmanagers)]
        files += self.plane.data_dir.glob('*/*.log')
        return '\n'.join(file.read_text('utf-8', 'replace') for file in files if file.exists())

    def rows(self) -> str:
        """The whole database but for the columns that are made for secrets."""
        return '\n'.join(
            str({name: value for name, value in row.items() if (table, name) not in KEEPERS})
            for table in self.tables()
            for row in rows.select(self.plane.database, table)
        )

    def tables(self) -> list[str]:
        return list(rows.counts(self.plane.database))
