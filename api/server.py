"""The HTTP server around the application: cheroot, one thread per request.

The threads may be eventlet's, where the standard library is patched to make them so.
"""

import contextlib
import functools
import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot import server as cheroot_server
from cheroot import wsgi

from api import errors, framing, loopback, request_ids
from api.streams import handover

LOG = logging.getLogger(__name__)

_LINGER_BYTES = 64 * 1024 * 1024
_LINGER_SECONDS = 3.0


class ApiServer:
    """Serves ``app`` on ``host``:``port`` (0 takes a free one) until it is stopped.

    :param threads: requests served at the same time.
    :param green: whether they are eventlet's.
    :raises ValueError: for a host that others can reach, when ``loopback_only``.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        threads: int,
        *,
        loopback_only: bool = True,
        green: bool = False,
    ) -> None:
        if loopback_only:
            loopback.require(host)
        self._loopback_only = loopback_only
        self._server = (_GreenServer if green else _Server)(
            (host, port),
            app,
            numthreads=threads,
            request_queue_size=128,
            shutdown_timeout=15,
            called=lambda name: not loopback_only or loopback.is_named(name, host),
        )
        self._thread = threading.Thread(target=self._server.serve, name='api-server')

    @property
    def url(self) -> str:
        """Where it listens, once it is started."""
        host, port = self._server.bind_addr[:2]
        return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'

    def start(self) -> None:
        """Listen, and serve in threads of its own.

        :raises OSError: when the address is taken or not ours.
        """
        self._server.prepare()
        if self._loopback_only:  # systemd may have handed us another socket
            loopback.require(self._server.socket.getsockname()[0])
        self._thread.start()
        LOG.info('Serving on %s', self.url)

    def stop(self) -> None:
        """Take no more requests, let those under way end (for some seconds), and return."""
        self._server.stop()
        self.wait()

    def wait(self, timeout: float | None = None) -> None:
        """Return when the server has been stopped, or after ``timeout`` seconds."""
        if self._thread.is_alive():
            self._thread.join(timeout)


class _Request(cheroot_server.HTTPRequest):
    """A request whose errors, also those found before the application, have an envelope."""

    header_reader = framing.HeaderReader()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.inheaders = framing.Headers()

    def parse_request(self) -> None:
        """Read the head; not when others read theirs so slowly that few threads are left."""
        if self.conn.has_head():
            super().parse_request()
            return
        with self.server.slowly() as may:
            if may:
                super().parse_request()

    def read_request_line(self) -> bool:
        if not super().read_request_line():  # type: ignore[no-untyped-call]
            return False
        return self._passes(lambda: framing.check_method(self.method))

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        if not self._passes(lambda: framing.check_length(self.inheaders, self.response_protocol)):
            return False
        called = self.inheaders.get(b'Host', b'').decode('latin-1')
        if called and not self.server.is_called(called):
            self.simple_response(
                '403 Forbidden',
                'While nobody logs in, this API is for this machine: call it localhost or '
                f'127.0.0.1, not {called[:60]!r}.',
            )
            return False
        if self.chunked_read:
            # What the application leaves unread would be taken for the next request.
            self.close_connection = True
        return True

    def body(self) -> framing.Body:
        """What the application reads."""
        if self.chunked_read:
            return framing.ChunkedBody(self.conn.rfile)
        return framing.SizedBody(self.conn.rfile, int(self.inheaders.get(b'Content-Length', 0)))

    def send_headers(self) -> None:
        # What is left of a body would be waited for before the answer is sent, though it was
        # refused unread, and might never come.
        if self.chunked_read or self.rfile.remaining:
            self.close_connection = True
            self.conn.unread_body = True
        super().send_headers()

    def _passes(self, check: Callable[[], None]) -> bool:
        """Run a check, and answer 400 if it fails."""
        try:
            check()
        except framing.MalformedHead as error:
            self.simple_response('400 Bad Request', str(error))
            return False
        return True

    def simple_response(self, status: str, msg: str = '') -> None:
        """Answer for the server itself, and close the connection."""
        self.close_connection = True
        self.conn.unread_body = True
        body = json.dumps(errors.of_status(int(status[:3]), msg or status[4:])).encode()
        head = (
            f'{self.server.protocol} {status}\r\n'
            f'Content-Length: {len(body)}\r\n'
            'Content-Type: application/json\r\n'
            f'{request_ids.HEADER}: {request_ids.new()}\r\n'
            'Connection: close\r\n\r\n'
        )
        with contextlib.suppress(OSError):  # the caller is gone
            self.conn.wfile.write(head.encode() + body)


class _Connection(cheroot_server.HTTPConnection):
    """Lets a caller read its answer although we did not read all it sent.

    Closing a socket with unread data resets the connection, and a caller still sending a
    body that was refused would lose the answer (RFC 9112, 9.6).
    """

    RequestHandlerClass = _Request
    unread_body = False
    handed_over = False

    def hand_over(self, taker: handover.Taker, *, chunked: bool) -> None:
        """Give the socket away; what becomes of it is no business of ours any more."""
        self.handed_over = True
        self.rfile.close()
        self.wfile.close()
        taker.take(self.socket, chunked=chunked)

    def has_head(self) -> bool:
        """Whether the whole head of a request has come."""
        if self.rfile.has_data():  # of another request; what has come besides is not seen here
            return False
        with contextlib.suppress(OSError):
            # The first byte is there, so this does not wait.
            return b'\r\n\r\n' in self.socket.recv(framing.LARGEST_HEAD, socket.MSG_PEEK)
        return False

    def close(self) -> None:
        if self.handed_over:
            return
        if self.unread_body:
            with self.server.slowly() as may, contextlib.suppress(OSError):
                if may:
                    self._linger()
        super().close()

    def _linger(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)
        until = time.monotonic() + _LINGER_SECONDS
        left = _LINGER_BYTES
        while left > 0 and (patience := until - time.monotonic()) > 0:
            self.socket.settimeout(patience)
            gone = len(self.socket.recv(65536))
            if not gone:
                return
            left -= gone


class _Gateway(wsgi.Gateway_10):
    """Between the server and the application: gives it a body of ours, and takes takers."""

    taker: handover.Taker | None = None

    def get_environ(self) -> Any:
        self.req.rfile = self.req.body()
        environ = super().get_environ()  # type: ignore[no-untyped-call]
        return {**environ, handover.KEY: functools.partial(setattr, self, 'taker')}

    def respond(self) -> None:
        try:
            super().respond()
        except BaseException:
            if self.taker is not None:
                self.taker.cancel()
            raise
        if self.taker is not None:
            request = self.req
            chunked, request.chunked_write = request.chunked_write, False  # no last chunk
            request.close_connection = True
            request.conn.hand_over(self.taker, chunked=chunked)


class _Server(wsgi.Server):
    ConnectionClass = _Connection
    max_request_header_size = framing.LARGEST_HEAD
    #: Connections without a thread, beyond which none is kept for another request.
    keep_alive_conn_limit = 128

    def __init__(self, *arguments: Any, called: Callable[[str], bool], **named: Any) -> None:
        """``called`` tells whether a Host header may be answered."""
        super().__init__(*arguments, **named)
        self.gateway = _Gateway
        self.is_called = called
        self._slow = threading.BoundedSemaphore(max(1, self.numthreads - 2))

    @contextlib.contextmanager
    def slowly(self) -> Iterator[bool]:
        """Tells whether a thread may be spent on waiting for a caller; two of many never are."""
        may = self._slow.acquire(blocking=False)
        try:
            yield may
        finally:
            if may:
                self._slow.release()

    def process_conn(self, conn: _Connection) -> None:
        """A new caller gets a thread with its first byte: some connect and say nothing."""
        if conn.last_used is None:
            self.put_conn(conn)
        else:
            super().process_conn(conn)

    def error_log(self, msg: str = '', level: int = logging.INFO, traceback: bool = False) -> None:
        """What the server has to say goes to the log, not to standard error."""
        LOG.log(level, '%s', msg, exc_info=traceback)


class _GreenServer(_Server):
    """Has a thread for each idle connection as well.

    cheroot's selector would not learn of a connection that comes back to it while it waits:
    there is no epoll on green threads, and what stands in for it takes its list at the start.
    """

    def put_conn(self, conn: _Connection) -> None:
        conn.last_used = time.time()  # as cheroot notes it: it is not new any more
        threading.Thread(target=self._wait_for_request, args=(conn,), daemon=True).start()

    def _wait_for_request(self, conn: _Connection) -> None:
        idle_until = time.monotonic() + self.timeout
        while self.ready and time.monotonic() < idle_until:
            if conn.rfile.has_data() or select.select([conn.socket], [], [], 1.0)[0]:
                self.process_conn(conn)
                return
        conn.close()
