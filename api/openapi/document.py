"""Puts the document together, and serves it."""

import json
import re
from typing import Any

import falcon

import slotwright
from api.openapi import backups, messaging
from api.openapi.answers import COMPONENTS, Schema, ref
from api.openapi.operation import Operation, body_of
from api.openapi.operations import ABSENT, OPERATIONS

_PARAMETER = re.compile(r'\{([a-z_]+)\}')
_ABOUT = (
    "A Redis Cluster service with OpenStack Trove's API. Every answer has an "
    'X-Openstack-Request-Id; every refusal says what to change.'
)


def build() -> dict[str, Any]:
    """The document: plain JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for tag, operations in (('served', OPERATIONS), ('not served', ABSENT)):
        for operation in operations:
            methods = paths.setdefault(operation.route, _shared(operation.route))
            methods[operation.method.lower()] = _render(operation, tag)
    document: dict[str, Any] = {
        'openapi': '3.1.0',
        'info': {'title': 'Slotwright', 'version': slotwright.__version__, 'description': _ABOUT},
        'servers': [{'url': '/'}],
        'security': [{}, {'basic': []}, {'token': []}],  # as [api] auth_strategy has it
        'tags': [
            {'name': 'served'},
            {'name': 'not served', 'description': 'empty lists, and refusals that say why'},
        ],
        'paths': paths,
        'components': {
            'schemas': {**COMPONENTS, **messaging.COMPONENTS, **backups.COMPONENTS},
            'securitySchemes': {
                'basic': {'type': 'http', 'scheme': 'basic'},
                'token': {'type': 'apiKey', 'in': 'header', 'name': 'X-Auth-Token'},
            },
        },
    }
    portable: dict[str, Any] = _portable(document)
    return portable


def _shared(route: str) -> dict[str, Any]:
    names = _PARAMETER.findall(route)
    return {'parameters': [_in_path(name) for name in names]} if names else {}


def _in_path(name: str) -> dict[str, Any]:
    text: dict[str, Any] = {'type': 'string', 'minLength': 1}
    if name == 'tenant_id':
        text['description'] = 'the project'
    return {'name': name, 'in': 'path', 'required': True, 'schema': text}


def _render(operation: Operation, tag: str) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        'operationId': operation.id,
        'summary': operation.summary,
        'tags': [tag],
        'responses': {
            **{
                str(status): {
                    'description': schema.get('description') or 'Done',
                    **({'content': _content(operation, schema)} if schema else {}),
                }
                for status, schema in operation.answers.items()
            },
            'default': {
                'description': 'Refused',
                'content': {'application/json': {'schema': ref(operation.error)}},
            },
        },
    }
    parameters = [
        {'name': name, 'in': place, 'schema': schema}
        for place, named in (('query', operation.query), ('header', _headers(operation)))
        for name, schema in named.items()
    ]
    if parameters:
        rendered['parameters'] = parameters
    body = body_of(operation)
    if body is not None:
        rendered['requestBody'] = body
    return rendered


def _content(operation: Operation, schema: Schema) -> dict[str, Any]:
    content: dict[str, Any] = {operation.media_type: {'schema': schema}}
    if operation.streams:
        text = {
            'type': 'string',
            'description': 'Server-Sent Events; their data are as in the list',
        }
        content['text/event-stream'] = {'schema': text}
    return content


def _headers(operation: Operation) -> dict[str, Schema]:
    if not operation.streams:
        return {}
    text = 'the id after which a stream goes on; without it or a marker: from now on'
    return {'Last-Event-ID': {'type': 'integer', 'minimum': 0, 'description': text}}


def _portable(value: Any) -> Any:
    r"""Regular expressions as ECMA 262 has them, where ``$`` is what Python calls ``\Z``."""
    if isinstance(value, dict):
        return {
            name: part.replace(r'\Z', '$')
            if name == 'pattern' and isinstance(part, str)
            else _portable(part)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_portable(part) for part in value]
    return value


class OpenApi:
    """/openapi.json"""

    def __init__(self) -> None:
        self._document = json.dumps(build()).encode()

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.data = self._document
