"""The HTTP server around the application: cheroot, one thread per request.

The threads may be eventlet's, where the standard library is patched to make them so.
"""

import contextlib
import ipaddress
import json
import logging
import select
import socket
import threading
import time
from wsgiref.types import WSGIApplication

from cheroot import server as cheroot_server
from cheroot import wsgi

from api import errors, request_ids

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
            _require_loopback(host)
        self._loopback_only = loopback_only
        self._server = (_GreenServer if green else _Server)(
            (host, port), app, numthreads=threads, request_queue_size=128, shutdown_timeout=15
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
            _require_loopback(self._server.socket.getsockname()[0])
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


def _require_loopback(host: str) -> None:
    try:
        found = socket.getaddrinfo(host or '0.0.0.0', None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise ValueError(f'[api] bind_host {host!r} cannot be resolved: {error}') from error
    addresses = sorted({str(entry[4][0]).partition('%')[0] for entry in found})
    if not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise ValueError(
            f'[api] bind_host is {host!r}, but auth_strategy noauth lets in everybody who can '
            'reach that address. Use a loopback address such as 127.0.0.1.'
        )


class _Request(cheroot_server.HTTPRequest):
    """A request whose errors, also those found before the application, have an envelope."""

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        if self.inheaders.get(b'Content-Length', b'0').strip().startswith(b'-'):
            self.simple_response('400 Bad Request', 'Malformed Content-Length Header.')
            return False
        if self.chunked_read:
            # What the application leaves unread would be taken for the next request.
            self.close_connection = True
        return True

    def send_headers(self) -> None:
        super().send_headers()
        if self.close_connection:
            self.conn.unread_body = True

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

    def close(self) -> None:
        if self.unread_body:
            with contextlib.suppress(OSError):
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


class _Server(wsgi.Server):
    ConnectionClass = _Connection

    def error_log(self, msg: str = '', level: int = logging.INFO, traceback: bool = False) -> None:
        """What the server has to say goes to the log, not to standard error."""
        LOG.log(level, '%s', msg, exc_info=traceback)


class _GreenServer(_Server):
    """Has a thread for each idle connection as well.

    cheroot's selector would not learn of a connection that comes back to it while it waits:
    there is no epoll on green threads, and what stands in for it takes its list at the start.
    """

    def put_conn(self, conn: cheroot_server.HTTPConnection) -> None:
        threading.Thread(target=self._wait_for_request, args=(conn,), daemon=True).start()

    def _wait_for_request(self, conn: cheroot_server.HTTPConnection) -> None:
        idle_until = time.monotonic() + self.timeout
        while self.ready and time.monotonic() < idle_until:
            if conn.rfile.has_data() or select.select([conn.socket], [], [], 1.0)[0]:
                self.process_conn(conn)
                return
        conn.close()
