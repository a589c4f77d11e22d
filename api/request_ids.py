"""A request id on every answer, log line and operation."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from slotwright import log

LOG = logging.getLogger(__name__)

HEADER = 'X-Openstack-Request-Id'
ENVIRON_KEY = 'slotwright.request_id'
#: Where whoever lets a request in says whose it is, for the log.
USER_KEY = 'slotwright.user'

_NO_ADDRESS = re.compile(r'[^0-9A-Za-z.:,_-]')
_LONGEST_ADDRESS = 200
_SENT_ID = re.compile(r'req-[0-9A-Fa-f-]{36}')


def new() -> str:
    """A fresh request id."""
    return f'req-{uuid.uuid4()}'


class RequestIds:
    """WSGI middleware: name the request, say so in its answer and in the log.

    Our id is always a new one, so that nobody can make two requests look like one. An id
    that the caller sends along stands in the line that ends the request in the log, which
    ties the logs of several services together.
    """

    def __init__(self, app: WSGIApplication, new_id: Callable[[], str] = new) -> None:
        self._app = app
        self._new_id = new_id

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = self._new_id()
        environ[ENVIRON_KEY] = request_id
        began = time.monotonic()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            elapsed = (time.monotonic() - began) * 1000
            LOG.info('%s -> %s in %.1f ms', _line(environ), status[:3], elapsed)
            return start_response(status, [*headers, (HEADER, request_id)], *exc_info)

        with log.about(request_id):
            return self._app(environ, start)


def _line(environ: WSGIEnvironment) -> str:
    """Who sends what, on one line, whatever characters are in its path.

    The address may be what a proxy says, and so be a list of what others said to it: it stays
    one word, of characters that addresses have.
    """
    address = _NO_ADDRESS.sub('', environ.get('REMOTE_ADDR', ''))[:_LONGEST_ADDRESS] or '-'
    line = (
        f'{address} {environ.get(USER_KEY, "-")} '
        f'{environ["REQUEST_METHOD"]} {environ.get("PATH_INFO", "")!r}'
    )
    sent = environ.get('HTTP_X_OPENSTACK_REQUEST_ID', '')
    return f'{line} for {sent}' if _SENT_ID.fullmatch(sent) else line
