"""JSON schemas of what ``api.views`` renders, by the name they have in the document.

Each lists all members there can be: the tests hold every answer against it.
"""

import dataclasses
from typing import Any

from slotwright.domain.events import Kind
from slotwright.domain.gauges import Gauges
from slotwright.domain.quotas import RESOURCES
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {'$ref': f'#/components/schemas/{name}'}


def array(items: Schema) -> Schema:
    return {'type': 'array', 'items': items}


def record(required: Schema, optional: Schema | None = None, description: str = '') -> Schema:
    """An object with these members and no others."""
    schema: Schema = {
        'type': 'object',
        'required': list(required),
        'properties': {**required, **(optional or {})},
        'additionalProperties': False,
    }
    return {**schema, 'description': description} if description else schema


#: An answer without a body.
EMPTY: Schema = {}
TEXT: Schema = {'type': 'string'}
INTEGER: Schema = {'type': 'integer'}
BOOLEAN: Schema = {'type': 'boolean'}
OR_NULL: Schema = {'type': ['string', 'null']}
UUID: Schema = {'type': 'string', 'format': 'uuid'}
MOMENT: Schema = {
    'type': 'string',
    'pattern': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$',
    'description': 'UTC to the microsecond, without a zone',
}
TIME: Schema = {
    'type': 'string',
    'pattern': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$',
    'description': 'UTC, without a zone',
}
PORT: Schema = {'type': 'integer', 'minimum': 1, 'maximum': 65535}
LINKS = array(ref('Link'))
VOLUME = record({'size': {'type': 'integer', 'description': 'GiB'}})
USED_VOLUME = record(
    VOLUME['properties'], {'used': {'type': 'number', 'description': 'GiB, as last reported'}}
)
DATASTORE_OF = record({'type': TEXT, 'version': TEXT})
FLAVOR_OF = record({'id': TEXT, 'links': LINKS})
STATUS: Schema = {'enum': [status.value for status in InstanceStatus]}

_PLACE = {
    'port': {**PORT, 'description': 'where clients connect to; missing until it has a place'},
    'address': {'type': 'string', 'description': 'ip:port'},
}
_CLUSTER_HEAD = {
    'id': UUID,
    'name': TEXT,
    'task': record({'id': INTEGER, 'name': TEXT, 'description': TEXT}),
    'created': TIME,
    'updated': TIME,
    'links': LINKS,
    'datastore': DATASTORE_OF,
}
_CLUSTER_TAIL = {
    'locality': TEXT,
    'extended_properties': {'type': 'object', 'additionalProperties': TEXT},
    'operation': {**ref('Operation'), 'description': 'the newest one'},
}
_GAUGES = [field.name for field in dataclasses.fields(Gauges)]
_INSTANCE = {
    'id': UUID,
    'cluster_id': UUID,
    'name': TEXT,
    'status': STATUS,
    'operating_status': {'enum': ['', 'HEALTHY', 'CRASHED', 'UNKNOWN']},
    'created': TIME,
    'updated': TIME,
    'links': LINKS,
    'ip': array(TEXT),
    'addresses': array(record({'address': TEXT, 'type': {'const': 'private'}})),
    'flavor': FLAVOR_OF,
    'region': TEXT,
    'access': record({'is_public': BOOLEAN, 'allowed_cidrs': array(TEXT)}),
}

