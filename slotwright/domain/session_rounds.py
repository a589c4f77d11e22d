"""The rounds of a session: its jobs start together, and it ends when the last of them does.

``session_tag`` numbers the rounds. The first job to start after the hold-off opens a round and
raises the tag; the others join it with the tag they have from before. Answers are Freezer's
words: success, hold-off (too early for another round), out-of-sync (of another round).
"""

from dataclasses import replace

from slotwright.domain.backup_model import Document, Job, Session, SessionJob
from slotwright.domain.errors import InvalidRequest

SUCCESS = 'success'
HELD_OFF = 'hold-off'
OUT_OF_SYNC = 'out-of-sync'

RUNNING = 'running'
COMPLETED = 'completed'
LAST_TAG = 2**31 - 1


def start(session: Session, job_id: str, tag: int, now: int) -> tuple[Session, str]:
    """A job says that it starts; ``tag`` is the last round that it took part in.

    :raises InvalidRequest: for a job of no or another session, a tag of the future, and after the
        last tag there can be.
    """
    job = _member(session, job_id)
    _check_tag(session, tag)
    in_round = session.time_start >= 0 and now - session.time_start <= session.hold_off
    if in_round and tag == session.session_tag:
        return session, HELD_OFF
    if not in_round and tag < session.session_tag:
        return session, OUT_OF_SYNC
    if not in_round:
        session = _open(session, now)
    started = SessionJob(job.job_id, job.client_id, RUNNING, '', now, -1)
    return session.with_job(started), SUCCESS


def _open(session: Session, now: int) -> Session:
    """The next round, in which nobody has done anything yet.

    :raises InvalidRequest: when there is no greater number.
    """
    if session.session_tag >= LAST_TAG:
        raise InvalidRequest(
            f'session_tag is {session.session_tag}, and there is no greater one: PATCH the session '
            'with a smaller one first.'
        )
    return replace(
        session,
        session_tag=session.session_tag + 1,
        status=RUNNING,
        result='',
        time_start=now,
        time_started=now,
        time_end=-1,
        time_ended=-1,
        jobs=tuple(SessionJob(job.job_id, job.client_id) for job in session.jobs),
    )


def end(
    session: Session, job_id: str, result: str, tag: int | None, now: int
) -> tuple[Session, str]:
    """A job says how it ended; without a ``tag`` it means the current round.

    :raises InvalidRequest: as ``start``.
    """
    job = _member(session, job_id)
    if tag is not None:
        _check_tag(session, tag)
        if tag < session.session_tag:
            return session, OUT_OF_SYNC
    if job.status == COMPLETED and job.result == result:  # said twice
        return session, SUCCESS
    ended = replace(job, status=COMPLETED, result=result, time_ended=now)
    return settle(session.with_job(ended), now), SUCCESS


def settle(session: Session, now: int) -> Session:
    """End the round once all jobs have; it succeeded when all of them did."""
    if session.status != RUNNING or not session.jobs:
        return session
    if any(job.status != COMPLETED for job in session.jobs):
        return session
    result = SUCCESS if all(job.result == SUCCESS for job in session.jobs) else 'fail'
    return replace(session, status=COMPLETED, result=result, time_end=now, time_ended=now)


def join(session: Session, job: Job) -> tuple[Session, Job]:
    """Put a job into a session, whose schedule it takes if there is one.

    One that is in it stays as it is.
    """
    if session.job(job.id) is not None:
        return session, job
    state = job.schedule
    member = SessionJob(
        job.id,
        job.client_id,
        state.get('status') or '',
        state.get('result') or '',
        state.get('time_started', -1),
        state.get('time_ended', -1),
    )
    times = _only_times(session.schedule)
    schedule = {**_without_times(state), **times} if times else state
    joined = replace(job, session_id=session.id, session_tag=session.session_tag, schedule=schedule)
    return replace(session, jobs=(*session.jobs, member)), joined


def leave(session: Session, job: Job, now: int) -> tuple[Session, Job]:
    """Take a job out of its session and have it stop; it keeps its schedule.

    The round may end with it, when it was the last one to wait for.
    """
    rest = tuple(member for member in session.jobs if member.job_id != job.id)
    left = replace(job, session_id='', session_tag=0, schedule={**job.schedule, 'event': 'stop'})
    return settle(replace(session, jobs=rest), now), left


def _member(session: Session, job_id: str) -> SessionJob:
    job = session.job(job_id)
    if job is None:
        raise InvalidRequest(f'Job {job_id[:60]!r} is not in session {session.id}.')
    return job


def _check_tag(session: Session, tag: int) -> None:
    if tag > session.session_tag:
        raise InvalidRequest(
            f'requested tag value too high. Session Tag: {session.session_tag} Job Tag: {tag}'
        )


def _only_times(schedule: Document) -> Document:
    return {name: value for name, value in schedule.items() if name.startswith('schedule_')}


def _without_times(schedule: Document) -> Document:
    return {name: value for name, value in schedule.items() if not name.startswith('schedule_')}
