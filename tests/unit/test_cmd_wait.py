"""``slotwright wait`` against the API on a real socket."""

import contextlib
import io
import os
from collections.abc import Callable, Mapping
from typing import Any

import fixtures

from api.server import ApiServer
from slotwright.client import Client
from slotwright.cmd import cli, wait
from slotwright.cmd.wait import DONE, FAILED, NOT_FOUND, REFUSED, TIMED_OUT, UNREACHABLE, USAGE
from slotwright.domain.errors import StorageUnavailable
from slotwright.domain.states import OperationState
from tests import servers
from tests.unit.api_fixture import ApiTestCase


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

    # The program.

    def run_cli(self, *words: str, **environment: str) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        for name, value in environment.items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = cli.main(['wait', *words])
        return status, errors.getvalue()

    def endpoint(self) -> Mapping[str, str]:
        return {'OS_ENDPOINT': f'{self.server.url}/v1.0/{self.project}'}

    def test_the_program(self) -> None:
        cluster = self.create_active(1)
        done = self.run_cli(cluster['id'], **self.endpoint())
        self.assertEqual((DONE, 'create completed\n'), done)
        operation = cluster['operation']['id']
        self.assertEqual(DONE, self.run_cli('--operation', operation, **self.endpoint())[0])
        status, said = self.run_cli('nothing', **self.endpoint())
        self.assertEqual((NOT_FOUND, True), (status, 'nothing cannot be found' in said))
        self.assertEqual(USAGE, self.run_cli('x', OS_ENDPOINT='')[0])
        self.assertEqual(USAGE, self.run_cli('x', OS_AUTH_TYPE='keystone', **self.endpoint())[0])
        self.assertEqual(2, self.assertRaises(SystemExit, self.run_cli).code)

    def test_a_login_that_is_refused(self) -> None:
        self.serve(api_auth_strategy='admin_token', api_admin_token='s3cret')
        login = {**self.endpoint(), 'OS_AUTH_TYPE': 'admin_token'}
        status, said = self.run_cli('x', **login, OS_TOKEN='guessed')
        self.assertEqual(REFUSED, status)
        self.assertNotIn('guessed', said)
        self.assertEqual(NOT_FOUND, self.run_cli('x', **login, OS_TOKEN='s3cret')[0])
        status, said = self.run_cli('x', **{**login, 'OS_AUTH_TYPE': 'http_basic'})
        self.assertEqual((USAGE, True), (status, 'Set OS_USERNAME' in said))

    def test_nobody_listens(self) -> None:
        endpoint = f'http://127.0.0.1:{servers.free_port()}/v1.0/demo'
        client = Client(endpoint, {})
        waiting = wait.Wait(
            client, tell=self.said.append, clock=lambda: self.time, sleep=self.sleep
        )
        self.assertEqual(UNREACHABLE, waiting.run('clusters', 'x', None))
