"""Live streams of events: how late they are, and what many of them cost.

Lateness is from the time that the database gave the change to when its reader has it, over RabbitMQ
and MariaDB, with events published on a Redis. For the cost, ``STREAMS`` readers hang on one API
daemon while others list clusters.
"""

import datetime
import http.client
import os
import resource
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import fixtures

from bench.forming import DEFAULTS
from bench.report import Row
from slotwright.clock import utcnow
from tests import servers
from tests.deployment import PROJECT, Deployment
from tests.event_reader import EventReader

GETS = 300
IDLE = 5.0  # seconds over which CPU is measured
PATH = f'/v1.0/{PROJECT}/events'


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """Rows for each number of streams in ``sizes``, on threads and on eventlet."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    for concurrency in ('threading', 'eventlet'):
        with Service(concurrency, max(sizes)) as service:
            yield from service.lateness(runs)
            for size in sizes:
                yield from service.crowd(size)


class Service(fixtures.Fixture):
    """The daemons, and what is asked of them."""

    def __init__(self, concurrency: str, streams: int) -> None:
        super().__init__()
        self._concurrency = concurrency
        self._streams = streams

    def _setUp(self) -> None:
        redis = self.useFixture(servers.RedisServer())
        options: dict[str, dict[str, object]] = {
            **{section: dict(values) for section, values in DEFAULTS.items()},
            'DEFAULT': {
                'debug': False,
                'transport_url': servers.shared(servers.RabbitMQ).new_vhost(),
            },
            'events': {'driver': 'redis', 'uri': redis.url},
        }
        options.setdefault('api', {}).update(
            concurrency=self._concurrency,
            event_streams=self._streams + 1,
            event_streams_per_project=self._streams + 1,
        )
        self._plane = self.useFixture(
            Deployment(
                servers.shared(servers.RabbitMQ).new_vhost(),
                servers.shared(servers.MariaDB).new_database(),
                options=options,
            )
        )
        self._url = f'http://127.0.0.1:{self._plane.port}'

    def lateness(self, runs: int) -> Iterator[Row]:
        """Of all events of some creates and deletes."""
        late: list[float] = []
        reader = EventReader(self._url, PATH).begin()

        def follow() -> None:
            while (event := reader.next()) is not None:
                now = utcnow()
                created = datetime.datetime.fromisoformat(event[1]['created'])
                late.append((now - created).total_seconds() * 1000)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        api = self._plane.api
        for _ in range(runs):
            cluster_id = api.create(3)['id']
            api.completed(cluster_id)
            api('DELETE', f'/clusters/{cluster_id}')
            api.settled(cluster_id)
        time.sleep(1)
        reader.link.shutdown(socket.SHUT_RDWR)
        thread.join()
        yield Row(
            f'change to stream, {self._concurrency}, {len(late)} events',
            f'p50 {_percentile(late, 50):.0f} ms, p99 {_percentile(late, 99):.0f} ms',
        )

    def crowd(self, size: int) -> Iterator[Row]:
        """GETs without and with that many streams; what the daemon takes."""
        alone = self._gets()
        with Crowd(self._url, size) as crowd:
            among = self._gets()
            before = self._cpu()
            time.sleep(IDLE)
            cpu = (self._cpu() - before) / IDLE * 100
            yield Row(
                f'GET beside {size} streams, {self._concurrency}',
                f'p50 {_percentile(among, 50):.1f} ms, p99 {_percentile(among, 99):.1f} ms',
                'without streams',
                f'p50 {_percentile(alone, 50):.1f} ms, p99 {_percentile(alone, 99):.1f} ms',
            )
            yield Row(
                f'API daemon with {crowd.size} idle streams, {self._concurrency}',
                f'{self._memory():.0f} MiB, {cpu:.1f}% of a core',
            )

    def _gets(self) -> list[float]:
        connection = http.client.HTTPConnection('127.0.0.1', self._plane.port, timeout=60)
        took = []
        for _ in range(GETS):
            began = time.perf_counter()
            connection.request('GET', f'/v1.0/{PROJECT}/clusters')
            connection.getresponse().read()
            took.append((time.perf_counter() - began) * 1000)
        connection.close()
        return took

    def _cpu(self) -> float:
        """Seconds that the API daemon has used."""
        with open(f'/proc/{self._plane.api_process.pid}/stat') as file:
            fields = file.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def _memory(self) -> float:
        """MiB that it has in memory."""
        with open(f'/proc/{self._plane.api_process.pid}/status') as file:
            (line,) = (line for line in file if line.startswith('VmRSS:'))
        return int(line.split()[1]) / 1024


class Crowd:
    """Many readers of one stream each, which read whatever comes."""

    def __init__(self, url: str, size: int) -> None:
        self.size = size
        self._readers = [EventReader(url, PATH).begin() for _ in range(size)]
        self._selector = selectors.DefaultSelector()
        for reader in self._readers:
            if reader.status != 200:
                raise RuntimeError(f'a stream was refused: {reader.status}')
            reader.link.setblocking(False)
            self._selector.register(reader.link, selectors.EVENT_READ)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> 'Crowd':
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stopping.set()
        self._thread.join()
        for reader in self._readers:
            reader.close()

    def _read(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._selector.select(0.5):
                key.fileobj.recv(65536)  # type: ignore[union-attr]


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]
