"""A request id on every answer, log line and operation."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_context import context

LOG = logging.getLogger(__name__)

HEADER = 'X-Openstack-Request-Id'
ENVIRON_KEY = 'slotwright.request_id'

_SENT_ID = re.compile(r'req-[0-9A-Fa-f-]{36}')


def new() -> str:
    """A fresh request id."""
    return f'req-{uuid.uuid4()}'


class RequestIds:
    """WSGI middleware: name the request, say so in its answer and in the log.

    An id the caller sends along is logged as the global request id, which ties the
    logs of several services together; our own is always a new one, so that nobody can
    make two requests look like one.
    """

    def __init__(self, app: WSGIApplication, new_id: Callable[[], str] = new) -> None:
        self._app = app
        self._new_id = new_id

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = self._new_id()
        environ[ENVIRON_KEY] = request_id
        sent = environ.get('HTTP_X_OPENSTACK_REQUEST_ID', '')
        # oslo.log finds this context by itself, in a variable of the thread.
        context.RequestContext(
            request_id=request_id,
            global_request_id=sent if _SENT_ID.fullmatch(sent) else None,
        )
        began = time.monotonic()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            LOG.info(
                '%s %r %s in %.1f ms',
                environ['REQUEST_METHOD'],
                environ.get('PATH_INFO', ''),
                status[:3],
                (time.monotonic() - began) * 1000,
            )
            return start_response(status, [*headers, (HEADER, request_id)], *exc_info)

        return self._app(environ, start)
