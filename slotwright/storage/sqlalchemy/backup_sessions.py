"""Sessions in SQL."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain import session_rounds
from slotwright.domain.backup_model import Job, Session
from slotwright.domain.errors import Conflict, NotFound
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy import job_rows, session_rows
from slotwright.storage.sqlalchemy.backup_tables import job_attachments, jobs, sessions
from slotwright.storage.sqlalchemy.backup_things import Things
from slotwright.storage.sqlalchemy.transactions import writes

_CLIENTS = rows.Nested('jobs', job_attachments.c.job, job_attachments.c.session, only='client_id')


class Sessions(Things[Session]):
    """See ``slotwright.storage.backups.SessionsStore``."""

    table = sessions
    nested = (_CLIENTS,)

    def _read(self, conn: sa.Connection, found: Sequence[rows.Row]) -> Sequence[Session]:
        return session_rows.read_sessions(conn, found)

    def _insert(self, conn: sa.Connection, thing: Session) -> None:
        values = {
            'id': thing.id,
            'project_id': thing.project_id,
            'user_id': thing.user_id,
            **session_rows.session_values(thing),
        }
        seq = rows.insert(conn, self.clock, sessions, values)
        rows.index(conn, sessions, seq, thing.project_id, documents.of_session(thing), None)

    def _store(self, conn: sa.Connection, row: rows.Row, old: Session, new: Session) -> None:
        session_rows.store(conn, self.clock, row, old, new)

    def _part(self, conn: sa.Connection, row: rows.Row) -> None:
        members = _members(conn, row)
        if not members:
            return
        seqs = [job['seq'] for job in members]
        query = job_rows.whole().where(jobs.c.seq.in_(seqs)).order_by(jobs.c.seq)
        terms: list[rows.Indexed] = []
        for seq, old in zip(
            seqs, job_rows.read_jobs(conn, conn.execute(query).mappings().all()), strict=True
        ):
            before = documents.of_job(old)
            document = documents.of_job(replace(old, session_id='', session_tag=0))
            terms.append((jobs, seq, old.project_id, document, before))
        session_rows.release(conn, job_attachments.c.session == row['seq'])
        rows.count_change(conn, self.clock, jobs, members)
        rows.write_terms(conn, terms)

    @writes
    def add_job(self, conn: sa.Connection, project_id: str, session_id: str, job_id: str) -> None:
        row, job = _both(conn, project_id, session_id, job_id)
        (session,) = session_rows.read_sessions(conn, [row])
        old = _read(conn, job)
        if old.session_id not in ('', session_id):
            raise Conflict(f'Job {job_id!r} is in session {old.session_id!r}: remove it there.')
        new, joined = session_rounds.join(session, old)
        member = new.job(job_id)
        if new == session or member is None:
            return
        conn.execute(
            sa.update(job_attachments)
            .where(job_attachments.c.job == job['seq'])
            .values(session=row['seq'], **session_rows.member_values(member))
        )
        self._store_job(conn, job, old, joined)
        session_rows.store(conn, self.clock, row, session, new)

    @writes
    def remove_job(
        self, conn: sa.Connection, project_id: str, session_id: str, job_id: str, now: int
    ) -> None:
        row, job = _both(conn, project_id, session_id, job_id)
        (session,) = session_rows.read_sessions(conn, [row])
        if session.job(job_id) is None:
            raise NotFound(f'Job {job_id!r} is not in session {session_id!r}.')
        old = _read(conn, job)
        new, left = session_rounds.leave(session, old, now)
        self._store_job(conn, job, old, left)
        session_rows.release(conn, job_attachments.c.job == job['seq'])
        session_rows.store(conn, self.clock, row, session, new)

    def _store_job(self, conn: sa.Connection, row: rows.Row, old: Job, job: Job) -> None:
        conn.execute(
            sa.update(job_attachments)
            .where(job_attachments.c.job == row['seq'])
            .values(**job_rows.state_values(job))
        )
        rows.update(conn, self.clock, jobs, row, job_rows.job_values(job))
        before, document = documents.of_job(old), documents.of_job(job)
        rows.index(conn, jobs, row['seq'], row['project_id'], document, before)


def _both(
    conn: sa.Connection, project_id: str, session_id: str, job_id: str
) -> tuple[rows.Row, rows.Row]:
    """A session and a job, locked in this order."""
    session = rows.lock(conn, sessions, project_id, session_id)
    if session is None:
        raise rows.missing(sessions, session_id)
    job = rows.lock(conn, jobs, project_id, job_id)
    if job is None:
        raise rows.missing(jobs, job_id)
    conn.execute(
        sa.select(job_attachments.c.id).where(job_attachments.c.job == job['seq']).with_for_update()
    )
    return session, job


def _members(conn: sa.Connection, row: rows.Row) -> Sequence[rows.Row]:
    """The jobs of a locked session, locked too, in the order of their ``seq``."""
    mine = sa.select(job_attachments.c.job).where(job_attachments.c.session == row['seq'])
    seqs = conn.scalars(mine.with_for_update()).all()
    query = sa.select(jobs).where(jobs.c.seq.in_(seqs)).order_by(jobs.c.seq)
    return conn.execute(query.with_for_update()).mappings().all()


def _read(conn: sa.Connection, row: rows.Row) -> Job:
    query = job_rows.whole().where(jobs.c.seq == row['seq'])
    (job,) = job_rows.read_jobs(conn, conn.execute(query).mappings().all())
    return job
