"""``local://``: an oslo.messaging driver for everything in one process.

Messages go through JSON as they would through a broker, and nobody polls: a listener
sleeps until a message is put into one of its queues. The name after ``local:///`` is a
virtual host; what is sent in one is not seen in another. A virtual host, and whatever is
still queued in it, lives as long as one of its drivers or listeners.

As with RabbitMQ, a message to a server that does not listen yet waits for it; a call that
nobody took within its timeout is never run.
"""

import itertools
import json
import queue
import threading
import time
import weakref
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import oslo_messaging
from oslo_messaging._drivers import base
from oslo_messaging._drivers.common import (
    deserialize_remote_exception,
    serialize_remote_exception,
)


@dataclass(eq=False, slots=True)
class Envelope:
    """One message under way, as text. ``deadline`` is in monotonic seconds."""

    text: str
    deadline: float | None = None
    #: (is failure, text); None for a cast.
    answers: 'queue.SimpleQueue[tuple[bool, str]] | None' = None

    @property
    def expired(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """A queue: of a topic, or with ``server`` of one server of it."""

    exchange: str
    topic: str
    server: str | None = None


@dataclass(eq=False, slots=True)
class Inbox:
    """What one listener waits on: its addresses, and what was fanned out to it."""

    addresses: tuple[QueueAddress, QueueAddress]
    woken: threading.Condition
    fanned_out: deque[Envelope] = field(default_factory=deque)
    closed: bool = False


class VirtualHost:
    """Queues and listeners, under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[QueueAddress, deque[Envelope]] = defaultdict(deque)
        self._inboxes: dict[QueueAddress, list[Inbox]] = defaultdict(list)

    def put(self, address: QueueAddress, envelope: Envelope) -> None:
        """Queue for whoever listens on the address, now or later."""
        with self._lock:
            self._queues[address].append(envelope)
            for inbox in self._inboxes.get(address, ()):
                inbox.woken.notify()

    def fan_out(self, topic: QueueAddress, envelope: Envelope) -> None:
        """Hand to every server that listens on the topic now."""
        with self._lock:
            for inbox in self._inboxes.get(topic, ()):
                inbox.fanned_out.append(envelope)
                inbox.woken.notify()

    def withdraw(self, address: QueueAddress, envelope: Envelope) -> None:
        """Take back a message that nobody has taken."""
        with self._lock:
            waiting = self._queues.get(address)
            if waiting is not None and envelope in waiting:
                waiting.remove(envelope)
                if not waiting:
                    del self._queues[address]

    def open(self, exchange: str, topic: str, server: str) -> Inbox:
        addresses = (QueueAddress(exchange, topic, server), QueueAddress(exchange, topic))
        inbox = Inbox(addresses, threading.Condition(self._lock))
        with self._lock:
            for address in addresses:
                self._inboxes[address].append(inbox)
        return inbox

    def close(self, inbox: Inbox) -> None:
        """Wake the listener for good; what is queued stays for the next one."""
        with self._lock:
            if inbox.closed:
                return
            inbox.closed = True
            for address in inbox.addresses:
                self._inboxes[address].remove(inbox)
                if not self._inboxes[address]:
                    del self._inboxes[address]
            inbox.woken.notify_all()

    def take(self, inbox: Inbox, timeout: float | None) -> Envelope | None:
        """The next message; None when closed, or after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while not inbox.closed:
                envelope = self._next(inbox)
                if envelope is not None:
                    return envelope
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                inbox.woken.wait(left)
        return None

    def _next(self, inbox: Inbox) -> Envelope | None:
        if inbox.fanned_out:
            return inbox.fanned_out.popleft()
        for address in inbox.addresses:
            waiting = self._queues.get(address)
            while waiting:
                envelope = waiting.popleft()
                if not waiting:
                    del self._queues[address]
                if not envelope.expired:
                    return envelope
        return None


_virtual_hosts: weakref.WeakValueDictionary[str, VirtualHost] = weakref.WeakValueDictionary()
_virtual_hosts_lock = threading.Lock()


def _virtual_host(name: str) -> VirtualHost:
    with _virtual_hosts_lock:
        found = _virtual_hosts.get(name)
        if found is None:
            found = _virtual_hosts[name] = VirtualHost()
        return found


class IncomingMessage(base.RpcIncomingMessage):
    """A message as the server sees it."""

    _ids = itertools.count(1)

    def __init__(self, envelope: Envelope) -> None:
        context, message = json.loads(envelope.text)
        super().__init__(context, message, msg_id=f'local-{next(self._ids)}')
        self._answers = envelope.answers

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Answer with a JSON value, or with ``failure`` as sys.exc_info() gives it.

        :raises TypeError: for an answer that is not JSON. The caller gets an error too,
            at once.
        """
        if self._answers is None:
            return
        if failure is not None:
            self._answers.put((True, serialize_remote_exception(failure)))
            return
        try:
            self._answers.put((False, json.dumps(reply)))
        except TypeError as error:
            info = (type(error), error, error.__traceback__)
            self._answers.put((True, serialize_remote_exception(info)))
            raise

    def requeue(self) -> None:
        raise NotImplementedError('RPC messages are not requeued')

    def heartbeat(self) -> None:
        """A caller in the same process needs no sign of life."""


class Listener(base.PollStyleListener):
    """Takes messages for one server."""

    def __init__(self, host: VirtualHost, exchange: str, topic: str, server: str) -> None:
        super().__init__()
        self._host = host
        self._inbox = host.open(exchange, topic, server)

    def poll(
        self,
        timeout: float | None = None,
        batch_size: int = 1,  # noqa: ARG002 (RPC servers take one at a time)
        batch_timeout: float | None = None,  # noqa: ARG002
    ) -> Sequence[IncomingMessage]:
        envelope = self._host.take(self._inbox, timeout)
        return [] if envelope is None else [IncomingMessage(envelope)]

    def stop(self) -> None:
        self._host.close(self._inbox)


class LocalDriver(base.BaseDriver):
    """RPC between the parts of one process."""

    def __init__(
        self,
        conf: Any,
        url: Any,
        default_exchange: str | None = None,
        allowed_remote_exmods: Sequence[str] | None = None,
    ) -> None:
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        self._host: VirtualHost | None = _virtual_host(url.virtual_host or '')

    def send(
        self,
        target: Any,
        ctxt: Any,
        message: Any,
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        call_monitor_timeout: float | None = None,  # noqa: ARG002
        retry: int | None = None,  # noqa: ARG002 (delivery cannot fail)
        transport_options: Any = None,  # noqa: ARG002
    ) -> Any:
        """Deliver, and for a call wait up to ``timeout`` seconds for the answer.

        :raises TypeError: for a message that is not JSON (sets, datetimes, …).
        :raises oslo_messaging.MessagingTimeout: without an answer in time.
        """
        host = self._open_host()
        exchange = target.exchange or self._default_exchange or ''
        text = json.dumps([ctxt, message])
        if target.fanout:
            host.fan_out(QueueAddress(exchange, target.topic), Envelope(text))
            return None
        address = QueueAddress(exchange, target.topic, target.server or None)
        if not wait_for_reply:
            host.put(address, Envelope(text))
            return None
        deadline = None if timeout is None else time.monotonic() + timeout
        envelope = Envelope(text, deadline, answers=queue.SimpleQueue())
        host.put(address, envelope)
        return self._wait(host, address, envelope, timeout)

    def _wait(
        self, host: VirtualHost, address: QueueAddress, envelope: Envelope, timeout: float | None
    ) -> Any:
        assert envelope.answers is not None
        try:
            failed, text = envelope.answers.get(timeout=timeout)
        except queue.Empty:
            host.withdraw(address, envelope)
            raise oslo_messaging.MessagingTimeout(
                f'No answer from {address.server or "anybody"} on topic {address.topic} '
                f'within {timeout} s'
            ) from None
        if failed:
            raise deserialize_remote_exception(text, self._allowed_remote_exmods)
        return json.loads(text)

    def send_notification(
        self, target: Any, ctxt: Any, message: Any, version: Any, retry: int | None = None
    ) -> None:
        raise NotImplementedError('local:// carries RPC only')

    def listen(self, target: Any, batch_size: int, batch_timeout: float | None) -> Any:
        exchange = target.exchange or self._default_exchange or ''
        listener = Listener(self._open_host(), exchange, target.topic, target.server)
        return base.PollStyleListenerAdapter(listener, batch_size, batch_timeout)

    def listen_for_notifications(
        self, targets_and_priorities: Any, pool: Any, batch_size: int, batch_timeout: float | None
    ) -> Any:
        raise NotImplementedError('local:// carries RPC only')

    def cleanup(self) -> None:
        self._host = None

    def _open_host(self) -> VirtualHost:
        if self._host is None:
            raise oslo_messaging.MessageDeliveryFailure('The transport is closed')
        return self._host
