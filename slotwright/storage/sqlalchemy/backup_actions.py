"""Actions in SQL, and the reports of their runs."""

from collections.abc import Sequence

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action, ActionReport
from slotwright.domain.errors import NotFound
from slotwright.storage.backups import PAGE
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy import job_rows
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    action_reports,
    actions,
    jobs,
)
from slotwright.storage.sqlalchemy.backup_things import Things
from slotwright.storage.sqlalchemy.transactions import reads, writes


class Actions(Things[Action]):
    """See ``slotwright.storage.backups.ActionsStore``."""

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

    @writes
    def report(self, conn: sa.Connection, report: ActionReport) -> None:
        action = _find(conn, report.project_id, report.action_id)
        attachment = None
        if report.job_id is not None:
            attachment = conn.scalar(
                sa.select(action_attachments.c.id)
                .join(jobs, jobs.c.seq == action_attachments.c.job)
                .where(
                    rows.named(jobs, report.project_id, report.job_id),
                    action_attachments.c.action == action['seq'],
                )
                .order_by(action_attachments.c.priority)
                .limit(1)
            )
            if attachment is None:
                raise NotFound(f'Job {report.job_id!r} has no action {report.action_id!r}.')
        conn.execute(
            sa.insert(action_reports).values(
                id=report.id,
                project_id=report.project_id,
                action=action['seq'],
                action_attachment=attachment,
                result=report.result,
                time_elapsed=report.time_elapsed,
                metadata=dict(report.metadata),
                report_date=report.report_date,
                log=report.log,
            )
        )

    @reads
    def reports(
        self, conn: sa.Connection, project_id: str, action_id: str, limit: int = PAGE
    ) -> Sequence[ActionReport]:
        action = _find(conn, project_id, action_id)
        query = (
            sa.select(action_reports, jobs.c.id.label('job_id'))
            .outerjoin(
                action_attachments, action_attachments.c.id == action_reports.c.action_attachment
            )
            .outerjoin(jobs, jobs.c.seq == action_attachments.c.job)
            .where(action_reports.c.action == action['seq'])
            .order_by(action_reports.c.report_date.desc(), action_reports.c.id)
            .limit(limit)
        )
        return [_read_report(row, action_id) for row in conn.execute(query).mappings()]


def _find(conn: sa.Connection, project_id: str, action_id: str) -> rows.Row:
    query = sa.select(actions).where(rows.named(actions, project_id, action_id))
    row = conn.execute(query).mappings().first()
    if row is None:
        raise rows.missing(actions, action_id)
    return row


def _read_report(row: rows.Row, action_id: str) -> ActionReport:
    return ActionReport(
        row['id'],
        row['project_id'],
        action_id,
        row['job_id'],
        row['result'],
        row['time_elapsed'],
        row['report_date'],
        row['metadata'],
        row['log'],
    )
