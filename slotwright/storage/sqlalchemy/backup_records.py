"""Backups in SQL: the records, not the data."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Backup
from slotwright.domain.errors import Conflict
from slotwright.domain.search import EVERYTHING, Search
from slotwright.storage.backups import PAGE
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import backups, clients, jobs
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


class Backups(Transactional):
    """See ``slotwright.storage.backups.Things``."""

    @reads
    def list(
        self,
        conn: sa.Connection,
        project_id: str | None,
        search: Search = EVERYTHING,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[Backup]:
        query = rows.page(sa.select(backups), backups, project_id, search, limit, offset)
        return [_read(row) for row in conn.execute(query).mappings()]

    @reads
    def get(self, conn: sa.Connection, project_id: str, thing_id: str) -> Backup:
        query = sa.select(backups).where(rows.named(backups, project_id, thing_id))
        row = conn.execute(query).mappings().first()
        if row is None:
            raise rows.missing(backups, thing_id)
        return _read(row)

    def create(self, thing: Backup) -> None:
        try:
            self._create(thing)
        except db_exception.DBDuplicateEntry as error:
            raise Conflict(f'Document already existing: backup {thing.id!r}.') from error

    @writes
    def _create(self, conn: sa.Connection, thing: Backup) -> None:
        self._insert(conn, thing)

    def _insert(self, conn: sa.Connection, thing: Backup) -> None:
        values = {
            'id': thing.id,
            'project_id': thing.project_id,
            'user_id': thing.user_id,
            'user_name': thing.user_name,
            **_values(conn, thing),
        }
        seq = rows.insert(conn, self.clock, backups, values)
        rows.index(conn, backups, seq, thing.project_id, documents.of_backup(thing), None)

    @writes
    def write(
        self,
        conn: sa.Connection,
        project_id: str,
        thing_id: str,
        change: Callable[[Backup | None], Backup],
        version: int | None = None,
    ) -> Backup:
        row = rows.lock(conn, backups, project_id, thing_id)
        rows.require_version(row, version)
        if row is None:
            made = change(None)
            self._insert(conn, made)
            return made
        old = _read(row)
        new = replace(change(old), id=old.id, project_id=project_id, user_id=old.user_id)
        if new == old:
            return old
        rows.update(conn, self.clock, backups, row, _values(conn, new))
        before, document = documents.of_backup(old), documents.of_backup(new)
        rows.index(conn, backups, row['seq'], project_id, document, before)
        return replace(new, version=old.version + 1)

    @writes
    def delete(self, conn: sa.Connection, project_id: str, thing_id: str) -> None:
        row = rows.lock(conn, backups, project_id, thing_id)
        if row is None:
            raise rows.missing(backups, thing_id)
        rows.remove(conn, self.clock, backups, row)


def _values(conn: sa.Connection, backup: Backup) -> dict[str, Any]:
    """The columns that may change, with what its metadata name if that is there."""
    return {
        'status': backup.status,
        'backup_metadata': dict(backup.metadata),
        'client': _named_by(conn, clients, backup, 'client_id'),
        'job': _named_by(conn, jobs, backup, 'job_id'),
    }


def _named_by(conn: sa.Connection, table: sa.Table, backup: Backup, member: str) -> int | None:
    named = backup.metadata.get(member)
    if not isinstance(named, str) or not named:
        return None
    found: int | None = conn.scalar(
        sa.select(table.c.seq).where(rows.named(table, backup.project_id, named))
    )
    return found


def _read(row: rows.Row) -> Backup:
    return Backup(
        row['id'],
        row['project_id'],
        row['user_id'],
        row['backup_metadata'],
        row['status'],
        row['user_name'],
        row['version'],
    )
