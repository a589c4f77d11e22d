"""Gives every stream all its events, once and in order.

The store knows what happened and in which order; a subscription only makes it quick. What is heard
is given on if it is the next one, and else the store is read. A stream begins by reading the store,
page by page as its reader takes it, and after the last page it lives on what is heard. There is no
moment between the two, because one thread does one after the other.
"""

import contextlib
import time
from collections.abc import Callable, Sequence

from api.streams.scope import ALL
from api.streams.stream import Render, Stream
from slotwright.domain.errors import NotFound
from slotwright.domain.events import Event
from slotwright.storage.events import EventStore

_PAGE = 100  # events read for one stream
_MANY = 500  # events read for all


class Distributor:
    """For one thread.

    :param poll: seconds without news after which the store is looked at.
    :param wake: called when there is something to send.
    """

    def __init__(
        self,
        store: EventStore,
        render: Render,
        poll: float,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._render = render
        self._poll = poll
        self._wake = wake
        self._clock = clock
        # Streams that live have all up to this position; None: nobody was there to have it.
        self._last: int | None = None
        self._current = clock()  # when that was found to be so

    def turn(self, streams: Sequence[Stream], heard: Sequence[Event], look: bool) -> None:
        """Give on what was heard or is found, then fill the streams that read the store."""
        if not streams:
            self._last = None
            return
        if self._last is None:  # whoever is here has yet to read what came before
            self._last = self._store.last_position()
            self._current = self._clock()
        complete = self._take(streams, heard, self._last)
        if look or not complete or self._clock() - self._current >= self._poll:
            self._look(streams, self._last)
        for stream in streams:
            if not stream.live and not stream.outbox:
                self._fill(stream)
        self._wake()

    def _take(self, streams: Sequence[Stream], heard: Sequence[Event], last: int) -> bool:
        """Give on what is next in order; False when something is missing before the rest."""
        for event in heard:
            if event.position is None or event.position > last + 1:
                return False
            if event.position == last + 1:
                last = self._give(streams, event)
        return True

    def _look(self, streams: Sequence[Stream], last: int) -> None:
        """Give on what the store has."""
        found = self._store.list_events(None, last, _MANY)
        while found:
            for event in found:
                last = self._give(streams, event)
            self._wake()
            found = self._store.list_events(None, last, _MANY) if len(found) == _MANY else ()
        self._current = self._clock()

    def _give(self, streams: Sequence[Stream], event: Event) -> int:
        """Answers its position."""
        rendered: dict[int, bytes] = {}

        def render(event: Event, number: int) -> bytes:
            if number not in rendered:  # once for all readers
                rendered[number] = self._render(event, number)
            return rendered[number]

        for stream in streams:
            stream.hear(event, render)
        self._last = ALL.number(event)
        self._current = self._clock()
        return self._last

    def _fill(self, stream: Stream) -> None:
        found: Sequence[Event] = ()
        # A cluster that was purged since the stream was opened: nothing more happens to it.
        with contextlib.suppress(NotFound):
            found = stream.scope.read(self._store, stream.cursor, _PAGE)
        fits = all(stream.put(event, self._render) for event in found)
        stream.live = fits and len(found) < _PAGE
