"""Events on their channel: who listens hears them, and is told when it may have missed some."""

import datetime
import threading
from typing import Any

from slotwright.domain.events import Event, Kind
from slotwright.events import base, feed
from slotwright.events.errors import SubscribeFailed
from slotwright.events.feed import CHANNEL, Announcer, Listener
from slotwright.events.memory import MemoryDriver
from tests.base import TestCase
from tests.guarded import wait_until

EVENT = Event(
    seq=1,
    position=7,
    kind=Kind.CLUSTER_CREATED,
    message='Cluster c was accepted.',
    state={'name': 'c'},
    created=datetime.datetime(2026, 6, 1, 12, 0, 0, 250_000),
    project_id='demo',
    cluster_id='c-1',
)


class FeedTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.driver = MemoryDriver()
        self.addCleanup(self.driver.close)
        self.heard: list[Event] = []
        self.missed = threading.Semaphore(0)

    def listen(self, driver: Any = None) -> Listener:
        listener = Listener(driver or self.driver, self.heard.append, self.missed.release)
        listener.start()
        self.addCleanup(listener.wait)
        self.addCleanup(listener.stop)
        return listener

    def await_missed(self) -> None:
        self.assertTrue(self.missed.acquire(timeout=60), 'nobody said that something was missed')

    def test_what_is_announced_is_heard(self) -> None:
        self.listen()
        self.await_missed()
        announce = Announcer(self.driver)
        announce(EVENT)
        announce(EVENT)
        wait_until(lambda: len(self.heard) == 2, 'both to be heard')
        self.assertEqual([EVENT, EVENT], self.heard)

    def test_what_is_no_event_harms_nobody(self) -> None:
        self.listen()
        self.await_missed()
        with self.assertLogs(feed.LOG, 'WARNING'):
            self.driver.publisher().publish(CHANNEL, {'something': 'else'})
            Announcer(self.driver)(EVENT)
            wait_until(lambda: bool(self.heard), 'the event to be heard')

    def test_it_subscribes_until_it_is_subscribed_and_again_after_a_loss(self) -> None:
        driver = Unwilling(self.driver, 2)
        self.patch_pause()
        began, ended = 'Events are not heard, but looked for now and then: ', 'heard again'
        for times, tell in (
            (2, lambda: self.listen(driver)),
            (2, lambda: driver.told(base.Lost((CHANNEL,), 'a test'))),
            (0, lambda: driver.told(base.Lost((CHANNEL,), 'a test'))),
        ):
            driver.times = times
            with self.assertLogs(feed.LOG, 'INFO') as log:
                tell()
                self.await_missed()
            first, last = log.output
            self.assertIn(began, first)
            self.assertIn(ended, last)
        Announcer(self.driver)(EVENT)
        wait_until(lambda: bool(self.heard), 'the event to be heard')

    def test_it_ends_while_it_cannot_subscribe(self) -> None:
        listener = self.listen(Unwilling(self.driver, 10**9))
        listener.stop()
        listener.wait()

    def patch_pause(self) -> None:
        pause, feed.PAUSE = feed.PAUSE, 0.01
        self.addCleanup(setattr, feed, 'PAUSE', pause)


class Unwilling:
    """A driver that refuses to subscribe for some times."""

    def __init__(self, driver: MemoryDriver, times: int) -> None:
        self._driver = driver
        self.times = times
        self.told: base.Told = lambda _lost: None

    def subscriber(self, told: base.Told) -> 'UnwillingSubscriber':
        self.told = told
        return UnwillingSubscriber(self, self._driver.subscriber(told))


class UnwillingSubscriber:
    def __init__(self, driver: Unwilling, subscriber: base.Subscriber) -> None:
        self._driver = driver
        self._subscriber = subscriber
        self.close = subscriber.close

    def subscribe(self, channel: str, function: base.Function) -> None:
        self._driver.times -= 1
        if self._driver.times >= 0:
            raise SubscribeFailed('not now')
        self._subscriber.subscribe(channel, function)
