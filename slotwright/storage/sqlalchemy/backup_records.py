"""Backups in SQL: the records, not the data."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Backup
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import backups, clients, jobs
from slotwright.storage.sqlalchemy.backup_things import Things


class Backups(Things[Backup]):
    """See ``slotwright.storage.backups.Things``."""

    table = backups

    def _read(self, conn: sa.Connection, found: Sequence[rows.Row]) -> Sequence[Backup]:  # noqa: ARG002
        return [_read(row) for row in found]

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

    def _store(self, conn: sa.Connection, row: rows.Row, old: Backup, new: Backup) -> None:
        rows.update(conn, self.clock, backups, row, _values(conn, new))
        before, document = documents.of_backup(old), documents.of_backup(new)
        rows.index(conn, backups, row['seq'], row['project_id'], document, before)


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
