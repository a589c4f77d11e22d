"""What can be asked of /v2/{tenant_id} and /v1, in the manner of ``operations``."""

from collections.abc import Iterator
from dataclasses import replace

from api.backups import kinds, reports, schemas
from api.backups.routes import PREFIXES
from api.openapi.answers import EMPTY, INTEGER, TEXT, Schema, array, record, ref
from api.openapi.operation import Operation
from slotwright.storage.backups import PAGE

_PAGING: dict[str, Schema] = {
    'limit': {'type': 'integer', 'minimum': 1, 'description': f'{PAGE} unless given'},
    'offset': {'type': 'integer', 'minimum': 0},
}
_SEARCHED = {
    'type': 'object',
    'properties': {
        name: {'type': 'array', 'items': {'type': 'object'}} for name in ('match', 'match_not')
    },
    'additionalProperties': False,
    'description': 'what to find: {"match": [{"client_id": "c"}], "match_not": […]}',
}
_OBJECT: Schema = {'type': 'object'}
_ID_OR_NONE: Schema = {'type': ['string', 'null']}
_OWNED = {'user_id': TEXT}
_SHOWN_IN_V2 = {'project_id': TEXT}
#: Of what has a version, which lists of /v1 do not show.
_VERSIONED = {**_SHOWN_IN_V2, '_version': INTEGER}
_ACTION = {
    'action_id': TEXT,
    'freezer_action': _OBJECT,
    'max_retries': INTEGER,
    'max_retries_interval': INTEGER,
    'mandatory': {'type': 'boolean'},
}

COMPONENTS: dict[str, Schema] = {
    'BackupError': record({'title': TEXT, 'description': TEXT}, description='an error'),
    'BackupClient': record(
        {**_OWNED, 'client': _OBJECT}, _SHOWN_IN_V2, 'a host that jobs run on'
    ),
    'BackupAction': record(
        {**_OWNED, **_ACTION}, _VERSIONED, 'something to do'
    ),
    'BackupJob': record(
        {
            **_OWNED,
            'job_id': TEXT,
            'client_id': TEXT,
            'session_id': TEXT,
            'session_tag': INTEGER,
            'description': TEXT,
            'job_actions': array(record(_ACTION)),
            'job_schedule': _OBJECT,
        },
        _VERSIONED,
        'actions on a client',
    ),
    'BackupSession': record(
        {
            **_OWNED,
            'session_id': TEXT,
            'description': TEXT,
            'policy': _ID_OR_NONE,
            'hold_off': INTEGER,
            'session_tag': INTEGER,
            'schedule': _OBJECT,
            'jobs': _OBJECT,
            'status': TEXT,
            'result': _ID_OR_NONE,
        },
        {
            **_VERSIONED,
            **{f'time_{name}': INTEGER for name in ('start', 'end', 'started', 'ended')},
            'last_start': {'type': ['integer', 'string']},
        },
        'jobs that start together',
    ),
    'BackupRecord': record(
        {**_OWNED, 'backup_id': TEXT, 'user_name': _ID_OR_NONE, 'backup_metadata': _OBJECT},
        {**_VERSIONED, 'status': {'enum': list(schemas.STATUSES)}, 'backup_uuid': TEXT},
        'what a run left behind',
    ),
    'BackupReport': record(
        {'report_id': TEXT, 'project_id': TEXT, 'action_id': TEXT, 'job_id': _ID_OR_NONE,
         'result': TEXT, 'time_elapsed': {'type': 'number'}, 'report_date': INTEGER,
         'metadata': _OBJECT},
        {'log': TEXT},
        'how a run ended',
    ),
}  # fmt: skip

_NAMES = {'actions': 'BackupAction', 'jobs': 'BackupJob', 'sessions': 'BackupSession',
          'backups': 'BackupRecord'}  # fmt: skip


