"""Actions in SQL."""

from collections.abc import Sequence

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy import job_rows
from slotwright.storage.sqlalchemy.backup_tables import action_attachments, actions
from slotwright.storage.sqlalchemy.backup_things import Things


class Actions(Things[Action]):
    """See ``slotwright.storage.backups.Things``."""

    table = actions

    def _read(self, conn: sa.Connection, found: Sequence[rows.Row]) -> Sequence[Action]:  # noqa: ARG002
        return [job_rows.read_action(row) for row in found]

    def _insert(self, conn: sa.Connection, thing: Action) -> None:
        _, terms = job_rows.insert_actions(conn, self.clock, [thing], inline=False)
        rows.write_terms(conn, terms)

    def _store(self, conn: sa.Connection, row: rows.Row, old: Action, new: Action) -> None:
        rows.update(conn, self.clock, actions, row, job_rows.action_values(new))
        before, document = documents.of_action(old), documents.of_action(new)
        rows.index(conn, actions, row['seq'], row['project_id'], document, before)

    def _part(self, conn: sa.Connection, row: rows.Row) -> None:
        mine = action_attachments.c.action == row['seq']
        conn.execute(sa.delete(action_attachments).where(mine))
