"""The one JSON document of each thing: what /v2 answers, and what searches look at.

``_version`` is in none of them: it says nothing about the thing, and changes all the time.
"""

from typing import Any

from slotwright.domain.backup_model import (
    CAPABILITIES,
    MAX_RETRIES,
    MAX_RETRIES_INTERVAL,
    Action,
    Backup,
    Client,
    Document,
    Job,
    JobAction,
    Session,
)

#: Members of a ``freezer_action`` that are shown also when they are not set.
ALWAYS_SHOWN = (
    'backup_name',
    'action',
    'mode',
    'container',
    'timeout',
    'priority',
    'path_to_backup',
    'log_file',
)


def of_client(client: Client) -> dict[str, Any]:
    return {
        'project_id': client.project_id,
        'user_id': client.user_id,
        'client': {
            'client_id': client.id,
            'uuid': client.uuid,
            'hostname': client.hostname,
            'description': client.description,
            'config_id': client.config_id,
            'is_central': client.is_central,
            **{name: list(client.supported.get(name, ())) for name in CAPABILITIES},
        },
    }


def of_freezer_action(posted: Document) -> dict[str, Any]:
    return {**dict.fromkeys(ALWAYS_SHOWN), **posted}


def of_action(action: Action) -> dict[str, Any]:
    return {
        'project_id': action.project_id,
        'action_id': action.id,
        'user_id': action.user_id,
        'max_retries': action.max_retries,
        'max_retries_interval': action.max_retries_interval,
        'mandatory': action.mandatory,
        'freezer_action': of_freezer_action(action.freezer_action),
    }


def of_job_action(part: JobAction) -> dict[str, Any]:
    """A part of a job that was read; its values are all there."""
    return {
        'action_id': part.action_id,
        'max_retries': MAX_RETRIES if part.max_retries is None else part.max_retries,
        'max_retries_interval': MAX_RETRIES_INTERVAL
        if part.max_retries_interval is None
        else part.max_retries_interval,
        'mandatory': bool(part.mandatory),
        'freezer_action': of_freezer_action(part.freezer_action or {}),
    }


def of_job(job: Job) -> dict[str, Any]:
    return {
        'job_id': job.id,
        'project_id': job.project_id,
        'user_id': job.user_id,
        'client_id': job.client_id,
        'session_id': job.session_id,
        'session_tag': job.session_tag,
        'description': job.description,
        'job_actions': [of_job_action(part) for part in job.actions],
        # Freezer's scheduler stops at a job without an event.
        'job_schedule': {'event': '', **job.schedule},
    }


def of_session(session: Session) -> dict[str, Any]:
    """``jobs`` come before what is the session's own: a search finds the last of a name."""
    return {
        'session_id': session.id,
        'project_id': session.project_id,
        'user_id': session.user_id,
        'description': session.description,
        'policy': session.policy,
        'hold_off': session.hold_off,
        'session_tag': session.session_tag,
        'schedule': dict(session.schedule),
        'jobs': {
            job.job_id: {
                'client_id': job.client_id,
                'status': job.status,
                'result': job.result,
                'time_started': job.time_started,
                'time_ended': job.time_ended,
            }
            for job in session.jobs
        },
        'status': session.status,
        'result': session.result,
        'time_start': session.time_start,
        'time_end': session.time_end,
        'time_started': session.time_started,
        'time_ended': session.time_ended,
    }


def of_backup(backup: Backup) -> dict[str, Any]:
    return {
        'backup_id': backup.id,
        'project_id': backup.project_id,
        'user_id': backup.user_id,
        'user_name': backup.user_name,
        'backup_metadata': dict(backup.metadata),
        'status': backup.status,
    }
