"""What lists, shows and creates cost the API: SQL statements, CPU and requests a second.

CPU is user and system time of the server's process, on SQLite in a file, over HTTP. Statements
are counted in this process, on the same database. Requests a second come over ``CALLERS``
connections at once, from this process, which takes its part of the machine too.
"""

import base64
import http.client
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import fixtures
import sqlalchemy as sa
from falcon import testing

from bench import served
from bench.report import Row, spread
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.deployment import cluster_body
from tests.guarded import Process, wait_until

REQUESTS = 100  # in a run
CALLERS = 4
MASTERS = 3
CLUSTERS = '/v1.0/demo/clusters'
BODY = json.dumps({'cluster': cluster_body(MASTERS)})
LOGIN = base64.b64encode(f'{served.USER}:{served.PASSWORD}'.encode()).decode()
HEADERS = {'Content-Type': 'application/json', 'Authorization': f'Basic {LOGIN}'}
PAGE_TARGET, POST_TARGET = 3.5, 1.5  # ms; a quarter of what the Freezer API takes


class Server(fixtures.Fixture):
    """A server's process, of ``bench.served`` or another, and a connection to it."""

    def __init__(self, *arguments: str, module: str = 'bench.served') -> None:
        super().__init__()
        self._command = [sys.executable, '-m', module, *arguments]

    def _setUp(self) -> None:
        self._process = self.useFixture(Process(self._command))
        wait_until(lambda: b'http://' in self._process.log_tail(), 'the server to listen')
        url = urlsplit(self._process.log_tail().decode().split()[-1])
        self._netloc = str(url.netloc)
        self._connection = self._connect()

    def get(self, path: str, body: str | None = None) -> bytes:
        return ask(self._connection, 'GET', path, body)

    def post(self, path: str, body: str = BODY) -> bytes:
        return ask(self._connection, 'POST', path, body)

    def rate(self, path: str) -> float:
        """GETs of ``path`` that are answered in a second."""
        connections = [self._connect() for _ in range(CALLERS)]

        def call(connection: http.client.HTTPConnection) -> None:
            for _ in range(REQUESTS):
                ask(connection, 'GET', path)

        with ThreadPoolExecutor(CALLERS) as callers:
            began = time.monotonic()
            list(callers.map(call, connections))
            return CALLERS * REQUESTS / (time.monotonic() - began)

    def cpu(self, call: Callable[[], object], calls: int = REQUESTS) -> float:
        """Milliseconds of the process for one call, over so many of them."""
        before = self._spent()
        for _ in range(calls):
            call()
        return (self._spent() - before) / calls * 1000

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._netloc, timeout=30)
        self.addCleanup(connection.close)
        return connection

    def _spent(self) -> float:
        # The CPU clock of a process, as clock_getcpuclockid(3) numbers it: /proc counts in 10 ms,
        # which is more than a few requests take.
        return time.clock_gettime(~self._process.pid << 3 | 2)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None
) -> bytes:
    try:
        connection.request(method, path, body, HEADERS)
        answer = connection.getresponse()
    except ConnectionError:  # it was idle for too long
        connection.close()
        connection.request(method, path, body, HEADERS)
        answer = connection.getresponse()
    data = answer.read()
    if answer.status not in (200, 201, 202):
        raise RuntimeError(f'{answer.status}: {data[:200]!r}')
    return data


def statements(database: str, pages: Sequence[int]) -> list[int]:
    """How many SQL statements a GET of each of ``pages`` takes."""
    store = SQLAlchemyStore.connect(database)
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(store.database.engine, 'before_cursor_execute', note)
    counts = []
    with ThreadPoolExecutor(1) as executor:
        client = testing.TestClient(served.ours(store, executor))
        client.simulate_get(CLUSTERS)  # what is asked once only
        for page in pages:
            seen.clear()
            listed = client.simulate_get(CLUSTERS, params={'limit': page}).json['clusters']
            if len(listed) != page:
                raise RuntimeError(f'{len(listed)} clusters in a page of {page}')
            counts.append(len(seen))
    store.close()
    return counts


def beside_bare(ours: Server, path: str, what: str, target: str, runs: int) -> Iterator[Row]:
    """A GET of ``path`` by us, and by a bare Falcon application that answers the same JSON."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, 'answer.json')
        answer.write_bytes(ours.get(path))
        took, floor, rate, most = [], [], [], []
        with Server('bare', str(answer)) as bare:
            for _ in range(runs):
                took.append(ours.cpu(lambda: ours.get(path)))
                floor.append(bare.cpu(lambda: bare.get(path)))
                rate.append(ours.rate(path))
                most.append(bare.rate(path))
    against = 'bare Falcon, the same JSON'
    yield Row(
        f'CPU of a GET of {what}', spread(took, 'ms'), against, spread(floor, 'ms'), '', target
    )
    yield Row(
        what=f'GETs of {what} a second',
        ours=spread(rate, '/s'),
        against=against,
        theirs=spread(most, '/s'),
        ratio=f'{median(rate) / median(most):.2f}x',
    )


def measure(pages: Sequence[int], runs: int) -> Iterator[Row]:
    """Statements for each of ``pages``, then the CPU of a page of 10 and of a create."""
    with tempfile.TemporaryDirectory() as folder:
        database = f'sqlite:///{folder}/slotwright.db'
        migration.upgrade(database)
        with Server('slotwright', database) as ours:
            for _ in range(max(pages)):
                ours.post(CLUSTERS)
            yield Row(
                what=f'SQL statements for a page of {", ".join(map(str, pages))} clusters of 3',
                ours=', '.join(map(str, statements(database, pages))),
                target='the same for all',
            )
            page = f'{CLUSTERS}?limit=10'
            yield from beside_bare(ours, page, '10 clusters of 3', f'≤ {PAGE_TARGET} ms', runs)
            first = json.loads(ours.get(page))['clusters'][0]['id']
            yield from beside_bare(ours, f'{CLUSTERS}/{first}', 'one cluster of 3', '', runs)
            with Server('basic', database) as basic:
                took, logged_in = [], []
                basic.get(page)  # the first login of all takes a bcrypt
                for _ in range(runs):
                    took.append(ours.cpu(lambda: ours.get(page)))
                    logged_in.append(basic.cpu(lambda: basic.get(page)))
            yield Row(
                what='CPU of a GET of 10 clusters with a login (http_basic)',
                ours=spread(logged_in, 'ms'),
                against='without one',
                theirs=spread(took, 'ms'),
                ratio=f'{median(logged_in) / median(took):.2f}x',
                target='≤ 1.50x',
            )
            # Each project has a quota; 60 clusters of 3 are within it.
            numbers = itertools.count()
            created = [
                ours.cpu(lambda: ours.post(f'/v1.0/p{next(numbers) // 60}/clusters'))
                for _ in range(runs)
            ]
            yield Row(
                what='CPU of a POST of a cluster of 3',
                ours=spread(created, 'ms'),
                target=f'≤ {POST_TARGET} ms',
            )
