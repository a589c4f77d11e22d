"""Actions in SQL, and the reports of their runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action, ActionReport
from slotwright.domain.errors import Conflict, NotFound
from slotwright.domain.search import EVERYTHING, Search
from slotwright.storage.backups import PAGE
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy import job_rows
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    action_reports,
    actions,
    jobs,
)
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


class Actions(Transactional):
    """See ``slotwright.storage.backups.ActionsStore``."""

    @reads
    def list(
        self,
        conn: sa.Connection,
        project_id: str | None,
        search: Search = EVERYTHING,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[Action]:
        query = rows.page(sa.select(actions), actions, project_id, search, limit, offset)
        return [job_rows.read_action(row) for row in conn.execute(query).mappings()]

    @reads
    def get(self, conn: sa.Connection, project_id: str, thing_id: str) -> Action:
        return job_rows.read_action(_find(conn, project_id, thing_id))

    def create(self, thing: Action) -> None:
        try:
            self._create(thing)
        except db_exception.DBDuplicateEntry as error:
            raise Conflict(f'Document already existing: action {thing.id!r}.') from error

    @writes
    def _create(self, conn: sa.Connection, thing: Action) -> None:
        job_rows.insert_actions(conn, self.clock, [thing], inline=False)

    def write(
        self,
        project_id: str,
        thing_id: str,
        change: Callable[[Action | None], Action],
        version: int | None = None,
    ) -> Action:
        try:
            return self._write(project_id, thing_id, change, version)
        except db_exception.DBDuplicateEntry as error:
            raise Conflict(f'Document already existing: action {thing_id!r}.') from error

    @writes
    def _write(
        self,
        conn: sa.Connection,
        project_id: str,
        thing_id: str,
        change: Callable[[Action | None], Action],
        version: int | None,
    ) -> Action:
        row = rows.lock(conn, actions, project_id, thing_id)
        rows.require_version(row, version)
        if row is None:
            new = change(None)
            job_rows.insert_actions(conn, self.clock, [new], inline=False)
            return new
        old = job_rows.read_action(row)
        new = replace(change(old), id=old.id, project_id=project_id, user_id=old.user_id)
        values = job_rows.action_values(new)
        if values == job_rows.action_values(old):
            return old
        rows.update(conn, self.clock, actions, row, values)
        document, before = documents.of_action(new), documents.of_action(old)
        rows.index(conn, actions, row['seq'], project_id, document, before)
        return replace(new, version=old.version + 1)

    @writes
    def delete(self, conn: sa.Connection, project_id: str, thing_id: str) -> None:
        row = rows.lock(conn, actions, project_id, thing_id)
        if row is None:
            raise rows.missing(actions, thing_id)
        conn.execute(sa.delete(action_attachments).where(action_attachments.c.action == row['seq']))
        rows.remove(conn, self.clock, actions, row)

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
