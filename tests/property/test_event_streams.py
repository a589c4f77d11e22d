"""Whatever is lost, doubled or late on the way: each stream has all its events, once, in order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.streams.distributor import Distributor
from api.streams.outbox import Outbox
from api.streams.scope import ALL, Scope
from api.streams.stream import Stream
from slotwright.domain.events import Event
from tests.base import TestCase
from tests.event_log import EventLog

CLUSTERS = ('a/1', 'a/2', 'b/1', None)
SCOPES = (Scope('a', 'a/1'), Scope('b', 'b/1'), Scope('a'), Scope('b'), ALL)
ROOM = 3  # frames, of one byte each

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('record'), st.integers(0, len(CLUSTERS) - 1)),
        st.tuples(st.just('hand_on'), st.integers(1, 5)),
        st.tuples(st.just('hear'), st.lists(st.integers(0, 30), max_size=6)),
        st.tuples(st.just('look'), st.just(0)),
        st.tuples(st.just('open'), st.integers(0, 200)),
        st.tuples(st.just('close'), st.integers(0, 9)),
        st.tuples(st.just('take'), st.integers(0, 9)),
        st.tuples(st.just('away'), st.just(0)),
    ),
    min_size=25,  # or most lists would be too short for anything to happen
    max_size=80,
)


class Plane:
    """A distributor and its readers."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.log.record('a/1')
        self.log.record('b/1')
        self.log.hand_on(2)
        self.distributor = Distributor(self.log, self.render, 1e9, lambda: None)
        self.readers: list[tuple[Stream, int]] = []
        self.got: dict[Stream, int] = {}
        self.sent: dict[Stream, list[int]] = {}

    def render(self, event: Event, number: int) -> bytes:
        return bytes([number])

    def turn(self, heard: list[Event], look: bool) -> None:
        self.distributor.turn([stream for stream, _ in self.readers], heard, look)

    def step(self, name: str, argument: Any) -> None:
        if name == 'record':
            self.log.record(CLUSTERS[argument])
        elif name == 'hand_on':
            self.log.hand_on(argument)
        elif name == 'hear':  # any that were published, however often and in whatever order
            published = self.log.events[: self.log.last_position()]
            self.turn([published[n] for n in argument if n < len(published)], False)
        elif name == 'look':
            self.turn([], True)
        elif name == 'open':
            scope = SCOPES[argument % len(SCOPES)]
            after = argument // len(SCOPES) % (scope.last(self.log) + 1)
            stream = Stream(scope, after, Outbox(ROOM))
            self.readers.append((stream, after))
            self.sent[stream] = []
        elif name == 'close' and argument < len(self.readers):
            stream, _ = self.readers.pop(argument)
            del self.sent[stream]
        elif name == 'take' and argument < len(self.readers):
            self.take(self.readers[argument][0])
        elif name == 'away':
            self.log.is_away = True
            try:
                self.turn([], True)
            except Exception as error:  # noqa: BLE001 - as the hub has it
                assert 'does not answer' in str(error), error
            self.log.is_away = False

    def take(self, stream: Stream) -> bool:
        if not stream.outbox:
            return False
        self.sent[stream] += stream.outbox.take(1)[1]
        return True

    def finish(self) -> None:
        """All is handed on, and all readers take what there is."""
        self.log.hand_on(len(self.log.events))
        self.turn([], True)
        while any(self.take(stream) for stream, _ in self.readers):
            self.turn([], False)


class StreamsProperty(TestCase):
    @given(STEPS)
    def test_all_once_in_order(self, steps: list[tuple[str, Any]]) -> None:
        plane = Plane()
        for name, argument in steps:
            plane.step(name, argument)
        plane.finish()
        for stream, after in plane.readers:
            due = stream.scope.read(plane.log, after, 999)
            self.assertEqual([stream.scope.number(e) for e in due], plane.sent[stream])
