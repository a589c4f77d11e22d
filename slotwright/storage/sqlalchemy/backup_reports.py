"""Reports in SQL: how runs of actions ended."""

from collections.abc import Sequence

import sqlalchemy as sa

from slotwright.domain.backup_model import ActionReport
from slotwright.domain.errors import Unprocessable
from slotwright.storage.backups import PAGE
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    action_reports,
    actions,
    jobs,
)
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


class Reports(Transactional):
    """See ``slotwright.storage.backups.ReportsStore``."""

    @writes
    def create(self, conn: sa.Connection, report: ActionReport) -> None:
        # First the job, then the action, as whoever changes a job locks them. What is between
        # the two stays as long as they are locked.
        job = None
        if report.job_id is not None:
            job = rows.lock(conn, jobs, report.project_id, report.job_id, shared=True)
        action = rows.lock(conn, actions, report.project_id, report.action_id, shared=True)
        if action is None:
            raise rows.missing(actions, report.action_id)
        attachment = job and _attachment(conn, job['seq'], action['seq'])
        if report.job_id is not None and attachment is None:
            raise Unprocessable(
                f'There is no job {report.job_id!r} with the action {report.action_id!r}.'
            )
        conn.execute(
            sa.insert(action_reports),
            {
                'id': report.id,
                'project_id': report.project_id,
                'action': action['seq'],
                'job': job and job['seq'],
                'action_attachment': attachment,
                'result': report.result,
                'time_elapsed': report.time_elapsed,
                'metadata': dict(report.metadata),
                'report_date': report.report_date,
                'log': report.log,
            },
        )

    @reads
    def list_of_action(
        self,
        conn: sa.Connection,
        project_id: str,
        action_id: str,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[ActionReport]:
        action = _require(conn, actions, project_id, action_id)
        return _page(conn, action_reports.c.action == action, limit, offset)

    @reads
    def list_of_job(
        self,
        conn: sa.Connection,
        project_id: str,
        job_id: str,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[ActionReport]:
        job = _require(conn, jobs, project_id, job_id)
        return _page(conn, action_reports.c.job == job, limit, offset)


def _attachment(conn: sa.Connection, job: int, action: int) -> str | None:
    """The id of what makes the action one of the job's; the first one, if there are several."""
    query = (
        sa.select(action_attachments.c.id)
        .where(action_attachments.c.job == job, action_attachments.c.action == action)
        .order_by(action_attachments.c.priority)
        .limit(1)
    )
    found: str | None = conn.scalar(query)
    return found


def _require(conn: sa.Connection, table: sa.Table, project_id: str, thing_id: str) -> int:
    """The ``seq`` of a thing. :raises NotFound:"""
    query = sa.select(table.c.seq).where(rows.named(table, project_id, thing_id))
    found: int | None = conn.scalar(query)
    if found is None:
        raise rows.missing(table, thing_id)
    return found


def _page(
    conn: sa.Connection, wanted: sa.ColumnElement[bool], limit: int, offset: int
) -> list[ActionReport]:
    query = (
        sa.select(action_reports, actions.c.id.label('action_id'), jobs.c.id.label('job_id'))
        .join(actions, actions.c.seq == action_reports.c.action)
        .outerjoin(jobs, jobs.c.seq == action_reports.c.job)
        .where(wanted)
        .order_by(action_reports.c.report_date.desc(), action_reports.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [
        ActionReport(
            row['id'],
            row['project_id'],
            row['action_id'],
            row['job_id'],
            row['result'],
            row['time_elapsed'],
            row['report_date'],
            row['metadata'],
            row['log'],
        )
        for row in conn.execute(query).mappings()
    ]
