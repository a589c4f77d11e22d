"""Where events come in, and where streams of them are opened: a thread around a distributor."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from api.streams.distributor import Distributor
from api.streams.outbox import Outbox
from api.streams.scope import Scope
from api.streams.stream import Render, Stream
from slotwright.domain.errors import OverLimit, Unavailable
from slotwright.domain.events import Event
from slotwright.outage import Outage
from slotwright.storage.events import EventStore

LOG = logging.getLogger(__name__)

#: Bytes that may wait for one reader.
ROOM = 256 * 1024

_MOST_HEARD = 10_000  # events; the store has what does not go in


class Hub:
    """All methods may be called from any thread.

    While there are streams and nothing is heard, the store is looked at every ``poll`` seconds: so
    streams go on without a subscription, only later. Without streams the store rests.

    :param most: streams at the same time.
    :param most_of_project: of them, those of one project.
    :param wake: called when there is something to send.
    """

    def __init__(
        self,
        store: EventStore,
        render: Render,
        *,
        most: int = 500,
        most_of_project: int = 100,
        poll: float = 1.0,
        room: int = ROOM,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._distributor = Distributor(store, render, poll, wake)
        self._most = most
        self._most_of_project = most_of_project
        self._poll = poll
        self._room = room
        self._called = threading.Condition()
        self._streams: set[Stream] = set()
        self._heard: deque[Event] = deque()
        self._must_look = False
        self._must_fill = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='event-hub', daemon=True)
        self._outage = Outage(
            LOG, 'Streams of events stand still', 'Events come from the database again'
        )

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    # For a subscription.

    def deliver(self, event: Event) -> None:
        """Take an event that was published; does not wait for anything."""
        with self._called:
            if not self._streams:
                return
            if len(self._heard) >= _MOST_HEARD:
                self._heard.clear()
                self._must_look = True
            self._heard.append(event)
            self._called.notify()

    def catch_up(self) -> None:
        """Look into the store now: events may have been published that did not get here."""
        with self._called:
            self._must_look = True
            self._called.notify()

    # For requests.

    def open(self, scope: Scope, after: int) -> Stream:
        """A stream of what comes after a number; the caller sees to it that it is closed.

        :raises OverLimit: when the project has too many.
        :raises Unavailable: when there are too many, or none any more.
        """
        with self._called:
            if self._stopping:
                raise Unavailable('This API daemon is shutting down; try again.')
            if len(self._streams) >= self._most:
                raise Unavailable(
                    f'{self._most} event streams are open, and this API daemon serves no more at '
                    'the same time; try again later, or list events without a stream.'
                )
            if scope.project_id is not None and self._count(scope) >= self._most_of_project:
                raise OverLimit(
                    f'Project {scope.project_id} has {self._most_of_project} event streams open, '
                    'and may have no more at the same time: close one.'
                )
            stream = Stream(scope, after, Outbox(self._room))
            self._streams.add(stream)
            self._must_fill = True
            self._called.notify()
            return stream

    def _count(self, scope: Scope) -> int:
        """The streams of its project."""
        return sum(one.scope.project_id == scope.project_id for one in self._streams)

    def close(self, stream: Stream) -> None:
        """Its reader is gone. Twice does no harm."""
        with self._called:
            self._streams.discard(stream)

    def refill(self) -> None:
        """Some reader has taken all that there was."""
        with self._called:
            self._must_fill = True
            self._called.notify()

    # As a service.

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Open no more streams and give nothing more to those there are."""
        with self._called:
            self._stopping = True
            self._called.notify()

    def wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    # The thread.

    def _run(self) -> None:
        while True:
            with self._called:
                patience = self._poll if self._streams else None
                was_called = self._called.wait_for(self._is_called, patience)
                if self._stopping:
                    return
                streams = tuple(self._streams)
                heard = tuple(self._heard)
                self._heard.clear()
                look = self._must_look or not was_called
                self._must_look = self._must_fill = False
            try:
                self._distributor.turn(streams, heard, look)
                self._outage.is_over()
            except Unavailable as error:
                self._outage.goes_on(error)
                time.sleep(min(self._poll, 1.0))
            except Exception:
                LOG.exception('Events could not be given to streams; trying again')
                time.sleep(min(self._poll, 1.0))

    def _is_called(self) -> bool:
        return bool(self._stopping or self._heard or self._must_look or self._must_fill)
