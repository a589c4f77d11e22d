"""Things as they are answered: /v2 as they are searched, /v1 with less around them."""

from collections.abc import Mapping
from typing import Any

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action, ActionReport, Backup, Client, Job, Session

View = dict[str, Any]


def client(thing: Client, api_version: int) -> View:
    shown = documents.of_client(thing)
    return shown if api_version == 2 else {k: shown[k] for k in ('client', 'user_id')}


def action(thing: Action, api_version: int) -> View:
    return _versioned(documents.of_action(thing), thing.version, api_version)


def job(thing: Job, api_version: int) -> View:
    return _versioned(documents.of_job(thing), thing.version, api_version)


def session(thing: Session, api_version: int) -> View:
    shown = _versioned(documents.of_session(thing), thing.version, api_version)
    if api_version == 1:
        shown = {k: v for k, v in shown.items() if not (k.startswith('time_') and v == -1)}
        shown['last_start'] = '' if thing.time_start < 0 else thing.time_start
        shown['result'] = thing.result or ''
    return shown


def backup(thing: Backup, api_version: int) -> View:
    shown = _versioned(documents.of_backup(thing), thing.version, api_version)
    if api_version == 1:
        del shown['status']
    else:
        shown['backup_uuid'] = thing.id  # what the client shows as its id
    return shown


def report(thing: ActionReport) -> View:
    """``log`` is there when the run failed and left one."""
    shown = {
        'report_id': thing.id,
        'project_id': thing.project_id,
        'action_id': thing.action_id,
        'job_id': thing.job_id,
        'result': thing.result,
        'time_elapsed': thing.time_elapsed,
        'report_date': thing.report_date,
        'metadata': thing.metadata,
    }
    return shown if thing.log is None else {**shown, 'log': thing.log}


def _versioned(shown: View, version: int, api_version: int) -> View:
    if api_version == 1:
        shown = _posted(shown)
        del shown['project_id']
    return {**shown, '_version': version}


def _posted(shown: View) -> View:
    """Without what /v2 shows of actions though nobody gave it."""
    if 'freezer_action' in shown:
        shown['freezer_action'] = _without_nulls(shown['freezer_action'])
    for part in shown.get('job_actions', ()):
        part['freezer_action'] = _without_nulls(part['freezer_action'])
    return shown


def _without_nulls(given: Mapping[str, Any]) -> View:
    return {name: value for name, value in given.items() if value is not None}
