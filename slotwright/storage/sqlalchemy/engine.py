"""Engines, set up so that all databases keep the same promises."""

import contextlib
import os
from typing import Any

import sqlalchemy as sa
from oslo_db.sqlalchemy import engines, exc_filters
from sqlalchemy import dialects

#: In ``Connection.info``: whether the transaction about to begin is going to write.
WRITES = 'slotwright_writes'
#: In ``Connection.info``: whether a statement was sent since somebody last set this to False.
SENT = 'slotwright_sent'
#: In ``Connection.info``: the last transaction is committed, so that there is none to roll back.
COMMITTED = 'slotwright_committed'

SQLITE_BUSY_TIMEOUT = 10_000  # ms
CONNECT_TIMEOUT = 5  # seconds
STATEMENT_TIMEOUT = 60  # seconds; longer than InnoDB waits for a lock by default


def create(
    url: str, statement_timeout: int | None = STATEMENT_TIMEOUT, **options: Any
) -> sa.Engine:
    """Make an engine; nothing is connected yet, unless ``max_retries`` is given.

    ``options`` are those of ``oslo_db.sqlalchemy.engines.create_engine``; for SQLite only
    those of the pool matter. A server that accepts connections but never answers counts as
    gone after ``statement_timeout`` seconds (MySQL only; None: never). A connection that the
    server has closed meanwhile shows at its first statement: whoever uses the engine has to
    begin the transaction again then, as ``transactions.Database`` does.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == 'sqlite':
        return _create_sqlite(parsed, options)
    defaults = {'thread_checkin': False, 'mysql_sql_mode': 'TRADITIONAL', 'max_retries': 0}
    completed = _complete(parsed, statement_timeout)
    engine: sa.Engine = engines.create_engine(
        completed.update_query_dict({'plugin': _Sparing.name}, append=True),
        **{**defaults, **options},
    )
    sa.event.listen(engine, 'reset', _roll_back)
    sa.event.listen(engine, 'before_cursor_execute', _note_sent)
    if engine.dialect.name == 'postgresql':
        sa.event.listen(engine, 'connect', _set_up_postgresql)
    return engine


def is_memory(engine: sa.Engine) -> bool:
    """Whether the data live in one SQLite connection that all threads have to share."""
    return isinstance(engine.pool, sa.StaticPool)


class _Sparing(sa.CreateEnginePlugin):
    """Has the pool ask the server nothing by itself, which oslo.db has no option for: a ping
    before each transaction and a rollback after it are half of what a small one sends.
    """

    name = 'slotwright_sparing'

    def update_url(self, url: sa.URL) -> sa.URL:
        return url.difference_update_query(['plugin'])

    def handle_pool_kwargs(self, _pool: type[sa.Pool], arguments: dict[str, Any]) -> None:
        arguments.update(pre_ping=False, reset_on_return=None)


dialects.plugins.register(_Sparing.name, __name__, _Sparing.__name__)


def _roll_back(connection: Any, record: Any, state: sa.PoolResetState) -> None:
    """What the pool would do with each connection that is given back."""
    committed = record is not None and record.info.pop(COMMITTED, False)
    if not committed and not state.transaction_was_reset:
        connection.rollback()


def _note_sent(connection: sa.Connection, *_: object) -> None:
    connection.info[SENT] = True


def _complete(url: sa.URL, statement_timeout: int | None) -> sa.URL:
    if url.get_backend_name() not in ('mysql', 'mariadb'):
        return url
    if url.get_driver_name() in ('mysqldb', 'pymysql'):
        # The driver we install. oslo.db knows MariaDB's errors under MySQL's name only.
        url = url.set(drivername='mysql+pymysql')
    defaults = {'charset': 'utf8mb4', 'connect_timeout': str(CONNECT_TIMEOUT)}
    if statement_timeout is not None:
        defaults['read_timeout'] = defaults['write_timeout'] = str(statement_timeout)
    return url.update_query_dict({k: v for k, v in defaults.items() if k not in url.query})


def _create_sqlite(url: sa.URL, options: dict[str, Any]) -> sa.Engine:
    """oslo.db would open the file anew for every transaction, and the last one to close it
    writes all of the log back: three times as slow. Only its translation of errors is used.
    """
    pool: dict[str, Any] = {'poolclass': sa.StaticPool}
    if url.database not in (None, '', ':memory:'):
        pool = {
            'poolclass': sa.QueuePool,
            'pool_size': options.get('max_pool_size') or 5,
            'max_overflow': options.get('max_overflow') or 50,
            'pool_timeout': options.get('pool_timeout') or 30,
        }
    engine = sa.create_engine(url, connect_args={'check_same_thread': False}, **pool)
    exc_filters.register_engine(engine)
    sa.event.listen(engine, 'before_cursor_execute', _note_sent)
    sa.event.listen(engine, 'do_connect', _create_private)
    sa.event.listen(engine, 'connect', _set_up_sqlite)
    sa.event.listen(engine, 'begin', _begin_sqlite)
    return engine


def _create_private(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
    """The secrets of all clusters are in it; SQLite's own mode would be 0644.

    A file that is there keeps its mode, and SQLite gives the files beside it the same one.
    Made without opening: closing a descriptor of it would drop SQLite's locks (fcntl(2)).
    """
    path = str(arguments[0])
    if path != ':memory:' and not path.startswith('file:'):
        with contextlib.suppress(OSError):  # it is there, or SQLite tells what is wrong
            os.mknod(path, 0o600)


def _set_up_postgresql(connection: Any, _record: Any) -> None:
    # A search of many terms looks so dear to the planner that it compiles it: two seconds for
    # what runs in ten milliseconds.
    with connection.cursor() as cursor:
        cursor.execute('SET jit = off')
    connection.commit()


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # Python's driver begins no transaction by itself, see _begin_sqlite.
    connection.isolation_level = None
    # The timeout first: already the switch to WAL may have to wait for another process.
    connection.execute(f'PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT}')
    connection.execute('PRAGMA journal_mode=WAL')
    connection.execute('PRAGMA synchronous=NORMAL')
    connection.execute('PRAGMA foreign_keys=ON')


def _begin_sqlite(connection: sa.Connection) -> None:
    # A plain BEGIN cannot wait for the lock when it turns from reading to writing: it fails
    # at once with "database is locked".
    writes = connection.info.get(WRITES)
    connection.exec_driver_sql('BEGIN IMMEDIATE' if writes else 'BEGIN')
