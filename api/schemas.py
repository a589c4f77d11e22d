"""JSON schemas (Draft 2020-12) of the request bodies, and what to say of a misfit.

Every part that can be wrong carries a ``description`` which completes the sentence
"<path> <value> …", so that the answer tells what to change.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from slotwright.domain.errors import InvalidRequest
from slotwright.domain.quotas import RESOURCES

_MOST_MESSAGES = 5
_MOST_CHARACTERS = 60  # of a wrong value that is quoted

NAME_PATTERN = r'^(?=.*[0-9A-Za-z])[^\x00-\x1f\x7f]+\Z'
UUID_PATTERN = r'^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z'

_TEXT = {'type': 'string', 'minLength': 1, 'maxLength': 255}


def _unserved(reason: str) -> dict[str, Any]:
    """A member that clients may send empty, because nothing here could obey it."""
    return {'enum': [None, '', [], {}], 'description': f'must be left out: {reason}'}


SIZE = {
    'anyOf': [
        {'type': 'integer', 'minimum': 1},
        {'type': 'string', 'pattern': r'^0*[1-9][0-9]*\Z', 'maxLength': 18},
    ],
    'description': 'must be a whole number of GiB from 1 up, or a string of its digits',
}

VOLUME = {
    'type': 'object',
    'required': ['size'],
    'properties': {'size': SIZE, 'type': _unserved('there are no volume types')},
    'description': "must be an object like {'size': 2}",
}

_MEMBER_TYPE = {'enum': ['member', 'master']}

INSTANCE = {
    'type': 'object',
    'properties': {
        # A missing flavor is answered with the seed's 403, not by this schema.
        'flavorRef': {
            'anyOf': [
                _TEXT,
                {'type': 'integer', 'minimum': 0, 'maximum': 2**63 - 1},
                {'type': 'null'},
            ],
            'description': 'must be the id of a flavor, as a string or a number',
        },
        'volume': VOLUME,
        'type': {
            'anyOf': [
                _MEMBER_TYPE,
                {'type': 'array', 'items': _MEMBER_TYPE},
                _unserved(''),
            ],
            'description': "must be 'member': every node of a new or grown cluster is a master",
        },
        'nics': _unserved('networks cannot be chosen'),
        'modules': _unserved('modules are not supported by the datastore'),
        'configuration': _unserved('configuration groups are not supported by the datastore'),
        'availability_zone': _unserved('there are no availability zones'),
        'related_to': _unserved('the nodes of a redis cluster are all alike'),
        'name': _unserved('members are named after their cluster'),
        'region': {'type': ['string', 'null'], 'description': 'must be a string'},
        'region_name': {'type': ['string', 'null'], 'description': 'must be a string'},
    },
    'description': "must be an object like {'flavorRef': '2', 'volume': {'size': 2}}",
}

INSTANCES = {
    'type': 'array',
    'minItems': 1,
    'items': INSTANCE,
    'description': 'must be a list of at least one instance',
}

DATASTORE = {
    'type': 'object',
    'required': ['type', 'version'],
    'properties': {
        'type': {**_TEXT, 'description': 'must be the name or id of a datastore'},
        'version': {**_TEXT, 'description': 'must be the name or id of a datastore version'},
    },
    'description': "must be an object like {'type': 'redis', 'version': '3.0'}",
}

CLUSTER = {
    'type': 'object',
    'required': ['name', 'datastore', 'instances'],
    'properties': {
        'name': {
            'type': 'string',
            'maxLength': 255,
            'pattern': NAME_PATTERN,
            'description': 'must have 1 to 255 characters, a letter or digit among them and '
            'no control characters',
        },
        'datastore': DATASTORE,
        'instances': INSTANCES,
        'locality': {
            'enum': ['affinity', 'anti-affinity'],
            'description': "is an invalid locality. Must be one of ['affinity', 'anti-affinity']",
        },
        'extended_properties': {
            'type': 'object',
            'maxProperties': 100,
            'propertyNames': {
                'maxLength': 255,
                'description': 'must have names of at most 255 characters',
            },
            'additionalProperties': {
                'type': 'string',
                'maxLength': 1024,
                'description': 'must be a string of at most 1024 characters',
            },
            'description': 'must be an object of strings, at most 100 of them',
        },
        'configuration': _unserved('Configuration groups not supported by the datastore'),
        'nics': _unserved('networks cannot be chosen'),
        'modules': _unserved('modules are not supported by the datastore'),
    },
    'description': 'must be an object with name, datastore and instances',
}

SHRINK = {
    'type': 'array',
    'minItems': 1,
    'items': {
        'type': 'object',
        'required': ['id'],
        'properties': {
            'id': {
                'type': 'string',
                'pattern': UUID_PATTERN,
                'description': 'must be the id (a UUID) of an instance',
            }
        },
        'description': "must be an object like {'id': '<id of an instance>'}",
    },
    'description': 'must be a list of at least one instance to remove',
}

_PASSWORD = {
    'writeOnly': True,
    'type': ['string', 'null'],
    'minLength': 8,
    'maxLength': 512,
    'pattern': r'^[\x21-\x7e]*\Z',
    'description': 'must have 8 to 512 printable ASCII characters and no spaces',
}

ROOT = {
    'type': 'object',
    'properties': {
        'password': _PASSWORD,
        'user': {
            'type': 'object',
            'properties': {
                'name': {
                    'enum': ['default'],
                    'description': "must be 'default', the user that clients log in as",
                },
                'password': _PASSWORD,
            },
            'description': "must be an object like {'password': '…'}",
        },
    },
    'description': "must be empty or an object like {'password': '…'}",
}


RESET_STATUS = {
    'type': 'object',
    'properties': {
        'force_delete': {'type': 'boolean', 'description': 'must be true or false'},
    },
    'additionalProperties': False,
    'description': "must be {} or {'force_delete': true}",
}

QUOTAS = {
    'type': 'object',
    'minProperties': 1,
    'propertyNames': {
        'enum': list(RESOURCES),
        'description': f'must be one of {list(RESOURCES)}',
    },
    'additionalProperties': {
        'anyOf': [
            {'type': 'integer', 'minimum': -1, 'maximum': 2**31 - 1},
            {'type': 'null'},
        ],
        'description': 'must be a whole number, -1 for no limit, or null for the default',
    },
    'description': "must be an object like {'instances': 10}",
}


def _is_integer(_checker: object, value: object) -> bool:
    """JSON Schema counts 2.0 among the integers, Python counts True: here neither is one."""
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine('integer', _is_integer),
)


class Schema:
    """A schema ready for use, which has to be one: a test looks, since that takes long.

    ``root`` is what messages call the document when it is part of a body; '' for a body.
    ``document`` is the schema itself.
    """

    def __init__(self, schema: dict[str, Any], root: str) -> None:
        self.document = schema
        self._validator = _Validator(schema)
        self._root = root

    def messages(self, document: object) -> Iterator[str]:
        """Yield what is wrong (one more than are shown, at most), naming path and remedy."""
        errors = itertools.islice(self._validator.iter_errors(document), _MOST_MESSAGES + 1)
        for error in sorted(errors, key=_position):
            yield _sentence(self._root, error)

    def check(self, document: Any) -> Any:
        """Hand ``document`` back.

        :raises InvalidRequest: with the first few messages, if it does not fit.
        """
        wrong = list(self.messages(document))
        if len(wrong) > _MOST_MESSAGES:
            wrong[_MOST_MESSAGES:] = ['and more']
        if wrong:
            raise InvalidRequest('Validation error: ' + '; '.join(wrong))
        return document


def _position(error: ValidationError) -> list[tuple[bool, int | str]]:
    return [(isinstance(part, str), part) for part in error.absolute_path]


def _sentence(root: str, error: ValidationError) -> str:
    first, *rest = [root, *error.absolute_path] if root else error.absolute_path or ['the body']
    path = str(first) + ''.join(f'[{part!r}]' for part in rest)
    if error.validator == 'required':
        return f'{path} {error.message}'  # it names the one that is missing
    if error.schema.get('writeOnly'):  # a secret is never repeated
        return f'{path} {error.schema["description"]}'
    # Of the others only this one knows more than the description: what is too much.
    more = f' ({error.message})' if error.validator == 'additionalProperties' else ''
    return f'{path} {quote(error.instance)} {error.schema["description"]}{more}'


def quote(value: object) -> str:
    """A wrong value, short enough to be quoted.

    >>> quote('a'), len(quote('a' * 1000))
    ("'a'", 60)
    """
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + '…'


CREATE_BODY = Schema(
    {
        'type': 'object',
        'required': ['cluster'],
        'properties': {'cluster': CLUSTER},
        'description': "must be an object like {'cluster': {…}}",
    },
    '',
)
GROW_ACTION = Schema(INSTANCES, 'grow')
SHRINK_ACTION = Schema(SHRINK, 'shrink')
RESET_STATUS_ACTION = Schema(RESET_STATUS, 'reset-status')
ROOT_BODY = Schema(ROOT, '')
QUOTAS_BODY = Schema(
    {
        'type': 'object',
        'required': ['quotas'],
        'properties': {'quotas': QUOTAS},
        'description': "must be an object like {'quotas': {'instances': 10}}",
    },
    '',
)
