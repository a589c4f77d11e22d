"""From bodies that fit their schema to the model, and what only both together can tell."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.backups import schemas
from slotwright.domain import schedule
from slotwright.domain.backup_model import (
    CAPABILITIES,
    HOLD_OFF,
    Action,
    ActionReport,
    Backup,
    Client,
    Job,
    JobAction,
    Session,
    cleaned,
)
from slotwright.domain.errors import InvalidRequest

Body = Mapping[str, Any]

#: Members of a session that a body may change.
_OF_SESSION = ('description', 'policy', 'hold_off', 'session_tag', 'status', 'result',
               'time_start', 'time_end', 'time_started', 'time_ended')  # fmt: skip
#: Characters of JSON: of an action, of all that a job has, of a backup's metadata.
_LARGEST = 128 * 1024
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(',', ':'))
_OF_ACTION = ('max_retries', 'max_retries_interval', 'mandatory')


def version_of(body: Body) -> int | None:
    """The version that a change says it is about; None when it does not say."""
    version: int | None = body.get('_version', body.get('version'))
    return version


def require_same(body: Body, **fixed: str) -> None:
    """:raises InvalidRequest: when a body names another owner or id than there is."""
    for name, value in fixed.items():
        if body.get(name) not in (None, value):
            raise InvalidRequest(f'{name} cannot be changed: it is {value!r}.')


def require_size(where: str, document: Body, *others: Body) -> None:
    """See that documents are not too large, together, and none has too many members.

    :raises InvalidRequest: for more than is stored: changes add up, defaults are multiplied.
    """
    documents = (document, *others)
    size = sum(len(_JSON.encode(one)) for one in documents)
    if size > _LARGEST:
        raise InvalidRequest(f'{where} would have {size} characters of JSON, {_LARGEST} at most.')
    if any(len(one) > schemas.MOST_MEMBERS for one in documents):
        which = f'one of {where}' if others else where
        raise InvalidRequest(f'{which} would have more than {schemas.MOST_MEMBERS} members.')


def client(body: Body, project: str, user: str, uuid: str) -> Client:
    return Client(
        id=body['client_id'],
        project_id=project,
        user_id=user,
        uuid=body.get('uuid') or uuid,
        hostname=body.get('hostname', ''),
        description=body.get('description', ''),
        config_id=body.get('config_id', ''),
        is_central=body.get('is_central', False),
        supported={name: tuple(body[name]) for name in CAPABILITIES if name in body},
    )


def freezer_action(posted: Body, where: str = 'freezer_action') -> Body:
    """What is stored of it, of a size that its caller measures.

    :raises InvalidRequest: when it does not say what to do, or two paths to back up.
    """
    one, other = posted.get('src_file'), posted.get('path_to_backup')
    if None not in (one, other) and one != other:
        raise InvalidRequest(f'{where}: src_file and path_to_backup are one thing; give one.')
    found = cleaned(posted)
    if 'action' not in found:
        raise InvalidRequest(
            f"{where} needs an 'action', one of {', '.join(schemas.ACTIONS)}: what is to be done?"
        )
    return found


def new_action(body: Body, action_id: str, project: str, user: str) -> Action:
    require_same(body, project_id=project, action_id=action_id)
    made = Action(action_id, project, user, _sized(freezer_action(body['freezer_action'])))
    return replace(made, **_given(body, _OF_ACTION))


def changed_action(old: Action, body: Body) -> Action:
    """PATCH: members of the freezer_action are changed one by one, null removes one."""
    require_same(body, project_id=old.project_id, action_id=old.id, user_id=old.user_id)
    posted = body.get('freezer_action', {})
    if posted.get('src_file') is not None:
        posted = {'path_to_backup': posted['src_file'], **posted}
    content = _sized(freezer_action({**old.freezer_action, **posted}))
    return replace(old, freezer_action=content, **_given(body, _OF_ACTION))


def _sized(content: Body) -> Body:
    require_size('freezer_action', content)
    return content


def job_actions(body: Body) -> tuple[JobAction, ...]:
    defaults = body.get('action_defaults') or {}
    parts = []
    for number, part in enumerate(body['job_actions']):
        content = None
        if 'freezer_action' in part:
            posted = {**defaults, **cleaned(part['freezer_action'])}
            content = freezer_action(posted, f'job_actions[{number}]')
        given = _given(part, _OF_ACTION)
        parts.append(JobAction(part.get('action_id', ''), content, **given))
    require_size('job_actions', {}, *(part.freezer_action or {} for part in parts))
    return tuple(parts)


def checked_schedule(document: Body, now: int, old: Body | None = None) -> dict[str, Any]:
    """What is stored of a schedule.

    :param now: seconds since 1970
    :param old: the one that there is. Unless its times change it is not looked at: what has had
        its time is no reason to refuse a new description.
    :raises InvalidRequest: for one that could not run as it is written, or never would.
    """
    if old is None or schedule.given(document) != schedule.given(old):
        made = {'time_created': now, **(old or {}), **document}['time_created']
        schedule.require_run(document, _moment(now), made=_moment(made if made > 0 else now))
    return dict(document)


def _moment(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def new_job(
    body: Body, job_id: str, project: str, user: str, now: int, old: Job | None = None
) -> Job:
    """``old``: the one that it replaces."""
    require_same(body, project_id=project, job_id=job_id)
    created = {'time_created': now, 'time_started': -1, 'time_ended': -1}
    plan = checked_schedule(body.get('job_schedule', {}), now, old.schedule if old else None)
    return Job(
        job_id,
        project,
        user,
        body['client_id'],
        {'event': '', **created, **plan},
        job_actions(body),
        body.get('description', ''),
        body.get('session_id', ''),
        body.get('session_tag', 0),
    )


def replaced_job(old: Job, body: Body, now: int) -> Job:
    """POST on one that is there: all is new, but when it was made and the session it is in."""
    require_same(body, user_id=old.user_id)
    new = new_job(body, old.id, old.project_id, old.user_id, now, old)
    kept = {name: v for name, v in old.schedule.items() if name.startswith('time_')}
    return replace(
        new,
        schedule={**new.schedule, **kept, **body.get('job_schedule', {})},
        session_id=body.get('session_id', old.session_id),
        session_tag=body.get('session_tag', old.session_tag),
        version=old.version,
    )


def changed_job(old: Job, body: Body, now: int) -> Job:
    """PATCH: what is named, also in the schedule."""
    require_same(body, project_id=old.project_id, job_id=old.id, user_id=old.user_id)
    plan = checked_schedule({**old.schedule, **body.get('job_schedule', {})}, now, old.schedule)
    actions = old.actions
    if 'job_actions' in body:
        actions = job_actions(body)
    elif body.get('action_defaults'):
        raise InvalidRequest('action_defaults are for the job_actions of the same body.')
    given = _given(body, ('client_id', 'description', 'session_id', 'session_tag'))
    return replace(old, schedule=plan, actions=actions, **given)


def new_session(
    body: Body, session_id: str, project: str, user: str, now: int, old: Session | None = None
) -> Session:
    """``old``: the one that it replaces."""
    require_same(body, project_id=project)
    plan = checked_schedule(body['schedule'], now, old.schedule if old else None)
    made = Session(session_id, project, user, plan, hold_off=HOLD_OFF)
    return replace(made, **_given(body, _OF_SESSION))


def replaced_session(old: Session, body: Body, now: int) -> Session:
    """POST on one that is there: all is new, but for its jobs."""
    require_same(body, session_id=old.id, user_id=old.user_id)
    new = new_session(body, old.id, old.project_id, old.user_id, now, old)
    return replace(new, jobs=old.jobs, version=old.version)


def changed_session(old: Session, body: Body, now: int) -> Session:
    require_same(body, project_id=old.project_id, session_id=old.id, user_id=old.user_id)
    plan = checked_schedule({**old.schedule, **body.get('schedule', {})}, now, old.schedule)
    return replace(old, schedule=plan, **_given(body, _OF_SESSION))


def new_backup(body: Body, backup_id: str, project: str, user: str) -> Backup:
    status = body.get('status', 'available')
    require_size('the backup', body)
    return Backup(backup_id, project, user, dict(body), status, user)


def changed_backup(old: Backup, body: Body) -> Backup:
    require_same(body, project_id=old.project_id, user_id=old.user_id)
    require_same(body, backup_id=old.id, backup_uuid=old.id)
    metadata = {**old.metadata, **body.get('backup_metadata', {})}
    require_size('backup_metadata', metadata)
    return replace(old, metadata=metadata, status=body.get('status', old.status))


def report(
    body: Body, report_id: str, project: str, action_id: str, report_date: int
) -> ActionReport:
    """:raises InvalidRequest: for the log of a run that did not fail."""
    if body.get('log') is not None and body['result'] == 'success':
        raise InvalidRequest('log is for runs that failed: leave it out, or say another result.')
    return ActionReport(
        report_id,
        project,
        action_id,
        body.get('job_id'),
        body['result'],
        body.get('time_elapsed', -1),
        report_date,
        body.get('metadata', {}),
        body.get('log'),
    )


def _given(body: Body, names: Sequence[str]) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}
