"""What a page of backup jobs, a new one and a search cost the API: CPU, and SQL statements.

CPU is user and system time of the API's process, over HTTP, on SQLite in a file and on a MariaDB
that is started for it (whose own CPU is not counted). The real Freezer API does the same beside it
on a database of the same kind, in turns, so that both meet the same machine.
"""

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.listing import REQUESTS, Server
from bench.report import Row, spread
from slotwright.domain import search
from slotwright.domain.backup_model import Client, Job, JobAction
from slotwright.storage.sqlalchemy import backup_tables as tables
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import servers

FREEZER = 'the Freezer API'
TARGET = '≥ 4x'
SEARCHED = 5000  # jobs
CLIENT = 'web1.example.org'
ACTION = {
    'action': 'backup',
    'mode': 'fs',
    'path_to_backup': '/var/lib/data',
    'backup_name': 'data',
    'container': 'backups',
    'storage': 'swift',
}
BODY = {
    'client_id': CLIENT,
    'description': 'nightly',
    'job_schedule': {'schedule_interval': '1 days', 'status': 'scheduled'},
    'job_actions': [{'freezer_action': ACTION, 'max_retries': 3, 'mandatory': True}],
}
POLL = {'match_not': [{'status': 'completed'}], 'match': [{'client_id': CLIENT}]}
#: Tables with something of each job, and the column that says of which.
COPIED = {
    tables.jobs: tables.jobs.c.seq,
    tables.job_attachments: tables.job_attachments.c.job,
    tables.action_attachments: tables.action_attachments.c.job,
    tables.backup_terms: tables.backup_terms.c.object,
}


def fill(store: SQLAlchemyStore, project: str, count: int) -> None:
    """Give a project a client and so many jobs, the first of which is made as any is."""
    store.backups.clients.create(Client(CLIENT, project, 'u', 'uuid'))
    part = JobAction(freezer_action=ACTION)
    schedule = {'schedule_interval': '1 days', 'status': 'scheduled'}
    store.backups.jobs.create(Job(f'{project}-0', project, 'u', CLIENT, schedule, (part,)))

    def copy(conn: sa.Connection) -> None:
        seq = conn.scalar(sa.select(sa.func.max(tables.jobs.c.seq)))
        for table, owner in COPIED.items():
            query = sa.select(table).where(owner == seq)
            if table is tables.backup_terms:
                query = query.where(table.c.kind == 'jobs')
            for row in conn.execute(query).mappings().all():
                copies = [
                    {
                        **row,
                        owner.name: seq + n,
                        **({'id': f'{project}-{n}'} if 'id' in row else {}),
                    }
                    for n in range(1, count)
                ]
                conn.execute(sa.insert(table), copies)

    store.database.write(copy)


