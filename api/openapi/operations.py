"""What can be asked of the API: a row for each method of each route."""

from collections.abc import Iterator, Mapping

from api import schemas
from api.database import unserved
from api.openapi import backups, messaging
from api.openapi.answers import BOOLEAN, EMPTY, INTEGER, LINKS, TEXT, Schema, array, record, ref
from api.openapi.operation import Operation
from slotwright.domain.quotas import RESOURCES


def _page(key: str, items: str) -> dict[int, Schema]:
    links = {'links': {**LINKS, 'description': 'the next page, if there is one'}}
    return {200: record({key: array(ref(items))}, links)}


def _list(key: str, items: str) -> dict[int, Schema]:
    return {200: record({key: array(ref(items))})}


def _one(key: str, name: str, status: int = 200) -> dict[int, Schema]:
    return {status: record({key: ref(name)})}


_LIMIT = {'type': 'integer', 'minimum': 1, 'description': 'most entries of the page'}
_MARKER = {'type': 'string', 'description': 'id of the last entry of the page before'}
_PAGING: dict[str, Schema] = {'limit': _LIMIT, 'marker': _MARKER}
_CLUSTERED: Schema = {
    'type': 'string',
    'enum': ['true', 'false', 'True', 'False'],
    'description': 'true for the instances of clusters; there are no others',
}
_USER = record(
    {
        'user': record({'name': TEXT, 'password': {**TEXT, 'description': 'shown this once'}}),
        'operation': ref('Operation'),
    }
)
_ACTION: Schema = {
    'type': 'object',
    'minProperties': 1,
    'maxProperties': 1,
    'properties': {
        'grow': schemas.INSTANCES,
        'shrink': schemas.SHRINK,
        'reset-status': schemas.RESET_STATUS,
    },
    'description': 'one action: grow, shrink or reset-status',
}
_ACTED = {
    202: {
        **record({'cluster': ref('Cluster')}),
        'description': 'grow: the new members; others have no body',
    }
}
_ANY_ACTION: Schema = {'type': 'object', 'minProperties': 1, 'maxProperties': 1}

_CLUSTERS = (
    Operation(
        'GET',
        'clusters',
        'listClusters',
        'List clusters',
        _page('clusters', 'ClusterItem'),
        _PAGING,
    ),
    Operation(
        'POST',
        'clusters',
        'createCluster',
        'Create a cluster; Location is the operation to watch',
        _one('cluster', 'Cluster', 202),
        body=schemas.CREATE_BODY.document,
    ),
    Operation(
        'GET',
        'clusters/{cluster_id}',
        'showCluster',
        'Show a cluster, by id or name',
        _one('cluster', 'Cluster'),
    ),
    Operation(
        'DELETE',
        'clusters/{cluster_id}',
        'deleteCluster',
        'Delete a cluster and what it holds',
        {202: EMPTY},
    ),
    Operation(
        'POST',
        'clusters/{cluster_id}',
        'actOnCluster',
        'Act on a cluster, as the real client does',
        _ACTED,
        body=_ACTION,
    ),
    Operation(
        'POST',
        'clusters/{cluster_id}/action',
        'actOnClusterByAction',
        'Act on a cluster',
        _ACTED,
        body=_ACTION,
    ),
    Operation(
        'GET',
        'clusters/{cluster_id}/instances/{instance_id}',
        'showClusterInstance',
        'Show a member of a cluster',
        _one('instance', 'Instance'),
    ),
    Operation(
        'GET',
        'clusters/{cluster_id}/operations',
        'listOperations',
        'List what was asked of a cluster, newest first',
        _list('operations', 'Operation'),
        {'limit': _LIMIT},
    ),
    Operation(
        'GET',
        'operations/{operation_id}',
        'showOperation',
        'Show an operation: how far it is, and how it ended',
        _one('operation', 'Operation'),
    ),
)


def _events(path: str, suffix: str, whose: str) -> Operation:
    return Operation(
        'GET',
        path,
        f'listEvents{suffix}',
        f'List what happened {whose}, oldest first, or follow it as it happens',
        _page('events', 'Event'),
        {
            'limit': _LIMIT,
            'marker': {
                'type': 'integer',
                'minimum': 0,
                'description': 'id of the last event of the page before',
            },
        },
        streams=True,
    )


_EVENTS = (
    _events('events', '', 'in the project'),
    _events('clusters/{cluster_id}/events', 'OfCluster', 'to a cluster, also a deleted one'),
    _events('mgmt/events', 'OfAll', 'in all projects, and to pools and flavors'),
)


def _root(path: str, suffix: str) -> tuple[Operation, ...]:
    shown = record({'rootEnabled': BOOLEAN})
    return (
        Operation(
            'GET',
            path,
            f'showRoot{suffix}',
            "Tell whether the cluster has a tenant's password",
            {200: shown},
        ),
        Operation(
            'POST',
            path,
            f'enableRoot{suffix}',
            'Give the cluster a password; 202 when it is not in force on every node yet',
            {200: _USER, 202: _USER},
            body=schemas.ROOT_BODY.document,
            body_required=False,
        ),
        Operation(
            'DELETE',
            path,
            f'disableRoot{suffix}',
            'Take the password away; 202 when it is still in force on some node',
            {202: EMPTY, 204: EMPTY},
        ),
    )


