"""A TCP proxy before a server that cuts connections, loses answers and holds requests back.

It knows nothing of the protocol: a request is what a client sends at once, found by bytes in it.
"""

import contextlib
import select
import socket
import struct
import threading
from dataclasses import dataclass

import fixtures

LOOPBACK = '127.0.0.1'
_RESET = struct.pack('ii', 1, 0)  # SO_LINGER that makes close() send RST


@dataclass
class _Fault:
    """What happens to the next ``left`` requests that contain ``marker``."""

    marker: bytes
    left: int
    hold: bool


class FaultProxy(fixtures.Fixture):
    """Listens on ``port``; ``upstream`` is the port of the server."""

    def __init__(self, upstream: int = 0) -> None:
        super().__init__()
        self.upstream = upstream

    def _setUp(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._held: list[bytes] = []
        self._fault: _Fault | None = None
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._closed = False
        self.addCleanup(self._close)
        self._start(self._accept)

    def cut(self) -> None:
        """Reset every connection; new ones are served."""
        with self._lock:
            pairs = list(self._pairs.items())
        for client, server in pairs:
            _shut(client, server)

    def freeze(self) -> None:
        """Connections are made and stay open, and nothing goes through."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Undo ``freeze``; what was sent meanwhile goes through."""
        self._flowing.set()

    def lose_answers(self, marker: bytes, count: int = 1) -> None:
        """Have the next requests with ``marker`` executed, and cut instead of answering."""
        self._fault = _Fault(marker, count, hold=False)

    def hold(self, marker: bytes, count: int = 1) -> None:
        """Keep the next requests with ``marker``, as a server does that hangs."""
        self._fault = _Fault(marker, count, hold=True)

    def release(self, *, last_first: bool = False) -> int:
        """Let the server have what was held, each request by a connection of its own."""
        with self._lock:
            held, self._held, self._fault = self._held, [], None
        for request in reversed(held) if last_first else held:
            with socket.create_connection((LOOPBACK, self.upstream), timeout=30) as server:
                server.sendall(request)
                server.recv(65536)
        return len(held)

    @property
    def left(self) -> int:
        """Requests that are still to be lost or held."""
        return self._fault.left if self._fault else 0

    def heal(self) -> None:
        """No more faults; what was held is dropped."""
        with self._lock:
            self._fault, self._held = None, []
        self.thaw()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name='fault-proxy', daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _close(self) -> None:
        self._closed = True
        self.thaw()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with client:
            try:
                server = socket.create_connection((LOOPBACK, self.upstream), timeout=30)
            except OSError:
                return
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs[client] = server
            with server, contextlib.suppress(OSError):
                self._forward(client, server)
            with self._lock:
                del self._pairs[client]

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        losing = holding = False
        while not self._closed:
            readable, _, _ = select.select([client, server], [], [])
            self._flowing.wait()
            for source in readable:
                data = source.recv(65536)
                if not data or (source is server and losing):
                    return
                if source is client and not holding:
                    fault = self._hit(data)
                    losing = fault is not None and not fault.hold
                    holding = fault is not None and fault.hold
                if holding:
                    continue
                (server if source is client else client).sendall(data)

    def _hit(self, request: bytes) -> _Fault | None:
        with self._lock:
            fault = self._fault
            if fault is None or not fault.left or fault.marker not in request:
                return None
            fault.left -= 1
            if fault.hold:
                self._held.append(request)
            return fault


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
