"""The three daemons as an operator runs them: processes, a broker, a database.

Whatever they start (agents, redis-servers) lives on when a daemon is killed, and is gone
with the fixture.
"""

import itertools
import json
import os
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fixtures

from slotwright.storage.sqlalchemy import migration
from tests import processes, servers
from tests.guarded import Process, wait_until

PROJECT = 'demo'
_networks = itertools.cycle(range(1, 255))
#: Alembic runs one upgrade at a time in a process.
_migrating = threading.Lock()
#: As wide as a test's patience with a busy machine.
READY = 120.0

#: ``slotwright``, without relying on PATH.
CLI = (sys.executable, '-m', 'slotwright.cmd.cli')

#: Short beats: tests wait for leases and heartbeats. Not that short is what ends in another
#: result where an agent on a busy machine is slow to answer.
FAST: Mapping[str, Mapping[str, object]] = {
    'taskmanager': {'lease': 2, 'sweep_interval': 0.3, 'patience': 60},
    'guestagent': {'heartbeat_interval': 0.5},
    'rpc': {'agent_low_timeout': 6},
}
#: For tests in which agents are silent, and others have to be quick.
IMPATIENT: Mapping[str, Mapping[str, object]] = {
    'taskmanager': {'patience': 6},
    'rpc': {'agent_low_timeout': 2},
}


class HttpApi:
    """The REST API of a project, as any HTTP client sees it.

    :param headers: sent with every request: a login
    """

    def __init__(
        self, url: str, project: str = PROJECT, headers: Mapping[str, str] | None = None
    ) -> None:
        self.endpoint = f'{url}/v1.0/{project}'
        self.headers = dict(headers or {})

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Answers (status, body); the body is None when there is none."""
        request = urllib.request.Request(
            self.endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={'Content-Type': 'application/json', **self.headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b'null')
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b'null')

    def create(self, masters: int, name: str = 'clstr') -> Any:
        """POST a cluster; answers it as accepted."""
        status, body = self('POST', '/clusters', {'cluster': cluster_body(masters, name)})
        assert status == 202, body
        return body['cluster']

    def cluster(self, cluster_id: str) -> Any:
        """The cluster as shown, None when it is gone."""
        status, body = self('GET', f'/clusters/{cluster_id}')
        assert status in (200, 404), body
        return body['cluster'] if status == 200 else None

    def action(self, cluster_id: str, body: Any) -> None:
        status, answer = self('POST', f'/clusters/{cluster_id}/action', body)
        assert status == 202, answer

    def settled(self, cluster_id: str, timeout: float = READY) -> Any:
        """Wait until the cluster has no task; answers it, None when it is gone."""
        found: list[Any] = []

        def idle() -> bool:
            found[:] = [self.cluster(cluster_id)]
            return found[0] is None or found[0]['task']['name'] == 'NONE'

        wait_until(idle, f'cluster {cluster_id} to have no task', timeout)
        return found[0]

    def completed(self, cluster_id: str, timeout: float = READY) -> Any:
        """As ``settled``, and its operation has succeeded."""
        cluster = self.settled(cluster_id, timeout)
        if cluster is not None:
            operation = cluster['operation']
            assert operation['state'] == 'completed', operation
        return cluster


def loopback_network() -> str:
    """A loopback network that nobody else in this process has, and hardly another one."""
    return f'127.{100 + os.getpid() % 100}.{next(_networks)}.0/24'


def members(count: int) -> list[dict[str, Any]]:
    return [{'flavorRef': '1', 'volume': {'size': 1}} for _ in range(count)]


def cluster_body(masters: int, name: str = 'clstr') -> dict[str, Any]:
    datastore = {'type': 'redis', 'version': '3.0'}
    return {'name': name, 'datastore': datastore, 'instances': members(masters)}


class Deployment(fixtures.Fixture):
    """``slotwright-api`` and as many ``slotwright-taskmanager`` as wanted.

    :param broker: URL for transport_url
    :param database: URL; a SQLite file of its own when not given
    :param options: options by section, over ``FAST``
    :param taskmanagers: how many are started at first
    :param environment: added to that of all daemons, and of what they start
    """

    def __init__(
        self,
        broker: str,
        database: str | None = None,
        options: Mapping[str, Mapping[str, object]] | None = None,
        taskmanagers: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.broker = broker
        self.database = database
        self.options = dict(options or {})
        self.count = taskmanagers
        self.environment = dict(environment or {})

    def _setUp(self) -> None:
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.database = self.database or f'sqlite:///{self.directory}/slotwright.sqlite'
        self.data_dir = self.directory / 'instances'
        self.port = servers.free_port()
        self.network = loopback_network()
        self.config = self.directory / 'slotwright.conf'
        self.config.write_text(self._render())
        with _migrating:
            migration.upgrade(self.database)
        self.taskmanagers = [self.start_taskmanager() for _ in range(self.count)]
        self.api = HttpApi(f'http://127.0.0.1:{self.port}')
        self.start_api()

    def start_api(self) -> None:
        """Start ``api_process``, and wait until it answers; again once it has ended."""
        self.api_process = self.useFixture(self._daemon('slotwright.cmd.api'))
        wait_until(self._answers, 'the API to answer', READY)

    def start_taskmanager(self, environment: Mapping[str, str] | None = None) -> Process:
        """Start one more; what it starts lives on when it is killed."""
        return self.useFixture(self._daemon('slotwright.cmd.taskmanager', environment))

    def agent_pids(self) -> dict[str, int]:
        """The pids of the agents that run, by instance id."""
        return processes.agents(self.config)

    def redis_pids(self) -> set[int]:
        """The pids of all redis-servers that run on this deployment's instances."""
        return set(self.redis_servers().values())

    def redis_servers(self) -> dict[str, int]:
        """The same pids, by instance id."""
        return processes.redis_servers(self.data_dir)

    def _daemon(self, module: str, environment: Mapping[str, str] | None = None) -> Process:
        command = [sys.executable, '-m', module, '--config-file', str(self.config)]
        return Process(command, {**self.environment, **(environment or {})}, linger=True)

    def _answers(self) -> bool:
        try:
            return self.api('GET', '/clusters')[0] == 200
        except OSError:
            return False

    def _render(self) -> str:
        return render(
            {
                'DEFAULT': {'transport_url': self.broker, 'debug': True},
                'database': {'connection': self.database},
                'api': {'bind_port': self.port},
                'local': {'data_dir': self.data_dir, 'network': self.network},
            },
            FAST,
            self.options,
        )


def render(*layers: Mapping[str, Mapping[str, object]]) -> str:
    """A configuration file of options by section; later layers win."""
    sections: dict[str, dict[str, object]] = {}
    for layer in layers:
        for section, options in layer.items():
            sections.setdefault(section, {}).update(options)
    lines = []
    for section, options in sections.items():
        lines += [f'[{section}]', *(f'{name} = {value}' for name, value in options.items())]
    return '\n'.join(lines) + '\n'
