"""Sends what is in many outboxes, in one thread that waits for all the sockets at once.

Green threads have no epoll, and what stands in for it takes its list of sockets when it begins to
wait. So only the thread itself changes that list, and a byte to its own ear has it begin anew.
"""

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from api.streams.link import Link
from api.streams.outbox import Outbox

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds."""

    keep_alive: float = 15.0  # without anything to send, after which a comment is sent
    patience: float = 30.0  # that a reader has for what waits for it
    lifetime: float = 3600.0  # of a stream: who reads on has to log in again
    last_words: float = 3.0  # to send what waits at the end
    tick: float = 1.0  # how often the others are looked at


class Sender:
    """Owns the connections it is given; all methods from any thread."""

    def __init__(self, times: Times | None = None) -> None:
        self._times = times or Times()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._lock = threading.Lock()
        self._arrivals: deque[Link] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='event-sender', daemon=True)
        # Of the thread alone:
        self._links: set[Link] = set()

    def add(
        self,
        connection: socket.socket,
        outbox: Outbox,
        *,
        chunked: bool,
        drained: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        """Send what is and will be in ``outbox``, until the reader is gone or too slow.

        :param chunked: whether to send it in chunks.
        :param drained: called when all of it was sent.
        :param over: called once, when the connection is closed.
        """
        link = Link(connection, outbox, chunked, drained, over)
        with self._lock:
            stopping = self._stopping
            if not stopping:
                self._arrivals.append(link)
        if stopping:
            link.close()
        else:
            self.wake()

    def wake(self) -> None:
        """There is something in an outbox."""
        with contextlib.suppress(OSError):  # full of calls, or closed
            self._mouth.send(b'!')

    # As a service.

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every stream after what waits for it was sent, for some seconds."""
        with self._lock:
            self._stopping = True
        self.wake()

    def wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
        self._ear.close()
        self._mouth.close()

    # The thread.

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            give_up: float | None = None
            while give_up is None or (self._links and time.monotonic() < give_up):
                try:
                    self._turn(selector)
                except Exception:
                    LOG.exception('Events could not be sent; going on')
                    time.sleep(self._times.tick)
                if self._stopping and give_up is None:
                    give_up = time.monotonic() + self._times.last_words
                    self._end_all(selector)
            for link in tuple(self._links):
                self._close(selector, link)

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for key, mask in selector.select(self._times.tick if self._links else None):
            if key.data is None:
                self._hear()
            elif mask & selectors.EVENT_READ and not key.data.listen():
                self._close(selector, key.data)
            elif mask & selectors.EVENT_WRITE:
                key.data.blocked = False
        self._welcome(selector)
        self._tend(selector)

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while self._ear.recv(4096):
                pass

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        while self._arrivals:
            link = self._arrivals.popleft()
            try:
                link.prepare(self._times.patience)
                selector.register(link.connection, selectors.EVENT_READ, link)
            except (OSError, ValueError) as error:
                LOG.info('A reader of events is gone already: %s', error)
                link.close()
            else:
                self._links.add(link)

    def _tend(self, selector: selectors.BaseSelector) -> None:
        """Send whatever can be sent, and part with who is too slow, too old or gone."""
        now = time.monotonic()
        for link in tuple(self._links):
            link.mind_the_time(now, self._times.keep_alive, self._times.lifetime)
            if not link.send():
                self._close(selector, link)
            elif link.waits_for(now) > self._times.patience:
                LOG.warning('%s reads events too slowly and is cut off', link.peer)
                self._close(selector, link)
            else:
                self._await(selector, link)

    def _await(self, selector: selectors.BaseSelector, link: Link) -> None:
        """Wait for room in its socket only if there is none."""
        if link.blocked != link.awaited:
            link.awaited = link.blocked
            also = selectors.EVENT_WRITE if link.blocked else 0
            selector.modify(link.connection, selectors.EVENT_READ | also, link)

    def _close(self, selector: selectors.BaseSelector, link: Link) -> None:
        self._links.discard(link)
        selector.unregister(link.connection)
        link.close()

    def _end_all(self, selector: selectors.BaseSelector) -> None:
        self._welcome(selector)
        for link in self._links:
            link.end()
        self._tend(selector)
