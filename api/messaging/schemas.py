"""JSON schemas of the bodies, in the manner of ``api.schemas``."""

from typing import Any

from api.schemas import Schema
from slotwright.domain.pools import HEAVIEST, LONGEST

_POOL: dict[str, Any] = {
    'uri': {
        'type': 'string',
        'minLength': 1,
        'maxLength': LONGEST,
        'description': f'must be a URI of 1 to {LONGEST} characters, such as local://',
    },
    'weight': {
        'type': 'integer',
        'minimum': 0,
        'maximum': HEAVIEST,
        'description': f'must be a whole number from 0 (nothing new) to {HEAVIEST}',
    },
    'flavor': {
        'type': 'string',
        'maxLength': LONGEST,
        'description': f"must be the name of a flavor, of up to {LONGEST} characters, or ''",
    },
    'options': {'type': 'object', 'description': 'must be an object'},
}
_FLAVOR: dict[str, Any] = {
    'pool_list': {
        'type': 'array',
        'minItems': 1,
        'items': {'type': 'string', 'minLength': 1, 'description': 'must be the name of a pool'},
        'description': 'must be a list of at least one pool',
    },
    'capabilities': {
        'type': 'object',
        'description': "must be an object like {'ram': 1024, 'disk': 10}",
    },
}


def _body(properties: dict[str, Any], required: list[str], like: str) -> dict[str, Any]:
    return {
        'type': 'object',
        'required': required,
        'properties': properties,
        'additionalProperties': False,
        'description': f'must be an object like {like}',
    }


POOL = Schema(_body(_POOL, ['uri', 'weight'], "{'uri': 'local://', 'weight': 100}"), '')
POOL_CHANGE = Schema({**_body(_POOL, [], "{'weight': 50}"), 'additionalProperties': True}, '')
FLAVOR = Schema(_body(_FLAVOR, ['pool_list'], "{'pool_list': ['a', 'b']}"), '')
FLAVOR_CHANGE = Schema(
    {**_body(_FLAVOR, [], "{'pool_list': ['a', 'b']}"), 'additionalProperties': True}, ''
)
