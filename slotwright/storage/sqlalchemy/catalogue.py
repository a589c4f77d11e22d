"""The catalogue in SQL."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import pools as checks
from slotwright.domain.pools import CatalogueEntry
from slotwright.storage import management
from slotwright.storage.sqlalchemy import turns
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import mgmt_catalogue
from slotwright.storage.sqlalchemy.transactions import Database, Transactional, reads, writes


class Catalogue(Transactional):
    """See ``slotwright.storage.management.CatalogueController``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Clock())

    @reads
    def list(self, conn: sa.Connection, project: str | None) -> Sequence[CatalogueEntry]:
        query = (
            sa.select(mgmt_catalogue.c.queue, mgmt_catalogue.c.pool)
            .where(mgmt_catalogue.c.project == (checks.check_project(project) or ''))
            .order_by(mgmt_catalogue.c.queue)
        )
        return [CatalogueEntry(project, queue, pool) for queue, pool in conn.execute(query)]

    @reads
    def get(self, conn: sa.Connection, project: str | None, queue: str) -> CatalogueEntry:
        pool = _pool_of(conn, project, queue)
        if pool is None:
            raise management.not_mapped(project, queue)
        return CatalogueEntry(project, queue, pool)

    @reads
    def exists(self, conn: sa.Connection, project: str | None, queue: str) -> bool:
        return _pool_of(conn, project, queue) is not None

    @writes
    def insert(self, conn: sa.Connection, project: str | None, queue: str, pool: str) -> None:
        _check(project, queue)
        checks.check_name('pool', pool)
        turns.take(conn, turns.CATALOGUE)
        if _change(conn, project, queue, pool):
            return
        entry = checks.joined(project, queue)
        clash = sa.or_(
            mgmt_catalogue.c.entry == entry,
            mgmt_catalogue.c.project == entry,
            mgmt_catalogue.c.entry == (project or ''),
        )
        if conn.scalar(sa.select(sa.exists().where(clash))):
            raise checks.catalogue_collision(project, queue)
        row = {'project': project or '', 'queue': queue, 'entry': entry, 'pool': pool}
        conn.execute(sa.insert(mgmt_catalogue).values(row))

    @writes
    def update(self, conn: sa.Connection, project: str | None, queue: str, pool: str) -> None:
        _check(project, queue)
        checks.check_name('pool', pool)
        if not _change(conn, project, queue, pool):
            raise management.not_mapped(project, queue)

    @writes
    def delete(self, conn: sa.Connection, project: str | None, queue: str) -> None:
        _check(project, queue)
        conn.execute(sa.delete(mgmt_catalogue).where(_is(project, queue)))

    @writes
    def drop_all(self, conn: sa.Connection) -> None:
        turns.take(conn, turns.CATALOGUE)
        conn.execute(sa.delete(mgmt_catalogue))


def _check(project: str | None, queue: str) -> None:
    checks.check_project(project)
    checks.check_name('queue', queue)


def _is(project: str | None, queue: str) -> sa.ColumnElement[bool]:
    return sa.and_(mgmt_catalogue.c.project == (project or ''), mgmt_catalogue.c.queue == queue)


def _pool_of(conn: sa.Connection, project: str | None, queue: str) -> Any:
    _check(project, queue)
    return conn.scalar(sa.select(mgmt_catalogue.c.pool).where(_is(project, queue)))


def _change(conn: sa.Connection, project: str | None, queue: str, pool: str) -> bool:
    changed = sa.update(mgmt_catalogue).where(_is(project, queue)).values(pool=pool)
    return conn.execute(changed).rowcount > 0
