"""JSON schemas of the bodies, in the manner of ``api.schemas``.

Members that only we set (``user_id``, ``project_id`` …) may be in a body, as clients send back what
they read; ``api.backups.reading`` sees that they are what they were.
"""

from typing import Any

from api.schemas import Schema
from slotwright.domain import job_events
from slotwright.domain.backup_model import CAPABILITIES
from slotwright.domain.schedule import CRON_FIELDS, DATE, INTERVAL
from slotwright.domain.schedule import END as END_DATE
from slotwright.domain.schedule import START as START_DATE

LARGEST = 2**31 - 1
_LONGEST_ID = 36
_LONGEST_CLIENT_ID = 255
LONGEST = 255
LONGEST_PATH = 4096
MOST_MEMBERS = 200  # of a freezer_action, of backup_metadata
LONGEST_LOG = 65536

ACTIONS = ('backup', 'restore', 'info', 'admin')
MODES = ('fs', 'mongo', 'mysql', 'sqlserver', 'cinder', 'glance', 'cindernative', 'nova')
STORAGES = ('local', 'swift', 'ssh', 's3', 'ftp', 'ftps')
ENGINES = ('tar', 'rsync', 'rsyncv2', 'nova', 'osbrick', 'glance')
STATUSES = ('creating', 'available', 'error', 'deleting', 'deleted')


def _text(longest: int = LONGEST) -> dict[str, Any]:
    return {
        'type': 'string',
        'maxLength': longest,
        'description': f'must be a string of up to {longest} characters',
    }


def _number(smallest: int = 0) -> dict[str, Any]:
    return {
        'type': 'integer',
        'minimum': smallest,
        'maximum': LARGEST,
        'description': f'must be a whole number from {smallest} to {LARGEST}',
    }


def _one_of(values: tuple[str, ...], *more: Any) -> dict[str, Any]:
    return {
        'enum': [*values, *more],
        'description': f'must be one of {", ".join(value or "(empty)" for value in values)}',
    }


def _object(
    properties: dict[str, Any], required: tuple[str, ...], like: str, *, open_: bool = False
) -> dict[str, Any]:
    return {
        'type': 'object',
        'required': list(required),
        'properties': properties,
        'additionalProperties': open_,
        'description': f'must be an object like {like}',
    }


_BOOLEAN = {'type': 'boolean', 'description': 'must be true or false'}
_ANYTHING: dict[str, Any] = {}
_VERSION = {'_version': _number(1), 'version': _number(1)}
IDENTIFIER = {
    'type': 'string',
    'pattern': rf'^[A-Za-z0-9_-]{{1,{_LONGEST_ID}}}\Z',
    'description': f'must have 1 to {_LONGEST_ID} letters, digits, _ or -',
}
_LABEL = r'[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
CLIENT_ID = {
    'type': 'string',
    'maxLength': _LONGEST_CLIENT_ID,
    'pattern': rf'^(?:[A-Za-z0-9_-]+_)?{_LABEL}(?:\.{_LABEL})*\Z',
    'description': f'must be a host name of up to {_LONGEST_CLIENT_ID} characters, if need be '
    'with a project and _ before it: demo_web1.example.org',
}

_OFFERED = {'supported_storages': STORAGES, 'supported_engines': ENGINES,
            'supported_modes': MODES, 'supported_actions': (*ACTIONS, 'exec')}  # fmt: skip
CLIENT = Schema(
    _object(
        {
            'client_id': CLIENT_ID,
            'hostname': _text(),
            'description': _text(),
            'uuid': _text(_LONGEST_ID),
            'config_id': _text(),
            'is_central': _BOOLEAN,
            **{
                name: {
                    'type': 'array',
                    'items': _one_of(_OFFERED[name]),
                    'maxItems': 50,
                    'description': f'must be a list of some of {", ".join(_OFFERED[name])}',
                }
                for name in CAPABILITIES
            },
        },
        ('client_id',),
        "{'client_id': 'web1.example.org'}",
        open_=True,
    ),
    '',
)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, 'type': [schema['type'], 'null']}


_FREEZER_ACTION = {
    'type': 'object',
    'maxProperties': MOST_MEMBERS,
    'properties': {
        'action': {
            'enum': [*ACTIONS, None],
            'description': f'must be one of {", ".join(ACTIONS)}; exec, which runs any command, '
            'is not served',
        },
        'mode': _one_of(MODES, None),
        'storage': _one_of(STORAGES, None),
        'engine_name': _one_of(ENGINES, None),
        **{name: _or_null(_text()) for name in ('backup_name', 'container')},
        **{
            name: _or_null(_text(LONGEST_PATH))
            for name in ('path_to_backup', 'src_file', 'restore_abs_path', 'log_file')
        },
        **{name: _or_null(_number(-LARGEST)) for name in ('timeout', 'priority')},
    },
    'description': "must be an object like {'action': 'backup', 'mode': 'fs'}",
}
_RETRYING = {
    'max_retries': _number(),
    'max_retries_interval': _number(),
    'mandatory': _BOOLEAN,
}
_ACTION = {
    'freezer_action': _FREEZER_ACTION,
    'action_id': IDENTIFIER,
    **_RETRYING,
    **_VERSION,
}
_ACTION_LIKE = "{'freezer_action': {'action': 'backup', 'mode': 'fs'}}"
ACTION = Schema(_object(_ACTION, ('freezer_action',), _ACTION_LIKE, open_=True), '')
ACTION_CHANGE = Schema(_object(_ACTION, (), "{'max_retries': 3}", open_=True), '')

