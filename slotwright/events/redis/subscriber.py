"""Subscribing over one node: a thread that only reads and queues (cases 3 and 4)."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from redis import exceptions

from slotwright.events import coding
from slotwright.events.base import Function, Lost, Told
from slotwright.events.dispatcher import Dispatcher, Subscription
from slotwright.events.errors import SubscribeFailed
from slotwright.events.redis import faults, links
from slotwright.events.redis.servers import Node, Spread

LOG = logging.getLogger(__name__)

TICK = 0.5  # seconds
#: Seconds of silence after which the server is sent a PING, and those it has to answer.
QUIET = 2.0
SILENT = 3.0
#: Seconds to wait for the answer to SUBSCRIBE and UNSUBSCRIBE.
ANSWERING = 5.0
#: Seconds between attempts to connect while no node answers.
PAUSE = 0.5


class _Answer:
    """What comes of a SUBSCRIBE, with what is wanted, or of an UNSUBSCRIBE."""

    def __init__(self, kind: bytes, name: bytes, wanted: Subscription | None) -> None:
        self.expected = (kind, name)
        self.wanted = wanted
        self.here = threading.Event()
        self.error: Exception | None = None

    def give(self, error: Exception | None = None) -> None:
        if not self.here.is_set():
            self.error = error
            self.here.set()


class RedisSubscriber:
    """See ``slotwright.events.base.Subscriber``."""

    def __init__(
        self,
        spread: Spread,
        prefix: str,
        told: Told,
        closed: Callable[['RedisSubscriber'], None] = lambda _: None,
    ) -> None:
        self._spread = spread
        self._prefix = prefix
        self._tell_closed = closed
        self._dispatcher = Dispatcher(told, self._overflow)
        self._subscriptions: dict[bytes, Subscription] = {}
        self._connection: Any = None
        self._node: Node | None = None
        self._answer: _Answer | None = None
        self._lost = Lost((), 'Redis did not answer at first.')
        self._state = threading.Lock()  # of all the above
        self._asking = threading.Lock()  # one SUBSCRIBE or UNSUBSCRIBE at a time
        self._sending = threading.Lock()  # commands on the connection
        self._closed = threading.Event()
        self._connect(None)
        self._thread = threading.Thread(
            target=self._run, name='slotwright-events-reader', daemon=True
        )
        self._thread.start()

    def subscribe(self, channel: str, function: Function) -> None:
        name = self._name(channel)
        wanted = Subscription(channel, function)
        with self._asking:
            with self._state:
                connection = self._connection
                if connection is None or self._closed.is_set():
                    raise SubscribeFailed('There is no connection to Redis.')
                replaced = self._subscriptions.get(name)
                if replaced is not None:  # else from the answer on
                    wanted.stands = True
                    self._subscriptions[name] = wanted
            try:
                self._ask(connection, b'subscribe', name, wanted)
            except SubscribeFailed:
                with self._state:
                    if self._subscriptions.get(name) is wanted:
                        del self._subscriptions[name]
                wanted.active = False
                raise
            finally:
                if replaced is not None:
                    replaced.active = False

    def unsubscribe(self, channel: str) -> None:
        name = self._name(channel)
        with self._asking:
            with self._state:
                connection = self._connection
                ended = self._subscriptions.pop(name, None)
            if ended is None:
                return
            ended.active = False
            if connection is not None:
                self._ask(connection, b'unsubscribe', name)

    def close(self) -> None:
        with self._state:
            if self._closed.is_set():
                return
            self._closed.set()
            connection = self._connection
        if connection is not None:
            connection.disconnect()
        self._thread.join()
        self._dispatcher.close()
        self._tell_closed(self)

    def _name(self, channel: str) -> bytes:
        return f'{self._prefix}:{coding.named(channel, "channel")}'.encode()

    def _ask(
        self, connection: Any, kind: bytes, name: bytes, wanted: Subscription | None = None
    ) -> None:
        """Send a command and wait for its answer, which the reader gets.

        :raises SubscribeFailed: when there is none, or an error; then the connection is given
            up where it is the reason, and the reader makes another.
        """
        answer = _Answer(kind, name, wanted)
        with self._state:
            if self._connection is not connection:
                raise SubscribeFailed('The connection to Redis was lost.')
            self._answer = answer
        try:
            self._send(connection, kind.upper(), name)
        except (exceptions.RedisError, OSError) as error:
            connection.disconnect()
            raise SubscribeFailed(f'The connection was lost: {faults.words(error)}') from error
        if not answer.here.wait(ANSWERING):
            with self._state:
                self._answer = None  # it comes too late from now on
            connection.disconnect()
            raise SubscribeFailed('Redis does not answer.')
        if answer.error is not None:
            raise SubscribeFailed(faults.words(answer.error)) from answer.error

    def _send(self, connection: Any, *command: bytes) -> None:
        with self._sending:
            connection.send_command(*command, check_health=False)

    def _overflow(self, subscription: Subscription) -> None:
        """Its function is too slow: have the server send no more, without waiting."""
        name = self._name(subscription.channel)
        with self._asking:
            with self._state:
                connection = self._connection
                if connection is None or self._subscriptions.get(name) is not subscription:
                    return
                del self._subscriptions[name]
            try:
                self._send(connection, b'UNSUBSCRIBE', name)
            except (exceptions.RedisError, OSError) as error:
                LOG.debug('The reader will find the connection lost: %s', error)

    # What follows runs in the reader's thread, but for the first _connect.

    def _run(self) -> None:
        while not self._closed.is_set():
            connection = self._connection
            if connection is not None:
                self._clear(connection, self._read(connection))
            elif self._connects():
                self._dispatcher.tell(self._lost)
            else:
                self._closed.wait(PAUSE)
        connection = self._connection
        if connection is not None:
            connection.disconnect()
        self._leave()

    def _connects(self) -> bool:
        try:
            return self._connect(self._node)
        except Exception:  # this thread has to go on
            LOG.exception('The subscriber cannot connect')
            return False

    def _read(self, connection: Any) -> Exception:
        """Queue what comes, until the connection is lost; answers how."""
        try:
            self._queue(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection is over
            return error

    def _queue(self, connection: Any) -> NoReturn:
        put, subscriptions = self._dispatcher.put, self._subscriptions
        can_read, read = connection.can_read, connection.read_response
        heard, pinged = time.monotonic(), 0.0
        while True:
            if can_read(timeout=TICK):
                try:
                    reply = read(disconnect_on_error=False)
                except exceptions.ResponseError as error:
                    self._answered(None, error)
                    continue
                if reply[0] == b'message':
                    subscription = subscriptions.get(reply[1])
                    if subscription is not None:
                        put((subscription, reply[2]))
                elif reply[0] in (b'subscribe', b'unsubscribe'):
                    self._answered((reply[0], reply[1]))
                heard, pinged = time.monotonic(), 0.0
            elif pinged and time.monotonic() - pinged > SILENT:
                raise exceptions.TimeoutError(f'Redis does not answer for {SILENT} s.')
            elif not pinged and time.monotonic() - heard > QUIET:
                self._send(connection, b'PING')
                pinged = time.monotonic()

    def _answered(self, what: tuple[bytes, bytes] | None, error: Exception | None = None) -> None:
        with self._state:
            answer = self._answer
            if answer is None or what not in (None, answer.expected):
                return
            self._answer = None
            if error is None and answer.wanted is not None:
                # Here, before the next message is read or a loss is told.
                answer.wanted.stands = True
                self._subscriptions[answer.expected[1]] = answer.wanted
        answer.give(error)

    def _clear(self, connection: Any, error: Exception) -> None:
        """Case 4: nothing is subscribed any more, and nothing is subscribed again here."""
        connection.disconnect()
        with self._state:
            self._connection = None
            standing = [one for one in self._subscriptions.values() if one.stands]
            names = sorted(one.channel for one in standing)
            self._subscriptions.clear()
            answer, self._answer = self._answer, None
            self._lost = Lost(tuple(names), faults.words(error))
        if answer is not None:
            answer.give(error)
        if not self._closed.is_set():
            LOG.warning('Subscriptions to %s are lost: %s', names, faults.words(error))

    def _connect(self, last: Node | None) -> bool:
        """Connect to the node of before, else elsewhere. Whether a node answers."""
        for node in self._spread.candidates(last):
            if self._closed.is_set():
                return False
            try:
                connection = links.connect(self._spread.target(node))
            except (exceptions.RedisError, OSError) as error:
                LOG.warning('No subscribing over %s: %s', node, error)
                continue
            self._leave()
            self._spread.take(node)
            with self._state:
                self._connection, self._node = connection, node
                if self._closed.is_set():
                    connection.disconnect()
            return True
        return False

    def _leave(self) -> None:
        with self._state:
            node, self._node = self._node, None
        if node is not None:
            self._spread.leave(node)
