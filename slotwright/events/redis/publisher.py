"""Publishing over one node, each message sent once (case 2)."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis import exceptions

from slotwright.events import coding
from slotwright.events.errors import PublishFailed
from slotwright.events.redis import faults, links
from slotwright.events.redis.servers import Node, Spread

LOG = logging.getLogger(__name__)

#: Seconds after which no further node is tried for a new connection.
RECONNECTING = 4.0


class RedisPublisher:
    """See ``slotwright.events.base.Publisher``."""

    def __init__(
        self,
        spread: Spread,
        prefix: str,
        closed: Callable[['RedisPublisher'], None] = lambda _: None,
    ) -> None:
        self._spread = spread
        self._prefix = prefix
        self._tell_closed = closed
        self._node: Node | None = None
        self._client: redis.Redis | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._reconnect(None)

    def publish(self, channel: str, payload: Any) -> None:
        name, message = self._name(channel), coding.encode(payload)
        self._send(lambda client: client.execute_command('PUBLISH', name, message))

    def publish_many(self, channel: str, payloads: Sequence[Any]) -> None:
        name, messages = self._name(channel), [coding.encode(payload) for payload in payloads]

        def send(client: redis.Redis) -> object:
            pipeline = client.pipeline(transaction=False)
            for message in messages:
                pipeline.execute_command('PUBLISH', name, message)
            return pipeline.execute()

        self._send(send)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._drop()
        self._tell_closed(self)

    def _name(self, channel: str) -> str:
        return f'{self._prefix}:{coding.named(channel, "channel")}'

    def _send(self, send: Callable[[redis.Redis], object]) -> None:
        client = self._client
        if client is None:
            # Nothing is sent yet, so this is no second try.
            client = self._reconnect(None)
        if client is None:
            raise PublishFailed('The publisher is closed, or Redis does not answer.')
        try:
            send(client)
        except (exceptions.RedisError, OSError) as error:
            if faults.is_lost(error):
                self._reconnect(client)
            raise PublishFailed(f'It may not be published: {faults.words(error)}') from error

    def _reconnect(self, lost: redis.Redis | None) -> redis.Redis | None:
        """Instead of the client that was lost have another; None when no node answers."""
        give_up = time.monotonic() + RECONNECTING
        with self._lock:
            if self._closed or self._client is not lost:
                return self._client  # another thread was here first
            last = self._node
            self._drop()
            for node in self._spread.candidates(last):
                self._spread.take(node)
                client = links.client(self._spread.target(node))
                try:
                    client.ping()
                except (exceptions.RedisError, OSError) as error:
                    LOG.warning('No publishing over %s: %s', node, error)
                    client.connection_pool.disconnect()
                    self._spread.leave(node)
                else:
                    self._node, self._client = node, client
                    return client
                if time.monotonic() > give_up:
                    break
            return None

    def _drop(self) -> None:
        if self._client is not None:
            self._client.connection_pool.disconnect()
            self._client = None
        if self._node is not None:
            self._spread.leave(self._node)
            self._node = None
