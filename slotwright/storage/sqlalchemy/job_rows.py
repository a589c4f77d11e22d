"""Jobs and actions as rows: read and written, with the attachments between them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action, Document, Job, JobAction
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    actions,
    clients,
    job_attachments,
    jobs,
    sessions,
)
from slotwright.storage.sqlalchemy.clock import Clock

#: Member of a freezer_action -> its column. All others are in backup_metadata.
ACTION_COLUMNS = {
    'action': 'action',
    'mode': 'mode',
    'path_to_backup': 'src_file',
    'backup_name': 'backup_name',
    'container': 'container',
    'restore_abs_path': 'restore_abs_path',
    'timeout': 'timeout',
    'priority': 'priority',
    'log_file': 'log_file',
}
#: Members of a job_schedule that say how the job does, not when it runs.
STATE_COLUMNS = ('event', 'status', 'result', 'current_pid')

# What nobody shows. To read a column costs MySQL's driver more than to read its values.
_HOUSEKEEPING = ('created_at', 'updated_at', 'deleted_at', 'deleted')
_OF_JOB = [column for column in jobs.c if column.name not in _HOUSEKEEPING]
_OF_PART = [
    actions.c[name]
    for name in (
        'id',
        *ACTION_COLUMNS.values(),
        *('max_retries', 'max_retries_interval', 'mandatory', 'backup_metadata'),
    )
]

# Each job has an attachment and a client; joined as if not, it is jobs that MySQL begins with,
# in their order, and so ends with a page of them.
_WHOLE = (
    sa.select(
        *_OF_JOB,
        *(job_attachments.c[name] for name in (*STATE_COLUMNS, 'session_tag')),
        clients.c.id.label('client_id'),
        sessions.c.id.label('session_id'),
    )
    .outerjoin(job_attachments, job_attachments.c.job == jobs.c.seq)
    .outerjoin(clients, clients.c.seq == job_attachments.c.client)
    .outerjoin(sessions, sessions.c.seq == job_attachments.c.session)
)
_PARTS = sa.select(
    *_OF_PART,
    action_attachments.c.job,
    action_attachments.c.retries,
    action_attachments.c.retry_interval,
    action_attachments.c.mandatory.label('needed'),
).join(action_attachments, action_attachments.c.action == actions.c.seq)

_ATTACH = sa.insert(action_attachments)


def whole() -> sa.Select[Any]:
    """Jobs with what stands in their attachments, for ``read_jobs``."""
    return _WHOLE


def read_jobs(conn: sa.Connection, found: Sequence[rows.Row]) -> list[Job]:
    """The jobs of rows that ``whole`` selects, with their actions; one more query."""
    if not found:
        return []
    parts: dict[int, list[JobAction]] = {row['seq']: [] for row in found}
    attached = _PARTS.where(action_attachments.c.job.in_(parts)).order_by(
        action_attachments.c.job, action_attachments.c.priority
    )
    for row in conn.execute(attached).mappings():
        parts[row['job']].append(_read_part(row))
    return [_read_job(row, parts[row['seq']]) for row in found]


def _read_part(row: rows.Row) -> JobAction:
    def own(name: str, inherited: str) -> Any:
        return row[inherited] if row[name] is None else row[name]

    return JobAction(
        row['id'],
        read_freezer_action(row),
        own('retries', 'max_retries'),
        own('retry_interval', 'max_retries_interval'),
        own('needed', 'mandatory'),
    )


def _read_job(row: rows.Row, parts: Sequence[JobAction]) -> Job:
    state = {name: row[name] for name in STATE_COLUMNS if row[name] is not None}
    return Job(
        row['id'],
        row['project_id'],
        row['user_id'],
        row['client_id'],
        {**row['scheduling'], **state},
        tuple(parts),
        row['description'],
        row['session_id'] or '',
        row['session_tag'],
        row['version'],
    )


def job_values(job: Job) -> dict[str, Any]:
    """The columns of ``jobs`` that may change."""
    timing = {name: v for name, v in job.schedule.items() if name not in STATE_COLUMNS}
    return {'scheduling': timing, 'description': job.description}


def state_values(job: Job) -> dict[str, Any]:
    """The columns of ``job_attachments`` that are the job's own."""
    state: dict[str, Any] = {name: job.schedule.get(name) for name in STATE_COLUMNS}
    return {**state, 'event': state['event'] or '', 'session_tag': job.session_tag}


def read_action(row: rows.Row) -> Action:
    return Action(
        row['id'],
        row['project_id'],
        row['user_id'],
        read_freezer_action(row),
        row['max_retries'],
        row['max_retries_interval'],
        row['mandatory'],
        row['version'],
    )


def read_freezer_action(row: rows.Row) -> Document:
    stored = {name: row[column] for name, column in ACTION_COLUMNS.items()}
    kept = {name: value for name, value in stored.items() if value is not None}
    return {**kept, **row['backup_metadata']}


def action_values(action: Action) -> dict[str, Any]:
    """The columns of ``actions`` that may change."""
    posted = action.freezer_action
    return {
        **{column: posted.get(name) for name, column in ACTION_COLUMNS.items()},
        'max_retries': action.max_retries,
        'max_retries_interval': action.max_retries_interval,
        'mandatory': action.mandatory,
        'backup_metadata': {
            name: value for name, value in posted.items() if name not in ACTION_COLUMNS
        },
    }


def insert_actions(
    conn: sa.Connection, clock: Clock, made: Iterable[Action], *, inline: bool
) -> tuple[dict[str, int], list[rows.Indexed]]:
    """New actions: the ``seq`` of each id, and what is still to be written of their terms."""
    found: dict[str, int] = {}
    things: list[rows.Indexed] = []
    for action in made:
        values = {
            'id': action.id,
            'project_id': action.project_id,
            'user_id': action.user_id,
            'inline': inline,
            **action_values(action),
        }
        seq = found[action.id] = rows.insert(conn, clock, actions, values)
        things.append((actions, seq, action.project_id, documents.of_action(action), None))
    return found, things


def attach(
    conn: sa.Connection, job: int, project_id: str, parts: Sequence[Mapping[str, Any]]
) -> None:
    """Give a job its actions, in order: ``id``, ``action`` and what is the job's own of each."""
    if parts:
        conn.execute(
            _ATTACH,
            [
                {**part, 'job': job, 'project_id': project_id, 'priority': place}
                for place, part in enumerate(parts)
            ],
        )