def statements(store: SQLAlchemyStore, wanted: search.Search) -> int:
    """How many SQL statements a search of a page of 10 takes."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if not statement.startswith('BEGIN'):
            seen.append(statement)

    sa.event.listen(store.database.engine, 'before_cursor_execute', note)
    if len(store.backups.jobs.list('many', wanted)) != 10:
        raise RuntimeError('the search did not find what there is')
    sa.event.remove(store.database.engine, 'before_cursor_execute', note)
    return len(seen)


def measure(foreign: Sequence[int], runs: int) -> Iterator[Row]:
    """A page of 10 and a POST; the page beside ``foreign`` jobs; a search over ``SEARCHED``."""
    with tempfile.TemporaryDirectory() as folder:
        files = (f'sqlite:///{folder}/ours.db', f'sqlite:///{folder}/theirs.db')
        with _both(*files) as (store, both):
            yield from _usual(both, 'SQLite', runs)
            yield from _search(store, both, runs)
        server = servers.shared(servers.MariaDB)
        with _both(server.new_database(), server.new_database()) as (_, both):
            yield from _usual(both, 'MariaDB', runs)
        for count in foreign:
            yield _crowded(folder, count, runs)


@contextmanager
def _both(ours: str, theirs: str) -> Iterator[tuple[SQLAlchemyStore, tuple[Server, Server]]]:
    """Our store, and the two APIs on their empty databases, with what is asked for in them."""
    with ExitStack() as ends:
        migration.upgrade(ours)
        store = SQLAlchemyStore.connect(ours)
        ends.callback(store.close)
        store.backups.clients.create(Client(CLIENT, 'post', 'u', 'uuid'))
        fill(store, 'demo', 10)
        both = (
            ends.enter_context(Server('slotwright', ours)),
            ends.enter_context(Server(theirs, module='bench.freezer')),
        )
        for project in ('post', 'demo', 'many'):
            both[1].post(f'/v2/{project}/clients', json.dumps({'client_id': CLIENT}))
        for number in range(10):
            _post(both[1], 'demo', number)
        yield store, both


def _usual(both: Sequence[Server], database: str, runs: int) -> Iterator[Row]:
    """What is asked for most."""
    yield _beside(f'a GET of a page of 10 jobs, on {database}', in_turn(both, 'demo', runs))
    yield _beside(f'a POST of a job, on {database}', posts(both, runs))


def _search(store: SQLAlchemyStore, both: Sequence[Server], runs: int) -> Iterator[Row]:
    fill(store, 'many', SEARCHED)
    for number in range(SEARCHED):
        _post(both[1], 'many', number)
    searched = in_turn(both, 'many', runs, json.dumps(POLL), calls=3)
    yield _beside(f"a scheduler's search of a page among {SEARCHED} jobs", searched)
    yield Row(
        what='SQL statements of that search',
        ours=str(statements(store, search.parse(POLL))),
        target='≤ 3',
    )


def in_turn(
    servers: Sequence[Server],
    project: str,
    runs: int,
    body: str | None = None,
    calls: int = REQUESTS,
) -> list[list[float]]:
    """Milliseconds of a GET of a page by each server, in each run."""
    path = f'/v2/{project}/jobs?limit=10'
    took: list[list[float]] = [[] for _ in servers]
    for _ in range(runs):
        for server, times in zip(servers, took, strict=True):
            if len(json.loads(server.get(path, body))['jobs']) != 10:
                raise RuntimeError('this is not what is measured')
            times.append(server.cpu(lambda one=server: one.get(path, body), calls))
    return took


def posts(servers: Sequence[Server], runs: int) -> list[list[float]]:
    """Milliseconds of a POST of a job by each server, in each run."""
    numbers = itertools.count()
    took: list[list[float]] = [[] for _ in servers]
    for _ in range(runs):
        for server, times in zip(servers, took, strict=True):
            times.append(server.cpu(lambda one=server: _post(one, 'post', next(numbers))))
    return took


def _post(server: Server, project: str, number: int) -> None:
    body = {**BODY, 'description': f'job {number}'}
    server.post(f'/v2/{project}/jobs', json.dumps(body))


def _database(folder: str, name: str) -> str:
    database = f'sqlite:///{folder}/{name}.db'
    migration.upgrade(database)
    return database


def _crowded(folder: str, count: int, runs: int) -> Row:
    """The page of 10 in a database with other projects' jobs, and in one without."""
    databases = [_database(folder, f'alone-{count}'), _database(folder, f'crowded-{count}')]
    for database in databases:
        store = SQLAlchemyStore.connect(database)
        fill(store, 'demo', 10)
        if database is databases[1]:
            fill(store, 'others', count)
        store.close()
    with Server('slotwright', databases[0]) as one, Server('slotwright', databases[1]) as other:
        alone, crowded = in_turn((one, other), 'demo', runs)
    return Row(
        f'CPU of a GET of 10 jobs, beside {count} of another project',
        spread(crowded, 'ms'),
        'without them',
        spread(alone, 'ms'),
        f'{median(crowded) / median(alone):.2f}x',
        '≤ 1.10x',
    )


def _beside(what: str, took: Sequence[Sequence[float]]) -> Row:
    ours, theirs = took
    ratio = f'{median(theirs) / median(ours):.1f}x'
    against = f'{FREEZER} {metadata.version("freezer-api")}'
    return Row(f'CPU of {what}', spread(ours, 'ms'), against, spread(theirs, 'ms'), ratio, TARGET)
