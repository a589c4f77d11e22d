"""One reader's stream: what it is about, and how far it is."""

from collections.abc import Callable

from api.streams.outbox import Outbox
from api.streams.scope import Scope
from slotwright.domain.events import Event

#: Renders an event under its number.
Render = Callable[[Event, int], bytes]


class Stream:
    """Belongs to the hub's thread; other threads touch ``outbox`` only.

    A stream that is not ``live`` reads on in the store. It misses nothing on the way from one to
    the other: all up to ``cursor``, and nothing else, was put out.
    """

    def __init__(self, scope: Scope, after: int, outbox: Outbox) -> None:
        self.scope = scope
        self.cursor = after
        self.outbox = outbox
        self.live = False

    def put(self, event: Event, render: Render) -> bool:
        """Put an event out, if it is a new one; False when there is no room for it."""
        number = self.scope.number(event)
        if number <= self.cursor:
            return True
        if not self.outbox.put(render(event, number)):
            return False
        self.cursor = number
        return True

    def hear(self, event: Event, render: Render) -> None:
        """Put out what happened just now. Without room for it the store has to keep it."""
        if self.live and self.scope.holds(event):
            self.live = self.put(event, render)