COMPONENTS: dict[str, Schema] = {
    'Error': {
        'type': 'object',
        'minProperties': 1,
        'maxProperties': 1,
        'additionalProperties': record(
            {'code': {'type': 'integer', 'description': 'the HTTP status'}, 'message': TEXT}
        ),
        'description': "named by its kind: {'itemNotFound': {'code': 404, 'message': '…'}}",
    },
    'Link': record({'href': TEXT, 'rel': {'enum': ['self', 'bookmark', 'next']}}),
    'Cluster': record(
        {**_CLUSTER_HEAD, 'ip': array(TEXT), 'instances': array(ref('Member'))},
        _CLUSTER_TAIL,
        'a cluster, with whole members; ip lists those that are ACTIVE',
    ),
    'ClusterItem': record(
        {
            **_CLUSTER_HEAD,
            'instances': array(
                record({'id': UUID, 'name': TEXT, 'type': {'const': 'member'}, 'links': LINKS})
            ),
        },
        _CLUSTER_TAIL,
        'a cluster in a list',
    ),
    'Member': record(
        {
            'id': UUID,
            'name': TEXT,
            'type': {'const': 'member'},
            'status': STATUS,
            'ip': array(TEXT),
            'links': LINKS,
            'flavor': FLAVOR_OF,
        },
        {'volume': VOLUME, **_PLACE},
        'an instance as part of its cluster',
    ),
    'InstanceItem': record(
        {**_INSTANCE, 'datastore': record({'type': TEXT})},
        {'volume': VOLUME},
        'an instance in a list',
    ),
    'AnyInstanceItem': record(
        {**_INSTANCE, 'datastore': record({'type': TEXT}), 'tenant_id': TEXT},
        {'volume': VOLUME},
        'an instance of any project in a list',
    ),
    'Instance': record(
        {**_INSTANCE, 'datastore': DATASTORE_OF, 'type': {'const': 'member'}},
        {
            'volume': USED_VOLUME,
            'hostname': TEXT,
            'locality': TEXT,
            'service_status_updated': TIME,
            'fault': record({'message': TEXT, 'created': TIME, 'details': OR_NULL}),
            'metrics': record(
                {**dict.fromkeys(_GAUGES, INTEGER), 'measured': TIME},
                description='of its node, lately; missing when nothing is known',
            ),
            **_PLACE,
        },
    ),
    'Operation': record(
        {
            'id': UUID,
            'cluster_id': UUID,
            'kind': {'enum': [kind.value for kind in OperationKind]},
            'state': {'enum': [state.value for state in OperationState]},
            'progress': record({'done': INTEGER, 'total': INTEGER, 'message': TEXT}),
            'reason': {**OR_NULL, 'description': 'why it failed'},
            'instances': array(UUID),
            'request_id': TEXT,
            'created': TIME,
            'updated': TIME,
            'links': LINKS,
        },
        description='what was asked of a cluster, and how far it is',
    ),
    'Event': record(
        {
            'id': {
                'type': 'integer',
                'description': "grows; of a cluster's events without gaps, elsewhere shared by all",
            },
            'kind': {'enum': [kind.value for kind in Kind]},
            'message': TEXT,
            'tenant_id': {**OR_NULL, 'description': 'null for pools and flavors'},
            'cluster_id': OR_NULL,
            'instance_id': OR_NULL,
            'operation_id': OR_NULL,
            'request_id': TEXT,
            'state': {'type': 'object', 'description': 'the new one of what the event is about'},
            'created': MOMENT,
        },
        description='what happened',
    ),
    'Flavor': record(
        {
            'id': {'type': ['integer', 'string']},
            'str_id': TEXT,
            'name': TEXT,
            'ram': {'type': 'integer', 'description': 'MiB'},
            'vcpus': INTEGER,
            'disk': {'type': 'integer', 'description': 'GiB'},
            'ephemeral': {'type': 'integer', 'description': 'GiB'},
            'links': LINKS,
        }
    ),
    'Datastore': record(
        {
            'id': UUID,
            'name': TEXT,
            'default_version': {'type': ['string', 'null'], 'format': 'uuid'},
            'versions': array(ref('DatastoreVersion')),
            'links': LINKS,
        }
    ),
    'DatastoreVersion': record(
        {
            'id': UUID,
            'name': TEXT,
            'version': TEXT,
            'datastore': UUID,
            'active': {'const': 1},
            'links': LINKS,
        }
    ),
    'Quota': record(
        {
            'resource': {'enum': list(RESOURCES)},
            'in_use': INTEGER,
            'reserved': INTEGER,
            'limit': {'type': 'integer', 'description': '-1 for none'},
        }
    ),
    'Limits': record(
        {
            'verb': {'const': 'ABSOLUTE'},
            **{f'max_{name}': INTEGER for name in RESOURCES},
            **{f'{name}_in_use': INTEGER for name in RESOURCES},
        }
    ),
    'Project': record({'id': TEXT, 'name': TEXT}),
    'Version': record(
        {'id': TEXT, 'status': TEXT, 'updated': TEXT, 'links': LINKS}, description='of this API'
    ),
    'Health': record(
        {'status': {'enum': ['OK', 'DEGRADED']}, 'database': {'const': 'OK'}},
        {name: {'enum': ['OK', 'DOWN']} for name in ('broker', 'management_store', 'events')},
    ),
}
