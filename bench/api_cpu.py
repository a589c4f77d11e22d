"""CPU per request of the REST API, through WSGI, on SQLite in a file.

    python -m bench.api_cpu [requests]

Prints CPU milliseconds and SQL statements per request: a page of 10 clusters of 3, one
cluster, and a create of 3.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from falcon import testing
from oslo_config import cfg

from api import wiring
from slotwright import conf as options
from slotwright.rpc.contract import CommandContext
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

BODY = (
    b'{"cluster": {"name": "c", "datastore": {"type": "redis", "version": "3.0"}, "instances": ['
    + b', '.join([b'{"flavorRef": "2", "volume": {"size": 2}}'] * 3)
    + b']}}'
)


class Sink:
    """A taskmanager that takes wake-ups and does nothing."""

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None:
        """Only the API's own work is measured."""


class Call:
    """One request, as a server hands it to the application."""

    def __init__(self, app: Any, method: str, path: str, body: bytes = b'') -> None:
        self._app = app
        self._arguments = {'method': method, 'path': path, 'body': body}
        self._headers = {'Content-Type': 'application/json'} if body else {}

    def __call__(self) -> int:
        environ = testing.create_environ(headers=self._headers, **self._arguments)
        answers: list[str] = []

        def start(status: str, *_: object) -> None:
            answers.append(status)

        body = b''.join(self._app(environ, start))
        if not answers[0].startswith('20'):
            raise RuntimeError(f'{answers[0]}: {body[:200]!r}')
        return len(body)


def measure(name: str, call: Callable[[], int], count: int, statements: list[int]) -> None:
    size = call()
    statements[0] = 0
    began = time.process_time()
    for _ in range(count):
        call()
    spent = (time.process_time() - began) / count * 1000
    print(f'{name:24} {spent:6.2f} ms CPU  {statements[0] / count:4.1f} statements  {size} bytes')


def main(count: int) -> None:
    conf = options.register(cfg.ConfigOpts())
    conf([], project='slotwright')
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as executor:
        store = SQLAlchemyStore.connect(f'sqlite:///{folder}/bench.sqlite')
        migration.upgrade(store)
        statements = [0]

        def count_statement(*_: object) -> None:
            statements[0] += 1

        sa.event.listen(store.database.engine, 'before_cursor_execute', count_statement)
        app = wiring.build(conf, store, Sink(), None, executor)  # type: ignore[arg-type]
        create = Call(app, 'POST', '/v1.0/demo/clusters', BODY)
        for _ in range(10):
            create()
        (cluster, *_) = store.list_clusters('demo', 1)
        show = Call(app, 'GET', f'/v1.0/demo/clusters/{cluster.id}')
        measure('GET a page of 10 of 3', Call(app, 'GET', '/v1.0/demo/clusters'), count, statements)
        measure('GET one of 3', show, count, statements)
        create_elsewhere = Call(app, 'POST', '/v1.0/other/clusters', BODY)
        measure('POST one of 3', create_elsewhere, count, statements)
        store.close()


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