def _operations() -> Iterator[Operation]:
    """All, with paths below the prefix of a version."""
    yield from _of_clients()
    for kind in (kinds.ACTIONS, kinds.JOBS, kinds.SESSIONS, kinds.BACKUPS):
        yield from _of_kind(kind)
    said = record({'result': TEXT})
    yield Operation(
        'POST', 'jobs/{job_id}/event', 'requestJobEvent', 'Start, stop or abort a job',
        {202: said}, body=_OBJECT,
    )  # fmt: skip
    yield Operation(
        'POST', 'sessions/{session_id}/action', 'actOnSession', 'Start or end a round',
        {202: record({'result': TEXT, 'session_tag': INTEGER})}, body=_OBJECT,
    )  # fmt: skip
    member = 'sessions/{session_id}/jobs/{job_id}'
    yield Operation('PUT', member, 'addSessionJob', 'Put a job into a session', {204: EMPTY})
    yield Operation('DELETE', member, 'removeSessionJob', 'Take it out', {204: EMPTY})


def _operations_of_v2() -> Iterator[Operation]:
    """What /v1 does not have."""
    page = record({'reports': array(ref('BackupReport'))})
    limit = {**_PAGING['limit'], 'description': f'{PAGE} unless given; {reports.MOST} at most'}
    for kind, name in (('action', 'BackupAction'), ('job', 'BackupJob')):
        path = f'{kind}s/{{{kind}_id}}/reports'
        yield Operation('GET', path, f'list{name}Reports', f'List the reports of runs of a {kind}',
                        {200: page}, {**_PAGING, 'limit': limit})  # fmt: skip
    yield Operation('POST', 'actions/{action_id}/reports', 'createBackupReport',
                    'Report how a run ended', {201: record({'report_id': TEXT})},
                    body=schemas.REPORT.document)  # fmt: skip


def _of_clients() -> Iterator[Operation]:
    page = record({'clients': array(ref('BackupClient'))})
    yield Operation('GET', 'clients', 'listBackupClients', 'List clients', {200: page}, _PAGING,
                    body=_SEARCHED, body_required=False)  # fmt: skip
    yield Operation('POST', 'clients', 'createBackupClient', 'Register a client',
                    {201: record({'client_id': TEXT})}, body=schemas.CLIENT.document)  # fmt: skip
    one = 'clients/{client_id}'
    yield Operation('GET', one, 'showBackupClient', 'Show a client', {200: ref('BackupClient')})
    yield Operation('DELETE', one, 'deleteBackupClient', 'Delete a client', {204: EMPTY})


def _of_kind(kind: kinds.Kind) -> Iterator[Operation]:  # type: ignore[type-arg]  # of any
    name, what = _NAMES[kind.name], kind.name[:-1]
    one = f'{kind.name}/{{{kind.id_name}}}'
    page = record({kind.name: array(ref(name))})
    more: dict[str, Schema] = {'all_projects': TEXT} if kind.name == 'jobs' else {}
    yield Operation('GET', kind.name, f'list{name}s', f'List {what}s', {200: page},
                    {**_PAGING, **more}, body=_SEARCHED, body_required=False)  # fmt: skip
    yield Operation('POST', kind.name, f'create{name}', f'Create a {what}',
                    {201: record({kind.id_name: TEXT})}, body=kind.created.document)  # fmt: skip
    yield Operation('GET', one, f'show{name}', f'Show a {what}', {200: ref(name)})
    written = record({kind.id_name: TEXT, 'version': INTEGER})
    is_record = kind.name == 'backups'
    yield Operation('PATCH', one, f'update{name}', f'Change a {what}',
                    {200: ref(name) if is_record else written},
                    body=kind.changed.document)  # fmt: skip
    if not is_record:
        yield Operation('POST', one, f'replace{name}', f'Replace a {what}, or create it',
                        {201: written}, body=kind.replaced.document)  # fmt: skip
    yield Operation('DELETE', one, f'delete{name}', f'Delete a {what}', {204: EMPTY})


OPERATIONS: tuple[Operation, ...] = tuple(
    replace(
        operation,
        path=f'{prefix}/{operation.path}',
        id=operation.id if api_version == 2 else f'{operation.id}V1',
        error='BackupError',
    )
    for api_version, prefix in PREFIXES.items()
    for operation in (*_operations(), *(_operations_of_v2() if api_version == 2 else ()))
)
