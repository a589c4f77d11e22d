"""Bring a database to the newest tables, and tell where it stands."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import autogenerate, command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from slotwright.domain.errors import SlotwrightError
from slotwright.storage.sqlalchemy import backup_tables, engine
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from slotwright.storage.sqlalchemy.transactions import Database, R


class NewerDatabase(SlotwrightError):
    """The tables are of a version to come: nothing here may touch them."""

    code = 'newer_database'


_FOLDER = pathlib.Path(__file__).parent / 'alembic'
_LOCK = 'slotwright migration'
_LOCK_TIMEOUT = 600  # seconds


def upgrade(target: SQLAlchemyStore | str, revision: str = 'head') -> None:
    """Migrate a store, or the database at a URL. Already there: nothing happens.

    Upgrades started at the same time wait for one another.

    :raises StorageUnavailable: when the database does not answer.
    :raises NewerDatabase: when it was upgraded by a newer Slotwright.
    """

    def run(conn: sa.Connection) -> None:
        with _alone(conn):
            config = _config()
            config.attributes['connection'] = conn
            try:
                command.upgrade(config, revision)
            except CommandError as error:
                current = MigrationContext.configure(conn).get_current_revision()
                if _is_ours(current):
                    raise
                raise NewerDatabase(
                    f'The database is at {current}, which this version of Slotwright does not '
                    f'know; it knows up to {head()}. Run the version that upgraded it.'
                ) from error

    _in_transaction(target, run)


def revisions() -> list[str]:
    """All that there are, oldest first."""
    found = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in found][::-1]


def _is_ours(revision: str | None) -> bool:
    return revision is None or revision in revisions()


def version(target: SQLAlchemyStore | str) -> str | None:
    """The revision of the database; None before the first upgrade."""
    return _in_transaction(
        target, lambda conn: MigrationContext.configure(conn).get_current_revision()
    )


def head() -> str:
    """The newest revision there is."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def check(target: SQLAlchemyStore | str) -> list[Any]:
    """How the database differs from ``tables``, as alembic tells it; [] when it does not."""

    def compare(conn: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(conn, opts={'compare_type': True})
        return list(autogenerate.compare_metadata(context, backup_tables.metadata))

    return _in_transaction(target, compare)


def _in_transaction(target: SQLAlchemyStore | str, work: Callable[[sa.Connection], R]) -> R:
    if not isinstance(target, str):
        return target.database.write(work)
    database = Database(engine.create(target, statement_timeout=None))
    try:
        return database.write(work)
    finally:
        database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option('script_location', str(_FOLDER).replace('%', '%%'))
    return config


@contextlib.contextmanager
def _alone(conn: sa.Connection) -> Iterator[None]:
    """Keep other upgrades out: MySQL commits at every CREATE, so its transactions do not."""
    if conn.dialect.name == 'postgresql':
        # Held to the end of the transaction.
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(_LOCK))))
    if conn.dialect.name != 'mysql':
        yield
        return
    conn.execute(sa.select(sa.func.get_lock(_LOCK, _LOCK_TIMEOUT)))
    try:
        yield
    finally:
        if not conn.invalidated:  # with a connection that is lost the lock is, too
            conn.execute(sa.select(sa.func.release_lock(_LOCK)))
