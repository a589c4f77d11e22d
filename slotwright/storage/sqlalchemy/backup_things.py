"""What the stores of actions, jobs, sessions and backups do alike."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain.errors import Conflict
from slotwright.domain.search import EVERYTHING, Search
from slotwright.storage.backups import PAGE, T
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes

LOG = logging.getLogger(__name__)


class Things(Transactional, Generic[T]):
    """See ``slotwright.storage.backups.Things``; a kind says what its rows are."""

    table: ClassVar[sa.Table]
    nested: ClassVar[tuple[rows.Nested, ...]] = ()

    # What a kind has to say.

    def _query(self) -> sa.Select[Any]:
        """Selects the rows that ``_read`` takes."""
        return sa.select(self.table)

    def _read(self, conn: sa.Connection, found: Sequence[rows.Row]) -> Sequence[T]:
        """The things of these rows, in a constant number of queries."""
        raise NotImplementedError

    def _insert(self, conn: sa.Connection, thing: T) -> None:
        raise NotImplementedError

    def _store(self, conn: sa.Connection, row: rows.Row, old: T, new: T) -> None:
        """Write what changed of a locked row."""
        raise NotImplementedError

    def _lock_parts(self, conn: sa.Connection, row: rows.Row) -> None:
        """Lock what else is going to change."""

    def _part(self, conn: sa.Connection, row: rows.Row) -> None:
        """Take a locked row out of all others, before it is deleted."""

    # What follows from that.

    @reads
    def list(
        self,
        conn: sa.Connection,
        project_id: str | None,
        search: Search = EVERYTHING,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[T]:
        query = rows.page(
            self._query(), self.table, project_id, search, limit, offset, *self.nested
        )
        return self._read(conn, conn.execute(query).mappings().all())

    @reads
    def get(self, conn: sa.Connection, project_id: str, thing_id: str) -> T:
        return self._find(conn, project_id, thing_id)

    def create(self, thing: T) -> None:
        try:
            self._create(thing)
        except db_exception.DBDuplicateEntry as error:
            raise self._taken(thing.id) from error
        self._log(thing.project_id, thing.id, 'made')

    @writes
    def _create(self, conn: sa.Connection, thing: T) -> None:
        self._insert(conn, thing)

    def write(
        self,
        project_id: str,
        thing_id: str,
        change: Callable[[T | None], T],
        version: int | None = None,
    ) -> T:
        try:
            try:
                written = self._write(project_id, thing_id, change, version)
            except db_exception.DBDuplicateEntry:  # made by somebody else, so it is there now
                written = self._write(project_id, thing_id, change, version)
        except db_exception.DBDuplicateEntry as error:
            raise self._taken(thing_id) from error
        self._log(project_id, thing_id, f'at version {written.version}')
        return written

    @writes
    def _write(
        self,
        conn: sa.Connection,
        project_id: str,
        thing_id: str,
        change: Callable[[T | None], T],
        version: int | None,
    ) -> T:
        row = rows.lock(conn, self.table, project_id, thing_id)
        rows.require_version(row, version)
        if row is None:
            self._insert(conn, change(None))
            return self._find(conn, project_id, thing_id)
        self._lock_parts(conn, row)
        old = self._find(conn, project_id, thing_id)
        new = replace(change(old), id=old.id, project_id=project_id, user_id=old.user_id)
        if new == old:
            return old
        self._store(conn, row, old, new)
        return self._find(conn, project_id, thing_id)

    def delete(self, project_id: str, thing_id: str) -> None:
        self._delete(project_id, thing_id)
        self._log(project_id, thing_id, 'deleted')

    @writes
    def _delete(self, conn: sa.Connection, project_id: str, thing_id: str) -> None:
        row = rows.lock(conn, self.table, project_id, thing_id)
        if row is None:
            raise rows.missing(self.table, thing_id)
        self._part(conn, row)
        rows.remove(conn, self.clock, self.table, row)

    def _find(self, conn: sa.Connection, project_id: str, thing_id: str) -> T:
        query = self._query().where(rows.named(self.table, project_id, thing_id))
        found = self._read(conn, conn.execute(query).mappings().all())
        if not found:
            raise rows.missing(self.table, thing_id)
        return found[0]

    def _log(self, project_id: str, thing_id: str, what: str) -> None:
        LOG.info('Project %s: %s %s is %s', project_id, self.table.name[:-1], thing_id, what)

    def _taken(self, thing_id: str) -> Conflict:
        return Conflict(
            f'Document already existing: {self.table.name[:-1]} {thing_id!r}, or a part of it.'
        )
