"""The connection of one reader."""

import contextlib
import socket
import time
from collections.abc import Callable

from api.streams import frames
from api.streams.outbox import Outbox

_BATCH = 64 * 1024  # bytes sent at once
_KERNEL = 64 * 1024  # bytes that the kernel may hold besides (it doubles that)


class Link:
    """Takes from an outbox what its socket has room for; never waits.

    Once ``end`` was called it closes behind the last frame.
    """

    def __init__(
        self,
        connection: socket.socket,
        outbox: Outbox,
        chunked: bool,
        drained: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        self.connection = connection
        #: Whether the socket has no room, and whether that is waited for.
        self.blocked = self.awaited = False
        self.peer = 'somebody'
        self._outbox = outbox
        self._chunked = chunked
        self._drained = drained
        self._over = over
        self._unsent = memoryview(b'')
        self._since = self._sent = self._opened = time.monotonic()
        self._ending = False
        self._said_all = False

    def prepare(self, patience: float) -> None:
        """Have the kernel tell when the reader is gone without a word, too.

        :raises OSError: when it is gone already.
        """
        self.connection.setblocking(False)
        self.peer = str(self.connection.getpeername()[0])
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL)
        # What we send every now and then has to be acknowledged in this time (ms). Longer than
        # our own patience: of a reader that is slow, but there, we want to tell.
        self.connection.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * patience * 1000)
        )

    def listen(self) -> bool:
        """Read what nobody wants to know; False when the reader is gone."""
        try:
            return bool(self.connection.recv(65536))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def end(self) -> None:
        self._ending = True

    def mind_the_time(self, now: float, keep_alive: float, lifetime: float) -> None:
        """Show that we live, or end a stream that has lasted long enough."""
        if self._unsent or self._outbox:
            return
        if now - self._opened >= lifetime:
            self.end()
        elif now - self._sent >= keep_alive:
            self._load(frames.KEEP_ALIVE, now)

    def waits_for(self, now: float) -> float:
        """Seconds that the oldest thing not sent has waited."""
        return now - self._since if self._unsent else 0.0

    def send(self) -> bool:
        """Send as much as there is room for; False when that was the end."""
        try:
            while not self.blocked and (self._unsent or self._next()):
                self._unsent = self._unsent[self.connection.send(self._unsent) :]
                self._sent = time.monotonic()
                if not (self._unsent or self._outbox):
                    self._drained()
        except BlockingIOError:
            self.blocked = True
        except OSError:
            return False
        return not (self._said_all and not self._unsent)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._said_all and not self._unsent:
                self.connection.shutdown(socket.SHUT_WR)
        self.connection.close()
        self._over()

    def _next(self) -> bool:
        """Take what comes next; False when there is nothing."""
        if self._outbox:
            since, data = self._outbox.take(_BATCH)
            self._load(data, since)
        elif self._ending and not self._said_all:
            self._said_all = True
            if self._chunked:
                self._load(b'', time.monotonic())
        return bool(self._unsent)

    def _load(self, data: bytes, since: float) -> None:
        self._unsent = memoryview(frames.chunk(data) if self._chunked else data)
        self._since = since
