"""A small client of our own API, for what the OpenStack client lacks.

Endpoint and login come from the environment variables of the OpenStack client, so that one
``export`` serves both: OS_ENDPOINT (down to the project), OS_AUTH_TYPE none, http_basic or
admin_token, OS_USERNAME and OS_PASSWORD, or OS_TOKEN. None of them is ever an argument.
"""

import base64
import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from slotwright import event_stream
from slotwright.domain.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    OverLimit,
    SlotwrightError,
    Unauthorized,
    Unavailable,
)

TIMEOUT = 30.0  # seconds for one answer
SILENCE = 45.0  # seconds without a byte, after which a stream is lost: three keep-alives

Found = TypeVar('Found')

_ERRORS: Mapping[int, type[SlotwrightError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: OverLimit,
}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A login is for the endpoint, and not for wherever that sends us."""

    def redirect_request(self, *_: Any) -> None:
        """None makes the redirect an error."""


_OPENER = urllib.request.build_opener(_NoRedirects)


class Client:
    """Requests to the API of one project."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._endpoint = endpoint.rstrip('/')
        self._headers = dict(headers)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> 'Client':
        """:raises InvalidRequest: naming the variable that is missing or cannot be."""
        endpoint = environment.get('OS_ENDPOINT', '')
        if not _is_url(endpoint):
            raise InvalidRequest('Set OS_ENDPOINT, such as http://127.0.0.1:8779/v1.0/PROJECT')
        return cls(endpoint, _login(environment))

    def get(self, name: str, *path: str, timeout: float = TIMEOUT) -> Mapping[str, Any]:
        """The object ``name`` in what a GET answers, within ``timeout`` seconds.

        :raises SlotwrightError: see ``list``.
        """
        return self._get(dict, name, self._request(path), timeout)

    def list(
        self, name: str, *path: str, timeout: float = TIMEOUT, **query: str
    ) -> Sequence[Mapping[str, Any]]:
        """The list ``name`` in what a GET answers, within ``timeout`` seconds.

        :raises SlotwrightError: Unauthorized, Forbidden, NotFound, OverLimit and
            InvalidRequest as the API has it; Unavailable when it cannot be reached, fails, or
            answers something else.
        """
        return self._get(list, name, self._request(path, query), timeout)

    def follow(self, *path: str, after: int | None) -> Iterator[event_stream.Message]:
        """Events as they happen, from now on or after a number; ends when the API ends it.

        :raises SlotwrightError: see ``list``; Unavailable also when nothing comes any more.
        """
        request = self._request(path)
        request.add_header('Accept', event_stream.MEDIA_TYPE)
        if after is not None:
            request.add_header('Last-Event-ID', str(after))
        with self._answer(request, SILENCE) as answer:
            if answer.headers.get_content_type() != event_stream.MEDIA_TYPE:
                raise ValueError('no stream of events')
            yield from event_stream.parse(answer)

    def _request(
        self, path: Sequence[str], query: Mapping[str, str] | None = None
    ) -> urllib.request.Request:
        quoted = '/'.join(urllib.parse.quote(part, safe='') for part in path)
        asked = f'?{urllib.parse.urlencode(query)}' if query else ''
        return urllib.request.Request(f'{self._endpoint}/{quoted}{asked}', headers=self._headers)

    @contextlib.contextmanager
    def _answer(
        self, request: urllib.request.Request, timeout: float
    ) -> Iterator[http.client.HTTPResponse]:
        """Errors of the answer, and of reading it, become ours."""
        try:
            with _OPENER.open(request, timeout=timeout) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            fallback = Unavailable if error.code >= 500 else InvalidRequest
            raise _ERRORS.get(error.code, fallback)(_message(error)) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unavailable(f'{self._endpoint} does not answer: {error}') from error

    def _get(
        self, kind: type[Found], name: str, request: urllib.request.Request, timeout: float
    ) -> Found:
        with self._answer(request, timeout) as answer:
            body = json.loads(answer.read())
        member = body.get(name) if isinstance(body, dict) else None
        if not isinstance(member, kind):
            raise Unavailable(f'{self._endpoint} answers as no API of ours does')
        return member


def _is_url(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ('http', 'https') and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or too large
        return False


def _login(environment: Mapping[str, str]) -> Mapping[str, str]:
    def wanted(name: str) -> str:
        if not environment.get(name):
            raise InvalidRequest(f'Set {name}, for OS_AUTH_TYPE={kind}')
        return environment[name]

    kind = environment.get('OS_AUTH_TYPE', 'none')
    if kind == 'none':
        return {}
    if kind == 'admin_token':
        return {'X-Auth-Token': wanted('OS_TOKEN')}
    if kind == 'http_basic':
        pair = f'{wanted("OS_USERNAME")}:{wanted("OS_PASSWORD")}'
        return {'Authorization': f'Basic {base64.b64encode(pair.encode()).decode()}'}
    raise InvalidRequest(f'OS_AUTH_TYPE is none, http_basic or admin_token, not {kind!r}')


def _message(error: urllib.error.HTTPError) -> str:
    """What the envelope says; the bare status when there is none."""
    try:
        (envelope,) = json.loads(error.read()).values()
        return f'{envelope["message"]} (HTTP {error.code})'
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return f'HTTP {error.code}'
