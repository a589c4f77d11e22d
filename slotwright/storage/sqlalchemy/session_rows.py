"""Sessions as rows: read and written, with what their jobs have in the attachments."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain import session_rounds
from slotwright.domain.backup_model import Session, SessionJob
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import (
    clients,
    job_attachments,
    jobs,
    sessions,
)
from slotwright.storage.sqlalchemy.clock import Clock

_TIMES = ('time_start', 'time_end', 'time_started', 'time_ended')
_NONE: dict[str, None] = dict.fromkeys(
    ('session_status', 'session_result', 'session_time_started', 'session_time_ended')
)


def read_sessions(conn: sa.Connection, found: Sequence[rows.Row]) -> list[Session]:
    """The sessions of these rows, with their jobs; one more query."""
    if not found:
        return []
    members: dict[int, list[SessionJob]] = {row['seq']: [] for row in found}
    query = (
        sa.select(job_attachments, jobs.c.id.label('job_id'), clients.c.id.label('client_id'))
        .join(jobs, jobs.c.seq == job_attachments.c.job)
        .join(clients, clients.c.seq == job_attachments.c.client)
        .where(job_attachments.c.session.in_(members), jobs.c.deleted == 0)
        .order_by(jobs.c.seq)
    )
    for row in conn.execute(query).mappings():
        members[row['session']].append(
            SessionJob(
                row['job_id'],
                row['client_id'],
                row['session_status'] or '',
                row['session_result'] or '',
                _time(row['session_time_started']),
                _time(row['session_time_ended']),
            )
        )
    return [_read(row, tuple(members[row['seq']])) for row in found]


def _read(row: rows.Row, members: tuple[SessionJob, ...]) -> Session:
    return Session(
        id=row['id'],
        project_id=row['project_id'],
        user_id=row['user_id'],
        schedule=row['scheduling'],
        description=row['description'],
        policy=row['policy'],
        hold_off=row['hold_off'],
        session_tag=row['session_tag'],
        status=row['status'] or '',
        result=row['result'],
        **{name: _time(row[name]) for name in _TIMES},
        jobs=members,
        version=row['version'],
    )


def _time(value: int | None) -> int:
    return -1 if value is None else value


def session_values(session: Session) -> dict[str, Any]:
    """The columns of ``sessions`` that may change."""
    times = {name: getattr(session, name) for name in _TIMES}
    return {
        'scheduling': dict(session.schedule),
        'description': session.description,
        'policy': session.policy,
        'hold_off': session.hold_off,
        'session_tag': session.session_tag,
        'status': session.status,
        'result': session.result,
        **{name: None if at < 0 else at for name, at in times.items()},
    }


def member_values(member: SessionJob) -> dict[str, Any]:
    """The columns of ``job_attachments`` that are of a session's rounds."""
    return {
        'session_status': member.status,
        'session_result': member.result,
        'session_time_started': None if member.time_started < 0 else member.time_started,
        'session_time_ended': None if member.time_ended < 0 else member.time_ended,
    }


def store(conn: sa.Connection, clock: Clock, row: rows.Row, old: Session, new: Session) -> None:
    """Write what changed of a locked session, its jobs' states included."""
    for member in new.jobs:
        if member != old.job(member.job_id):
            job = sa.select(jobs.c.seq).where(rows.named(jobs, row['project_id'], member.job_id))
            conn.execute(
                sa.update(job_attachments)
                .where(job_attachments.c.job == job.scalar_subquery())
                .where(job_attachments.c.session == row['seq'])
                .values(**member_values(member))
            )
    rows.update(conn, clock, sessions, row, session_values(new))
    before, document = documents.of_session(old), documents.of_session(new)
    rows.index(conn, sessions, row['seq'], row['project_id'], document, before)


def release(conn: sa.Connection, attached: sa.ColumnElement[bool]) -> None:
    """Take jobs out of whatever session they are in."""
    conn.execute(
        sa.update(job_attachments).where(attached).values(session=None, session_tag=0, **_NONE)
    )


def part_with(conn: sa.Connection, clock: Clock, job: int) -> None:
    """Take a locked job that is about to go out of its session, whose round may end with it."""
    mine = job_attachments.c.job == job
    attached = sa.select(job_attachments.c.session).where(mine).with_for_update()
    seq = conn.scalar(attached)
    if seq is None:
        return
    row = (
        conn.execute(sa.select(sessions).where(sessions.c.seq == seq).with_for_update())
        .mappings()
        .one()
    )
    (old,) = read_sessions(conn, [row])
    release(conn, mine)
    (rest,) = read_sessions(conn, [row])
    # A round that waited for this job only has ended with the last of the others.
    now = max([old.time_start, *(member.time_ended for member in rest.jobs)])
    store(conn, clock, row, old, session_rounds.settle(rest, now))
