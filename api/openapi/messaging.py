"""What can be asked of /v2, in the manner of ``operations``."""

from api.messaging import schemas
from api.openapi.answers import EMPTY, LINKS, TEXT, Schema, array, record, ref
from api.openapi.operation import Operation

_PAGING: dict[str, Schema] = {
    'limit': {'type': 'integer', 'minimum': 1, 'maximum': 20, 'description': '10 unless given'},
    'marker': {'type': 'string', 'description': 'name of the last entry of the page before'},
}
_DETAILED: dict[str, Schema] = {
    'detailed': {'type': 'string', 'enum': ['true', 'false', 'True', 'False']}
}
_POOL = {
    'name': TEXT,
    'uri': TEXT,
    'weight': {'type': 'integer'},
    'flavor': {'type': ['string', 'null']},
    'href': TEXT,
}
_OBJECT: Schema = {'type': 'object'}

COMPONENTS: dict[str, Schema] = {
    'MessagingError': record({'title': TEXT, 'description': TEXT}, description='an error of /v2'),
    'Pool': record(_POOL, {'options': _OBJECT}, 'a place where instances run'),
    'PoolFlavor': record(
        {'name': TEXT, 'href': TEXT},
        {'pool_list': array(TEXT), 'capabilities': _OBJECT},
        'a size and the pools that offer it',
    ),
}


def _both(
    kind: str, what: str, component: str, created: Schema, changed: Schema
) -> tuple[Operation, ...]:
    """The five operations on pools, or on flavors."""
    name = kind[:-1].capitalize()
    one = f'/v2/{kind}/{{{kind[:-1]}}}'
    page = record({kind: array(ref(component)), 'links': LINKS})
    return (
        Operation(
            'GET',
            f'/v2/{kind}',
            f'list{component}s',
            f'List {what}s',
            {200: page},
            {**_PAGING, **_DETAILED},
            error='MessagingError',
        ),
        Operation(
            'GET',
            one,
            f'show{component}',
            f'Show a {what}',
            {200: ref(component)},
            _DETAILED if name == 'Pool' else {},
            error='MessagingError',
        ),
        Operation(
            'PUT',
            one,
            f'create{component}',
            f'Create a {what}, or replace it',
            {201: EMPTY},
            body=created,
            error='MessagingError',
        ),
        Operation(
            'PATCH',
            one,
            f'update{component}',
            f'Change a {what}',
            {200: ref(component)},
            body=changed,
            error='MessagingError',
        ),
        Operation(
            'DELETE',
            one,
            f'delete{component}',
            f'Delete a {what}',
            {204: EMPTY},
            error='MessagingError',
        ),
    )


OPERATIONS: tuple[Operation, ...] = (
    *_both('pools', 'pool', 'Pool', schemas.POOL.document, schemas.POOL_CHANGE.document),
    *_both(
        'flavors',
        'flavor of pools',
        'PoolFlavor',
        schemas.FLAVOR.document,
        schemas.FLAVOR_CHANGE.document,
    ),
)
