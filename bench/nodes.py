"""Redis nodes without Slotwright, and who looks at nodes from outside."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import fixtures
import redis

from bench import poller
from tests import servers
from tests.guarded import Process, wait_until

#: Seconds a node has to run before it can say cluster_state:ok, and some more.
WARM = 2.5

_NETWORKS = (f'127.{200 + os.getpid() % 50}.{n}' for n in itertools.count(1))


class PlainNodes(fixtures.Fixture):
    """Empty nodes with the persistence that Slotwright gives to its own."""

    def __init__(self, count: int) -> None:
        super().__init__()
        network = next(_NETWORKS)
        self._hosts = [f'{network}.{n}' for n in range(1, count + 1)]
        self._program = servers.find_program('redis-server', package='redis-server')
        self._cli = servers.find_program('redis-cli', package='redis-tools')

    def _setUp(self) -> None:
        port = servers.free_port()
        while port + 10000 > 60000:
            port = servers.free_port()
        self.addresses = [(host, port) for host in self._hosts]
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        for host, _ in self.addresses:
            (directory / host).mkdir()
            given = {
                'bind': host,
                'port': str(port),
                'dir': str(directory / host),
                'cluster-enabled': 'yes',
                'cluster-announce-ip': host,
                'appendonly': 'yes',
                'save': '',
                'protected-mode': 'no',
            }
            words = [word for name, value in given.items() for word in (f'--{name}', value)]
            self.useFixture(Process([self._program, *words]))
        for host, _ in self.addresses:
            wait_until(lambda host=host: _answers(host, port), f'node {host} to answer')

    def form(self) -> tuple[float, float]:
        """Have redis-cli form them; answers (seconds until they agree, until it ended)."""
        watch = Watch(self.addresses)
        names = [f'{host}:{port}' for host, port in self.addresses]
        began = time.monotonic()
        subprocess.run(
            [self._cli, '--cluster', 'create', *names, '--cluster-yes'],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        ended = time.monotonic()
        return watch.agreed() - began, ended - began


class Watch:
    """A ``bench.poller`` process, connected and looking."""

    def __init__(
        self, nodes: Sequence[tuple[str, int]], user: str = 'default', password: str = ''
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-SE', str(poller.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout
        asked = {'nodes': nodes, 'user': user, 'password': password}
        self._process.stdin.write(json.dumps(asked) + '\n')
        self._process.stdin.close()
        if self._process.stdout.readline() != 'ready\n':
            raise RuntimeError('the poller does not reach the nodes')

    def agreed(self) -> float:
        """When all agreed, in seconds of CLOCK_MONOTONIC.

        :raises RuntimeError: when they never did.
        """
        assert self._process.stdout
        with self._process as process:
            assert process.stdout
            line = process.stdout.readline()
        if not line:
            raise RuntimeError('the nodes did not become a cluster')
        return float(line)


def _answers(host: str, port: int) -> bool:
    with redis.Redis(host=host, port=port, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False
