"""Hands recorded events on to whoever listens.

It may be killed anywhere: what it did not mark, the next one hands on again, under the same
numbers. So nothing is lost, and whoever has seen a number knows it for a duplicate.
"""

import datetime
import logging
import time
from collections.abc import Callable, Sequence

from slotwright.domain.errors import StorageUnavailable, Unavailable
from slotwright.domain.events import Event
from slotwright.outage import Outage
from slotwright.storage.events import RelayStore

LOG = logging.getLogger(__name__)

#: Seconds the relay belongs to one taskmanager without a sign of it.
LEASE = 5.0
#: Events handed on before that is noted.
BATCH = 100
#: Seconds in which nobody is told anything, after that failed.
REST = 3.0

Publish = Callable[[Event], None]
"""Tells all who listen now; raises ``Unavailable`` when it cannot."""


class Relay:
    """One look at a time.

    Who reads the store needs the events' positions, whether anybody can be told or not: these
    are given also while telling fails, or takes long.

    :param owner: who this is among the taskmanagers.
    :param keep: how long events are kept.
    :param now: UTC.
    :param clock: seconds, never going back.
    """

    def __init__(
        self,
        store: RelayStore,
        publish: Publish,
        owner: str,
        keep: datetime.timedelta,
        now: Callable[[], datetime.datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._publish = publish
        self._owner = owner
        self._keep = keep
        self._now = now
        self._clock = clock
        self._outage = Outage(LOG, 'Events are not handed on now', 'Events are handed on again')
        self._rests_until: float | None = None
        self._is_telling = False

    def tick(self) -> None:
        """Hand on all that is new, unless another taskmanager does."""
        try:
            if self._rests_until is not None and self._clock() < self._rests_until:
                self._take()
                return
            while self._hand_on():
                pass
        except Unavailable as error:  # the store, or who should be told
            self._outage.goes_on(error)
        else:
            self._outage.is_over()

    def number(self) -> None:
        """Give positions to what is new, if a tick in another thread is busy telling."""
        if not self._is_telling:
            return
        try:
            self._take()
        except StorageUnavailable as error:
            LOG.debug('Events have no positions yet: %s', error)  # a tick says it

    def tidy(self) -> None:
        """Forget events that are too old."""
        try:
            while self._store.forget_events(self._now() - self._keep, BATCH) == BATCH:
                pass
        except StorageUnavailable as error:
            LOG.warning('Old events are not forgotten now: %s', error)

    def _hand_on(self) -> bool:
        """Whether there may be more."""
        events = self._take()
        if not events:
            return False
        told = 0
        self._is_telling = True
        try:
            for event in events:
                self._publish(event)
                told += 1
        except Unavailable:
            self._rests_until = self._clock() + REST
            raise
        finally:
            self._is_telling = False
            if told:
                position = events[told - 1].position
                assert position is not None
                self._store.mark_handed_on(self._owner, position)
        return len(events) == BATCH

    def _take(self) -> Sequence[Event] | None:
        return self._store.take_events(self._owner, LEASE, BATCH)