_INSTANCES = (
    Operation(
        'GET',
        'instances',
        'listInstances',
        'List instances',
        _page('instances', 'InstanceItem'),
        {**_PAGING, 'include_clustered': _CLUSTERED},
    ),
    Operation('POST', 'instances', 'createInstance', 'Refused: instances come with clusters'),
    Operation(
        'GET',
        'instances/{instance_id}',
        'showInstance',
        'Show an instance, by id or name',
        _one('instance', 'Instance'),
    ),
    *(
        Operation(
            method,
            'instances/{instance_id}',
            f'{verb}Instance',
            'Refused: instances belong to clusters',
        )
        for method, verb in (('DELETE', 'delete'), ('PUT', 'update'), ('PATCH', 'patch'))
    ),
    *(
        Operation(
            'POST',
            f'{prefix}instances/{{instance_id}}/action',
            f'actOnInstance{suffix}',
            'Refused: instances belong to clusters',
            body=_ANY_ACTION,
        )
        for prefix, suffix in (('', ''), ('mgmt/', 'ByOperator'))
    ),
    Operation(
        'GET',
        'mgmt/instances',
        'listAllInstances',
        'List the instances of all projects',
        _page('instances', 'AnyInstanceItem'),
        {**_PAGING, 'include_clustered': _CLUSTERED},
    ),
)

_LIMITS: Schema = dict.fromkeys(RESOURCES, INTEGER)
_QUOTAS = (
    Operation('GET', 'limits', 'showLimits', 'Show quotas and use', _list('limits', 'Limits')),
    Operation(
        'GET',
        'mgmt/quotas/{project_id}',
        'showQuotas',
        "Show a project's quotas",
        _list('quotas', 'Quota'),
    ),
    Operation(
        'PUT',
        'mgmt/quotas/{project_id}',
        'updateQuotas',
        "Change a project's quotas",
        {200: record({'quotas': record({}, _LIMITS)})},
        body=schemas.QUOTAS_BODY.document,
    ),
    Operation(
        'GET', 'projects/{project_id}', 'showProject', 'Show a project', _one('project', 'Project')
    ),
)

_VERSION = 'datastores/{datastore}/versions/{version}'
_CATALOG = (
    Operation('GET', 'flavors', 'listFlavors', 'List flavors', _list('flavors', 'Flavor')),
    Operation(
        'GET',
        'flavors/{flavor_id}',
        'showFlavor',
        'Show a flavor, by id or name',
        _one('flavor', 'Flavor'),
    ),
    Operation(
        'GET',
        'datastores',
        'listDatastores',
        'List datastores',
        _list('datastores', 'Datastore'),
    ),
    Operation(
        'GET',
        'datastores/{datastore}',
        'showDatastore',
        'Show a datastore, by id or name',
        _one('datastore', 'Datastore'),
    ),
    Operation(
        'GET',
        'datastores/{datastore}/versions',
        'listVersions',
        'List the versions of a datastore',
        _list('versions', 'DatastoreVersion'),
    ),
    Operation(
        'GET',
        _VERSION,
        'showVersion',
        'Show a version, by id or name',
        _one('version', 'DatastoreVersion'),
    ),
    Operation(
        'GET',
        'datastores/versions/{version}',
        'showVersionById',
        'Show a version without naming its datastore',
        _one('version', 'DatastoreVersion'),
    ),
    Operation(
        'GET',
        f'{_VERSION}/flavors',
        'listVersionFlavors',
        'List the flavors that fit a version: all',
        _list('flavors', 'Flavor'),
    ),
)

_SERVICE = (
    Operation('GET', '/', 'listApiVersions', 'List API versions', _list('versions', 'Version')),
    Operation('GET', '/v1.0', 'showApiVersion', 'Show this version', _one('version', 'Version')),
    Operation('GET', '/openapi.json', 'showOpenApi', 'This document', {200: {'type': 'object'}}),
    Operation(
        'GET',
        '/healthcheck',
        'checkHealth',
        'Tell whether requests can be served now',
        {200: ref('Health')},
    ),
    Operation(
        'GET',
        '/metrics',
        'showMetrics',
        'What Prometheus scrapes',
        {200: TEXT},
        media_type='text/plain',
    ),
)


def _unserved() -> Iterator[Operation]:
    """Of what other datastores have: empty lists, and refusals that say why."""
    lists = [
        *unserved.LISTS,
        *((f'instances/{{instance_id}}/{path}', nothing) for path, nothing in unserved.OF_INSTANCE),
    ]
    for path, nothing in lists:
        empty: Schema = {'type': 'array', 'maxItems': 0}
        answers = {200: record({nothing.key: empty})} if nothing.key else {}
        yield _absent('GET', path, nothing.reason, answers)
        for method in ('POST', 'PUT', 'PATCH', 'DELETE'):
            yield _absent(method, path, nothing.reason)
    for path, kind in unserved.ITEMS:
        for method in ('GET', 'PUT', 'PATCH', 'DELETE'):
            yield _absent(method, path, f'{kind}: there are none.')


def _absent(
    method: str, path: str, reason: str, answers: Mapping[int, Schema] | None = None
) -> Operation:
    words = [word.strip('{}') for part in path.split('/') for word in part.split('-')]
    name = ''.join(word[:1].upper() + word[1:] for word in words)
    return Operation(method, path, f'{method.lower()}{name}', reason, answers or {})


OPERATIONS: tuple[Operation, ...] = (
    *_CLUSTERS,
    *_EVENTS,
    *_root('clusters/{cluster_id}/root', ''),
    *_root('instances/{instance_id}/root', 'OfInstance'),
    *_INSTANCES,
    *_QUOTAS,
    *_CATALOG,
    *messaging.OPERATIONS,
    *backups.OPERATIONS,
    *_SERVICE,
)
#: What the document marks as not served.
ABSENT: tuple[Operation, ...] = tuple(_unserved())


def all_operations() -> tuple[Operation, ...]:
    return OPERATIONS + ABSENT
