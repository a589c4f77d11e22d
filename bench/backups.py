"""What a page of backup jobs, a new one and a search cost the API: CPU, and SQL statements.

CPU is user and system time of the server's process, on SQLite in a file, over HTTP. Beside it are
the figures of the real Freezer API on SQLite, measured on a machine of two busy CPUs.
"""

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.listing import Server
from bench.report import Row, spread
from slotwright.domain import search
from slotwright.domain.backup_model import Client, Job, JobAction
from slotwright.storage.sqlalchemy import backup_tables as tables
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

FREEZER = 'the Freezer API'
THEIRS = {'GET': '14 ms', 'POST': '6 ms'}
PAGE_TARGET, POST_TARGET = 3.5, 1.5  # ms
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
    'job_schedule': {'schedule_interval': '1 day', 'status': 'scheduled'},
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
    schedule = {'schedule_interval': '1 day', 'status': 'scheduled'}
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
        database = f'sqlite:///{folder}/slotwright.db'
        migration.upgrade(database)
        store = SQLAlchemyStore.connect(database)
        store.backups.clients.create(Client(CLIENT, 'post', 'u', 'uuid'))
        fill(store, 'demo', 10)
        alone = pages(database, runs, 'demo')
        yield _beside('GET', 'a page of 10 jobs', alone, PAGE_TARGET)
        yield _beside('POST', 'a job', posts(database, runs), POST_TARGET)
        for count in foreign:
            fill(store, f'foreign-{count}', count)
            crowded = pages(database, runs, 'demo')
            yield Row(
                f'CPU of a GET of 10 jobs, beside {count} of another project',
                spread(crowded, 'ms'),
                'without them',
                spread(alone, 'ms'),
                f'{median(crowded) / median(alone):.2f}x',
                '≤ 1.10x',
            )
        fill(store, 'many', SEARCHED)
        took = pages(database, runs, 'many', json.dumps(POLL))
        yield Row(
            f"CPU of a scheduler's search of a page among {SEARCHED} jobs",
            spread(took, 'ms'),
            f'{FREEZER}, elapsed',
            '3500 ms',
            f'{3500 / median(took):.0f}x',
        )
        yield Row(
            what='SQL statements of that search',
            ours=str(statements(store, search.parse(POLL))),
            target='≤ 3',
        )
        store.close()


def pages(database: str, runs: int, project: str, body: str | None = None) -> list[float]:
    """Milliseconds of a GET of a page, in each run."""
    path = f'/v2/{project}/jobs?limit=10'
    with Server('slotwright', database) as server:
        server.get(path, body)
        return [server.cpu(lambda: server.get(path, body)) for _ in range(runs)]


def posts(database: str, runs: int) -> list[float]:
    """Milliseconds of a POST of a job, in each run."""
    numbers = itertools.count()
    with Server('slotwright', database) as server:

        def post() -> None:
            body = {**BODY, 'description': f'job {next(numbers)}'}
            server.post('/v2/post/jobs', json.dumps(body))

        post()
        return [server.cpu(post) for _ in range(runs)]


def _beside(method: str, what: str, took: Sequence[float], target: float) -> Row:
    theirs = THEIRS[method]
    ratio = f'{float(theirs.split()[0]) / median(took):.1f}x'
    text = f'≤ {target} ms'
    return Row(f'CPU of a {method} of {what}', spread(took, 'ms'), FREEZER, theirs, ratio, text)
