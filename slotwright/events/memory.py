"""The driver in the memory of one process, for standalone and for tests."""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from slotwright.events import base, coding
from slotwright.events.dispatcher import Dispatcher, Subscription
from slotwright.events.errors import PublishFailed, RowExists, RowNotFound, SubscribeFailed


class MemoryTables:
    """See ``base.Tables``. Values are kept as JSON: nobody changes what another has read."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, str], bytes]] = {}
        self._numbers: dict[str, itertools.count[int]] = {}
        self._lock = threading.Lock()

    def create(self, table: str, key: str, value: Any, topic: str = '') -> None:
        row, written = _row(table, key, topic), coding.encode(value)
        with self._lock:
            rows = self._rows.setdefault(table, {})
            if row in rows:
                raise RowExists(f'{table} has {key} already.')
            rows[row] = written

    def get(self, table: str, key: str, topic: str = '') -> Any:
        row = _row(table, key, topic)
        with self._lock:
            return coding.decode(self._having(table, row)[row])

    def set(self, table: str, key: str, value: Any, topic: str = '') -> None:
        row, written = _row(table, key, topic), coding.encode(value)
        with self._lock:
            self._having(table, row)[row] = written

    def delete(self, table: str, key: str, topic: str = '') -> None:
        row = _row(table, key, topic)
        with self._lock:
            del self._having(table, row)[row]

    def keys(self, table: str, topic: str | None = None) -> Sequence[str]:
        return [key for key, _ in self._listed(table, topic)]

    def values(self, table: str, topic: str | None = None) -> Sequence[Any]:
        return [coding.decode(written) for _, written in self._listed(table, topic)]

    def allocate(self, table: str) -> int:
        coding.named(table, 'table')
        with self._lock:
            return next(self._numbers.setdefault(table, itertools.count(1)))

    def _having(self, table: str, row: tuple[str, str]) -> dict[tuple[str, str], bytes]:
        rows = self._rows.get(table, {})
        if row not in rows:
            raise RowNotFound(f'{table} has no {row[1]}.')
        return rows

    def _listed(self, table: str, topic: str | None) -> list[tuple[str, bytes]]:
        coding.named(table, 'table')
        coding.text(topic or '', 'topic')
        with self._lock:
            rows = self._rows.get(table, {}).items()
            return [(key, written) for (found, key), written in rows if topic in (None, found)]


def _row(table: str, key: str, topic: str) -> tuple[str, str]:
    coding.named(table, 'table')
    return coding.text(topic, 'topic'), coding.named(key, 'key')


class MemoryDriver:
    """See ``base.Driver``. One object serves all who are to hear one another."""

    def __init__(self) -> None:
        self.tables: base.Tables = MemoryTables()
        self._subscribers: list[MemorySubscriber] = []
        self._publishers: list[MemoryPublisher] = []
        self._lock = threading.Lock()

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts) -> 'MemoryDriver':  # noqa: ARG003 - no options
        """See ``slotwright.events.drivers.DriverClass``."""
        return cls()

    def publisher(self) -> base.Publisher:
        made = MemoryPublisher(self)
        with self._lock:
            self._publishers.append(made)
        return made

    def subscriber(self, told: base.Told) -> base.Subscriber:
        made = MemorySubscriber(self, told)
        with self._lock:
            self._subscribers.append(made)
        return made

    def close(self) -> None:
        with self._lock:
            subscribers, publishers = [*self._subscribers], [*self._publishers]
        for publisher in publishers:
            publisher.close()
        for subscriber in subscribers:
            subscriber.close()

    def hand_out(self, channel: str, written: Sequence[bytes]) -> None:
        """To all subscribers, in one order for all."""
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.receive(channel, written)

    def forget(self, part: 'MemoryPublisher | MemorySubscriber') -> None:
        """It is closed."""
        with self._lock:
            if isinstance(part, MemorySubscriber) and part in self._subscribers:
                self._subscribers.remove(part)
            if isinstance(part, MemoryPublisher) and part in self._publishers:
                self._publishers.remove(part)


class MemoryPublisher:
    """See ``base.Publisher``."""

    def __init__(self, driver: MemoryDriver) -> None:
        self._driver = driver
        self._closed = False

    def publish(self, channel: str, payload: Any) -> None:
        self.publish_many(channel, [payload])

    def publish_many(self, channel: str, payloads: Sequence[Any]) -> None:
        coding.named(channel, 'channel')
        written = [coding.encode(payload) for payload in payloads]
        if self._closed:
            raise PublishFailed('The publisher is closed.')
        self._driver.hand_out(channel, written)

    def close(self) -> None:
        self._closed = True
        self._driver.forget(self)


class MemorySubscriber:
    """See ``base.Subscriber``. Its connection is never lost."""

    def __init__(self, driver: MemoryDriver, told: base.Told) -> None:
        self._driver = driver
        self._subscriptions: dict[str, Subscription] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._dispatcher = Dispatcher(told, self._overflow)

    def subscribe(self, channel: str, function: base.Function) -> None:
        coding.named(channel, 'channel')
        with self._lock:
            if self._closed:
                raise SubscribeFailed('The subscriber is closed.')
            replaced = self._subscriptions.get(channel)
            self._subscriptions[channel] = Subscription(channel, function)
        if replaced:
            replaced.active = False

    def unsubscribe(self, channel: str) -> None:
        coding.named(channel, 'channel')
        with self._lock:
            ended = self._subscriptions.pop(channel, None)
        if ended:
            ended.active = False

    def receive(self, channel: str, written: Sequence[bytes]) -> None:
        """Queue messages for the function of ``channel``, if there is one."""
        subscription = self._subscriptions.get(channel)
        if subscription is not None:
            for text in written:
                self._dispatcher.put((subscription, text))

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._subscriptions.clear()
        self._driver.forget(self)
        self._dispatcher.close()

    def _overflow(self, subscription: Subscription) -> None:
        with self._lock:
            if self._subscriptions.get(subscription.channel) is subscription:
                del self._subscriptions[subscription.channel]
