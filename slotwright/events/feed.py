"""What happens, on one channel: published by the relay, heard by the API daemons."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from slotwright.domain.errors import Unavailable
from slotwright.domain.events import Event, from_wire, to_wire
from slotwright.events.base import Driver, Lost, Publisher
from slotwright.outage import Outage

LOG = logging.getLogger(__name__)

CHANNEL = 'events'
#: Seconds between tries to subscribe.
PAUSE = 3.0


class Announcer:
    """Publishes events.

    It connects with the first one: most taskmanagers never hand anything on.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._publisher: Publisher | None = None

    def __call__(self, event: Event) -> None:
        """Publish it; one thread at a time may.

        :raises Unavailable: it may or may not have been published.
        """
        if self._publisher is None:
            self._publisher = self._driver.publisher()
        self._publisher.publish(CHANNEL, to_wire(event))


class Listener:
    """A service that stays subscribed as long as it runs.

    :param heard: called with each event, from one thread.
    :param missed: called whenever events may have been missed, after it has subscribed again.
    """

    def __init__(
        self, driver: Driver, heard: Callable[[Event], None], missed: Callable[[], None]
    ) -> None:
        self._heard = heard
        self._missed = missed
        self._outage = Outage(
            LOG, 'Events are not heard, but looked for now and then', 'Events are heard again'
        )
        self._subscriber = driver.subscriber(self._lost)
        self._is_due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='event-listener', daemon=True)

    def start(self) -> None:
        self._is_due.set()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._is_due.set()

    def wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
        self._subscriber.close()

    def _lost(self, lost: Lost) -> None:
        self._outage.goes_on(f'the subscription was lost: {lost.reason}')
        self._is_due.set()

    def _run(self) -> None:
        while True:
            self._is_due.wait()
            if self._stopping.is_set():
                return
            self._is_due.clear()
            try:
                self._subscriber.subscribe(CHANNEL, self._take)
            except Unavailable as error:
                self._outage.goes_on(error)
                self._is_due.set()
                self._stopping.wait(PAUSE)
                continue
            self._outage.is_over()
            self._missed()

    def _take(self, payload: Any) -> None:
        try:
            event = from_wire(payload)
        except ValueError as error:
            LOG.warning('Something else than an event was published: %s', error)
            return
        self._heard(event)
