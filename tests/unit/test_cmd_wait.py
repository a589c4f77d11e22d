"""``slotwright wait`` and ``operations`` against the API on a real socket."""

import contextlib
import io
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fixtures

from api.server import ApiServer
from slotwright.client import Client
from slotwright.cmd import cli, wait
from slotwright.cmd.wait import DONE, FAILED, NOT_FOUND, REFUSED, TIMED_OUT, UNREACHABLE, USAGE
from slotwright.domain.errors import InvalidRequest, StorageUnavailable, Unavailable
from slotwright.domain.states import OperationState
from tests import servers
from tests.unit.api_fixture import ApiTestCase


@contextlib.contextmanager
def played(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives everybody this answer: its port, and what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = listener.accept()
                with link:
                    asked.append(link.recv(65536))
                    link.sendall(answer)

    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


class WaitTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.serve()
        self.now = None
        self.time = 0.0
        self.said: list[str] = []
        self.at: dict[int, Callable[[], Any]] = {}  # what happens at which sleep
        self.sleeps = 0

    def serve(self, **options: str) -> None:
        app: Any = self.build(**options).app
        self.server = ApiServer(app, '127.0.0.1', 0, 2)
        self.server.start()
        self.addCleanup(self.server.stop)

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps += 1
        self.at.get(self.sleeps, lambda: None)()

    def wait(self, name: str, kind: str = 'clusters', timeout: float | None = None) -> int:
        client = Client(f'{self.server.url}/v1.0/{self.project}', {})
        found = wait.Wait(client, tell=self.said.append, clock=lambda: self.time, sleep=self.sleep)
        return found.run(kind, name, timeout)

    def test_until_it_is_done(self) -> None:
        cluster = self.create(2)
        self.at[3] = lambda: self.finish(cluster['id'])
        self.assertEqual(DONE, self.wait(cluster['id']))
        self.assertEqual(3, self.sleeps)
        self.assertEqual('create completed', self.said[-1])
        self.assertEqual(DONE, self.wait('redis-clstr'))
        self.assertEqual(DONE, self.wait(cluster['operation']['id'], 'operations'))

    def test_a_failure_tells_its_reason(self) -> None:
        cluster = self.create(2)
        self.finish(cluster['id'], OperationState.FAILED, 'no host is free')
        self.assertEqual(FAILED, self.wait(cluster['id']))
        self.assertEqual('create failed: no host is free', self.said[-1])

    def test_a_cluster_that_goes(self) -> None:
        cluster = self.create_active(1)
        self.call('DELETE', 'clusters', cluster['id'])
        self.at[2] = lambda: self.vanish(cluster['id'])
        self.assertEqual(DONE, self.wait('redis-clstr'))
        self.assertEqual('delete completed', self.said[-1])

    def test_a_cluster_that_is_gone_already(self) -> None:
        cluster = self.create_active(1)
        self.call('DELETE', 'clusters', cluster['id'])
        delete = self.call('GET', 'clusters', cluster['id']).json['cluster']['operation']['id']
        self.vanish(cluster['id'])
        self.assertEqual(DONE, self.wait(cluster['id']))
        self.assertEqual('delete completed', self.said[-1])
        self.assertEqual(DONE, self.wait(delete, 'operations'))
        self.assertEqual(0, self.sleeps)
        # Of a name nobody knows whether it is this one's, or mistyped.
        self.assertEqual(NOT_FOUND, self.wait('redis-clstr'))
        self.project = 'other'
        self.assertEqual(NOT_FOUND, self.wait(cluster['id']))

    def test_a_cluster_whose_delete_is_forgotten(self) -> None:
        cluster = self.create_active(1)
        self.call('DELETE', 'clusters', cluster['id'])

        def vanish_and_purge() -> None:
            self.vanish(cluster['id'])
            self.store.database.write(lambda conn: conn.exec_driver_sql('DELETE FROM operations'))

        self.at[2] = vanish_and_purge
        self.assertEqual(DONE, self.wait('redis-clstr'))
        self.assertEqual('gone', self.said[-1])
        self.assertEqual(NOT_FOUND, self.wait(cluster['id']))

    def vanish(self, cluster_id: str) -> None:
        operation = self.store.get_cluster(self.project, cluster_id).operation
        assert operation is not None
        claim = self.store.claim(operation.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.COMPLETED, delete_cluster=True)

    def test_no_longer_than_wanted(self) -> None:
        cluster = self.create(1)
        self.assertEqual(TIMED_OUT, self.wait(cluster['id'], timeout=3.0))
        self.assertEqual(3.0, self.time)

    def test_an_api_that_went_away(self) -> None:
        cluster = self.create(1)
        self.at[2] = self.server.stop
        self.assertEqual(UNREACHABLE, self.wait(cluster['id']))
        self.assertGreater(self.time, wait.PATIENCE)
        self.assertIn('does not answer', self.said[-1])

    def test_one_that_comes_back_is_waited_for(self) -> None:
        cluster = self.create(1)
        endpoint = self.server
        self.at[2] = lambda: setattr(self.store, 'get_cluster', self.away)
        self.at[4] = lambda: delattr(self.store, 'get_cluster')
        self.at[6] = lambda: self.finish(cluster['id'])
        self.assertEqual(DONE, self.wait(cluster['id']))
        self.assertIs(endpoint, self.server)

    def away(self, *_: str) -> None:
        raise StorageUnavailable('The database does not answer now.')

    def test_a_project_that_asks_too_often(self) -> None:
        self.serve(api_read_rate=3)
        cluster = self.create(1)
        self.assertEqual(TIMED_OUT, self.wait(cluster['id'], timeout=60.0))
        self.assertIn('too many GET requests', ' '.join(self.said))

    def test_what_is_no_api_of_ours(self) -> None:
        for answer in (
            b'',
            b'nonsense\r\n\r\n',
            b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}',
            b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
            b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"cluster": 1}',
        ):
            with self.row(str(answer)), played(answer) as (port, asked):
                client = Client(f'http://127.0.0.1:{port}/v1.0/demo', {})
                self.assertRaises(Unavailable, client.get, 'cluster', 'clusters', 'x')
                self.assertEqual(1, len(asked))

    def test_a_login_follows_no_redirect(self) -> None:
        with played(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}') as (other, followed):
            head = f'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/\r\n'
            with played(f'{head}Content-Length: 0\r\n\r\n'.encode()) as (port, asked):
                client = Client(f'http://127.0.0.1:{port}', {'X-Auth-Token': 's3cret'})
                self.assertRaises(InvalidRequest, client.get, 'cluster', 'clusters', 'x')
                self.assertEqual(([1], []), ([len(asked)], followed))

    def test_an_api_that_hangs_is_left_in_time(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as listener:  # takes us, and says nothing
            client = Client(f'http://127.0.0.1:{listener.getsockname()[1]}/v1.0/demo', {})
            look = wait.Wait(client, tell=self.said.append)
            self.assertEqual(TIMED_OUT, look.run('clusters', 'x', 1.0))

    def test_operations_are_listed(self) -> None:
        cluster = self.create_active(1)
        answer = self.call('POST', 'clusters', cluster['id'], body={'reset-status': {}})
        self.assertEqual(202, answer.status_code, answer.text)
        self.finish(cluster['id'], OperationState.FAILED, 'member-1 does not answer')
        endpoint = f'{self.server.url}/v1.0/{self.project}'
        for wanted in (cluster['id'], 'redis-clstr'):
            status, output = self.run_cli('operations', wanted, OS_ENDPOINT=endpoint)
            self.assertEqual(0, status, output)
            newest, first = output.splitlines()
            self.assertTrue(newest.endswith('member-1 does not answer'), newest)
            self.assertEqual(['create', 'completed'], first.split()[2:4])
        status, output = self.run_cli('operations', 'nobody', OS_ENDPOINT=endpoint)
        self.assertEqual((NOT_FOUND, 'slotwright operations: Cluster nobod'), (status, output[:36]))

    # The program.

    def run_cli(self, *words: str, **environment: str) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        for name, value in environment.items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(errors):
            status = cli.main([*words])
        return status, errors.getvalue()

    def endpoint(self) -> Mapping[str, str]:
        return {'OS_ENDPOINT': f'{self.server.url}/v1.0/{self.project}'}

    def test_the_program(self) -> None:
        cluster = self.create_active(1)
        done = self.run_cli('wait', cluster['id'], **self.endpoint())
        self.assertEqual((DONE, 'create completed\n'), done)
        operation = cluster['operation']['id']
        self.assertEqual(DONE, self.run_cli('wait', '--operation', operation, **self.endpoint())[0])
        status, said = self.run_cli('wait', 'nothing', **self.endpoint())
        self.assertEqual((NOT_FOUND, True), (status, 'nothing cannot be found' in said))
        for endpoint in ('', 'api.example', 'http://', 'http://h:port/', 'ftp://h/'):
            self.assertEqual(USAGE, self.run_cli('wait', 'x', OS_ENDPOINT=endpoint)[0], endpoint)
        self.assertEqual(
            USAGE, self.run_cli('wait', 'x', OS_AUTH_TYPE='keystone', **self.endpoint())[0]
        )
        self.assertEqual(2, self.assertRaises(SystemExit, self.run_cli).code)

    def test_a_login_that_is_refused(self) -> None:
        self.serve(api_auth_strategy='admin_token', api_admin_token='s3cret')
        login = {**self.endpoint(), 'OS_AUTH_TYPE': 'admin_token'}
        status, said = self.run_cli('wait', 'x', **login, OS_TOKEN='guessed')
        self.assertEqual(REFUSED, status)
        self.assertNotIn('guessed', said)
        self.assertEqual(NOT_FOUND, self.run_cli('wait', 'x', **login, OS_TOKEN='s3cret')[0])
        status, said = self.run_cli('wait', 'x', **{**login, 'OS_AUTH_TYPE': 'http_basic'})
        self.assertEqual((USAGE, True), (status, 'Set OS_USERNAME' in said))

    def test_nobody_listens(self) -> None:
        endpoint = f'http://127.0.0.1:{servers.free_port()}/v1.0/demo'
        client = Client(endpoint, {})
        waiting = wait.Wait(
            client, tell=self.said.append, clock=lambda: self.time, sleep=self.sleep
        )
        self.assertEqual(UNREACHABLE, waiting.run('clusters', 'x', None))
