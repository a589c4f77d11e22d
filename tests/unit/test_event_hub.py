"""The hub and its thread, on a store in memory: what is heard, missed, and looked for."""

import time

from api.streams.hub import Hub
from api.streams.scope import ALL, Scope
from api.streams.stream import Stream
from slotwright.domain.errors import OverLimit, Unavailable
from slotwright.domain.events import Event
from tests.base import TestCase
from tests.event_log import EventLog
from tests.guarded import wait_until

NEVER = 1000.0  # seconds
CLUSTER = 'a/1'


def render(event: Event, number: int) -> bytes:
    return b'%d ' % number


class HubTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.events = EventLog()
        self.events.record(CLUSTER)
        self.got: dict[Stream, list[int]] = {}

    def start(self, poll: float = NEVER, most: int = 10, **bounds: int) -> Hub:
        hub = Hub(self.events, render, most=most, poll=poll, **bounds)
        hub.start()
        self.addCleanup(hub.wait)
        self.addCleanup(hub.stop)
        return hub

    def happen(self, count: int = 1) -> list[Event]:
        """Record and hand on; nobody hears it yet."""
        for _ in range(count):
            self.events.record(CLUSTER)
        return self.events.hand_on(len(self.events.events))

    def take(self, stream: Stream) -> list[int]:
        """All that came so far."""
        got = self.got.setdefault(stream, [])
        while stream.outbox:
            got += map(int, stream.outbox.take(9999)[1].split())
        return got

    def wait_for(self, stream: Stream, expected: list[int]) -> None:
        wait_until(lambda: len(self.take(stream)) >= len(expected), f'{expected}', 60)
        self.assertEqual(expected, self.take(stream))

    def live(self, hub: Hub, scope: Scope = ALL, after: int = 0) -> Stream:
        stream = hub.open(scope, after)
        wait_until(lambda: stream.live, 'the stream to live', 60)
        return stream

    def test_what_is_heard_goes_to_whom_it_concerns(self) -> None:
        hub = self.start()
        mine, others = self.live(hub, Scope('a', CLUSTER), 1), self.live(hub, Scope('b'))
        for event in self.happen(3):
            hub.deliver(event)
        self.wait_for(mine, [2, 3, 4])
        self.assertEqual([], self.take(others))

    def test_what_was_missed_is_read_before_the_next(self) -> None:
        hub = self.start()
        stream = self.live(hub)
        hub.deliver(self.happen(4)[-1])
        self.wait_for(stream, [1, 2, 3, 4, 5])

    def test_a_cluster_that_was_purged_stops_nobody(self) -> None:
        self.events.purged.add('a/gone')
        hub = self.start()
        gone = self.live(hub, Scope('a', 'a/gone'))
        stream = self.live(hub)
        hub.deliver(self.happen(1)[-1])
        self.wait_for(stream, [1, 2])
        self.assertEqual([], self.take(gone))

    def test_a_lost_subscription_is_made_up_for(self) -> None:
        hub = self.start()
        stream = self.live(hub)
        self.happen(2)
        hub.catch_up()
        self.wait_for(stream, [1, 2, 3])

    def test_without_a_subscription_the_store_is_looked_at(self) -> None:
        hub = self.start(poll=0.05)
        stream = self.live(hub)
        self.happen(2)
        self.wait_for(stream, [1, 2, 3])
        self.happen(1)
        self.wait_for(stream, [1, 2, 3, 4])

    def test_more_than_is_kept_in_mind_is_read_later(self) -> None:
        hub = self.start()
        stream = self.live(hub)
        events = self.happen(600)
        for _ in range(20):
            for event in reversed(events):
                hub.deliver(event)
        self.wait_for(stream, [*range(1, 602)])

    def test_without_readers_the_store_rests(self) -> None:
        hub = self.start(poll=0.01)
        hub.deliver(self.happen()[-1])
        time.sleep(0.1)
        self.assertEqual({}, self.events.calls)
        hub.close(self.live(hub))
        wait_until(self.is_at_rest, 'the hub to rest', 60)

    def is_at_rest(self) -> bool:
        before = dict(self.events.calls)
        time.sleep(0.1)
        return before == self.events.calls

    def test_a_store_that_is_away(self) -> None:
        hub = self.start(poll=0.05)
        stream = self.live(hub)
        self.events.is_away = True
        events = self.happen(2)
        hub.deliver(events[-1])
        wait_until(lambda: 'stand still' in self.log.output, 'a warning', 60)
        self.events.is_away = False
        self.wait_for(stream, [1, 2, 3])
        wait_until(lambda: 'come from the database again' in self.log.output, 'the end', 60)
        self.assertEqual(1, self.log.output.count('stand still'))

    def test_a_long_history_is_read_as_it_is_taken(self) -> None:
        hub = self.start()
        self.happen(250)
        stream = hub.open(ALL, 0)
        self.wait_for(stream, [*range(1, 101)])
        hub.refill()
        self.wait_for(stream, [*range(1, 201)])
        self.assertFalse(stream.live)
        hub.refill()
        self.wait_for(stream, [*range(1, 252)])

    def test_no_project_takes_all(self) -> None:
        hub = self.start(most=9, most_of_project=2)
        streams = [hub.open(Scope('a'), 0), hub.open(Scope('a', CLUSTER), 0)]
        for scope in (Scope('a'), Scope('a', CLUSTER)):
            error = self.assertRaises(OverLimit, hub.open, scope, 0)
            self.assertIn('Project a has 2 event streams open', error.message)
        for scope in (Scope('b'), ALL, ALL, ALL):
            hub.open(scope, 0)
        hub.close(streams[1])
        hub.open(Scope('a'), 0)

    def test_there_is_a_most(self) -> None:
        hub = self.start(most=2)
        streams = [hub.open(ALL, 0) for _ in range(2)]
        error = self.assertRaises(Unavailable, hub.open, ALL, 0)
        self.assertIn('2 event streams are open', error.message)
        for _ in range(2):
            hub.close(streams[0])
        hub.open(ALL, 0)
        self.assertRaises(Unavailable, hub.open, ALL, 0)
        self.assertEqual(2, hub.open_streams)
        hub.stop()
        self.assertIn('shutting down', self.assertRaises(Unavailable, hub.open, ALL, 0).message)