SCHEDULE = _object(
    {
        **{name: _number(-1) for name in ('time_created', 'time_started', 'time_ended')},
        'event': _one_of(job_events.SCHEDULED_EVENTS),
        'status': _one_of(job_events.STATUSES),
        'result': _one_of(job_events.RESULTS),
        'current_pid': _number(),
        # What they may say is looked at by ``slotwright.domain.schedule``.
        **dict.fromkeys((DATE, INTERVAL, START_DATE, END_DATE), _ANYTHING),
        **{f'schedule_{field}': _ANYTHING for field in CRON_FIELDS},
    },
    (),
    "{'schedule_interval': '1 day'}",
)
_JOB_ACTION = {
    'type': 'object',
    'anyOf': [{'required': ['freezer_action']}, {'required': ['action_id']}],
    'properties': _ACTION,
    'description': 'must be an object with a freezer_action, an action_id or both',
}
_JOB = {
    'job_id': IDENTIFIER,
    'client_id': CLIENT_ID,
    'description': _text(),
    'job_actions': {
        'type': 'array',
        'maxItems': 100,
        'items': _JOB_ACTION,
        'description': 'must be a list of at most 100 actions',
    },
    'job_schedule': SCHEDULE,
    'action_defaults': {**_FREEZER_ACTION, 'description': 'must be a freezer_action'},
    'session_id': {'anyOf': [{'const': ''}, IDENTIFIER], 'description': 'must be an id'},
    'session_tag': _number(),
    **dict.fromkeys(('session_name', 'user_id', 'project_id', 'user_credentials'), _ANYTHING),
    **_VERSION,
}
_JOB_LIKE = "{'client_id': 'web1', 'job_actions': [{'freezer_action': {'action': 'backup'}}]}"
JOB = Schema(_object(_JOB, ('client_id', 'job_actions'), _JOB_LIKE), '')
JOB_CHANGE = Schema(_object(_JOB, (), "{'description': 'nightly'}"), '')

_SESSION = {
    'session_id': IDENTIFIER,
    'schedule': SCHEDULE,
    'description': _text(),
    'policy': _or_null(_text()),
    'hold_off': _number(),
    'session_tag': _number(),
    'status': _text(),
    'result': _or_null(_text()),
    **{f'time_{name}': _number(-1) for name in ('start', 'end', 'started', 'ended')},
    # Told by us; the jobs have a path of their own.
    **dict.fromkeys(('user_id', 'project_id', 'jobs', 'last_start'), _ANYTHING),
    **_VERSION,
}
SESSION = Schema(_object(_SESSION, ('schedule',), "{'schedule': {}}"), '')
SESSION_REPLACED = Schema(
    _object(_SESSION, ('schedule', 'session_tag'), "{'schedule': {}, 'session_tag': 0}"), ''
)
SESSION_CHANGE = Schema(_object(_SESSION, (), "{'description': 'nightly'}"), '')

_TAG = {
    'anyOf': [
        {'type': 'integer', 'minimum': 0, 'maximum': LARGEST},
        {'type': 'string', 'pattern': r'^[0-9]{1,9}\Z'},
    ],
    'description': 'must be the tag of a round: a whole number, or a string of its digits',
}
START = Schema(
    _object(
        {'job_id': IDENTIFIER, 'current_tag': _TAG},
        ('job_id', 'current_tag'),
        "{'job_id': 'j1', 'current_tag': 0}",
    ),
    'start',
)
END = Schema(
    _object(
        {'job_id': IDENTIFIER, 'current_tag': _TAG, 'result': _one_of(job_events.RESULTS[1:])},
        ('job_id', 'result'),
        "{'job_id': 'j1', 'result': 'success', 'current_tag': 1}",
    ),
    'end',
)

_METADATA = {
    'type': 'object',
    'maxProperties': MOST_MEMBERS,
    'properties': {
        'container': _text(),
        'hostname': _text(),
        'backup_name': _text(),
        'status': _one_of(STATUSES),
    },
    'description': "must be an object like {'container': 'c', 'hostname': 'h', 'backup_name': 'b'}",
}
BACKUP = Schema({**_METADATA, 'required': ['container', 'hostname', 'backup_name']}, '')
BACKUP_CHANGE = Schema(
    _object(
        {
            'status': _one_of(STATUSES),
            'backup_metadata': _METADATA,
            **dict.fromkeys(
                ('backup_id', 'backup_uuid', 'user_id', 'user_name', 'project_id'), _ANYTHING
            ),
            **_VERSION,
        },
        (),
        "{'status': 'error'}",
    ),
    '',
)
REPORT = Schema(
    _object(
        {
            'job_id': _or_null({**IDENTIFIER}),
            'result': _one_of(job_events.RESULTS[1:]),
            'time_elapsed': {
                'type': 'number',
                'minimum': 0,
                'maximum': LARGEST,
                'description': f'must be a number of seconds from 0 to {LARGEST}',
            },
            'metadata': {
                'type': 'object',
                'maxProperties': 200,
                'description': 'must be an object of at most 200 members',
            },
            'log': _or_null(_text(LONGEST_LOG)),
        },
        ('result',),
        "{'result': 'fail', 'time_elapsed': 12.5, 'job_id': 'j1', 'log': 'no space left'}",
    ),
    '',
)
