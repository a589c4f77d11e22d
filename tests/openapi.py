"""Holds every answer that a test gets against the API's own description."""

import functools
import re
from typing import Any

from falcon import testing
from jsonschema import Draft202012Validator

from api.openapi import document

_METHODS = frozenset({'GET', 'POST', 'PUT', 'PATCH', 'DELETE'})


class CheckedClient(testing.TestClient):
    """A client whose every answer is one that ``/openapi.json`` tells of."""

    def simulate_request(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().simulate_request(*args, **kwargs)
        method = args[0] if args else kwargs.get('method', 'GET')
        path = args[1] if len(args) > 1 else kwargs.get('path', '/')
        if method in _METHODS:
            require_described(method, path, answer)
        return answer


def require_described(method: str, path: str, answer: testing.Result) -> None:
    """:raises AssertionError: for a status or body that the document does not have."""
    status = answer.status_code
    described = _operation(method, path)
    if described is None:
        assert status >= 400, f'{method} {path} answered {status}: not described'
        kept = path.startswith(('/v1/', '/v2/')) and not path.startswith(('/v2/pools', '/v2/fla'))
        any_path = '/v1/jobs' if kept else '/v2/pools' if path.startswith('/v2/') else '/'
        content = _document()['paths'][any_path]['get']['responses']['default']['content']
    elif str(status) in described['responses']:
        content = described['responses'][str(status)].get('content')
    else:
        assert status >= 400, f'{method} {path} answered {status}: not described'
        content = described['responses']['default']['content']
    if content is None:
        assert not answer.content, f'{method} {path} answered {status} with a body'
    elif 'application/json' in content and (answer.content or status != 202):
        # OpenAPI cannot say that one of several actions is answered without a body.
        errors = [
            e.message for e in _validator(content['application/json']).iter_errors(answer.json)
        ]
        assert not errors, f'{method} {path} answered {status}, not as described: {errors}'


@functools.cache
def _document() -> dict[str, Any]:
    return document.build()


@functools.cache
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Patterns of the paths, the most literal first, as the router has it."""
    found = sorted(_document()['paths'].items(), key=lambda item: _rank(item[0]))
    return [
        (
            re.compile(
                '/'.join('[^/]+' if p[:1] == '{' else re.escape(p) for p in path.split('/'))
            ),
            o,
        )
        for path, o in found
    ]


def _rank(path: str) -> list[bool]:
    return [part.startswith('{') for part in path.split('/')]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    path = path.partition('?')[0].rstrip('/') or '/'
    for pattern, methods in _routes():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


def _validator(media: dict[str, Any]) -> Draft202012Validator:
    schema = {**media['schema'], 'components': _document()['components']}
    return Draft202012Validator(schema)
