"""The server's end of RPC: endpoints behind a boundary that lets no stray error out."""

import functools
import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import oslo_messaging
from oslo_messaging.rpc.server import RPCServer

from slotwright import log
from slotwright.domain.errors import SlotwrightError, Unavailable
from slotwright.rpc import contract
from slotwright.rpc.contract import CommandContext
from slotwright.rpc.transport import Transport
from slotwright.rpc.wire import ContextSerializer
from slotwright.rpc.workers import Workers

LOG = logging.getLogger(__name__)

#: Seconds between looks for a broker that was not there when the server started.
BROKER_RETRY = 1.0

#: Seconds for sending answers and closing connections, once the last handler is done.
CLOSE_TIMEOUT = 5.0

#: What is offered on each topic: the methods of a protocol, and their version.
OFFERS: dict[str, tuple[type, str]] = {
    contract.TASKMANAGER_TOPIC: (contract.TaskManagerAPI, contract.TASKMANAGER_VERSION),
    contract.GUESTAGENT_TOPIC: (contract.GuestAgentAPI, contract.GUESTAGENT_VERSION),
}


def methods_of(protocol: type) -> tuple[str, ...]:
    """The names of the methods a protocol class declares."""
    return tuple(
        name
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith('_')
    )


class _Count:
    """How many are inside its ``with``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def __enter__(self) -> None:
        with self._lock:
            self.value += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.value -= 1


class _Boundary:
    """The methods of one API on an endpoint, and nothing else of it.

    Errors of ``slotwright.domain.errors`` are answers. Any other is ours: it is logged
    here, and the caller learns its class and text.
    """

    def __init__(self, endpoint: Any, protocol: type, version: str, running: '_Count') -> None:
        self.target = oslo_messaging.Target(version=version)
        self._running = running
        for name in methods_of(protocol):
            if hasattr(endpoint, name):
                setattr(self, name, self._guarded(getattr(endpoint, name)))

    def _guarded(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def guarded(context: CommandContext, **arguments: Any) -> Any:
            with log.about(context.request_id, context.cluster_id), self._running:
                try:
                    return method(context, **arguments)
                except SlotwrightError as error:
                    LOG.info('%s answers %s: %s', method.__name__, error.code, error)
                    raise
                except Exception as error:
                    LOG.exception('%s failed', method.__name__)
                    raise SlotwrightError(f'{type(error).__name__}: {error}') from error

        boundary: Callable[..., Any] = oslo_messaging.expected_exceptions(SlotwrightError)(guarded)
        return boundary


class _Wakeup:
    """Takes the message that a stopping server sends itself."""

    target = oslo_messaging.Target(namespace='slotwright.wakeup', version='1.0')

    def wake_up(self, context: CommandContext) -> None:
        """Nothing more: that a message came ends the listener's wait."""


class _Server(RPCServer):
    """On threads of our kind; the executor's name is all that oslo.messaging lets choose."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._executor_cls = Workers


class RpcServer:
    """Serves endpoints on a topic, over connections of its own.

    Starts also while the broker is down, and listens as soon as it is there.
    """

    def __init__(
        self, transport: Transport, topic: str, server_name: str, endpoints: Sequence[Any]
    ) -> None:
        protocol, version = OFFERS[topic]
        self._transport = transport.twin()
        self._target = oslo_messaging.Target(topic=topic, server=server_name)
        self._running = _Count()
        self._server = oslo_messaging.get_rpc_server(
            self._transport,
            self._target,
            [*(_Boundary(e, protocol, version, self._running) for e in endpoints), _Wakeup()],
            serializer=ContextSerializer(),
            server_cls=_Server,
        )
        self._stopping = threading.Event()
        self._starter: threading.Thread | None = None
        self._listening = False

    def start(self) -> None:
        """Listen. Without a broker go on trying in the background, and return."""
        if self._try_to_listen(logging.WARNING):
            return
        self._starter = threading.Thread(
            target=self._listen_later, name=f'rpc-start-{self._target.topic}', daemon=True
        )
        self._starter.start()

    def stop(self) -> None:
        """Take no more messages; those taken go on."""
        self._stopping.set()
        if self._starter is not None:
            self._starter.join()
        if self._listening:
            self._wake_listener()
            self._server.stop()

    def wait(self) -> None:
        """Return when every message taken is handled, and the connections are closed.

        Answers that a broker which is away does not take are given up.
        """
        closer = threading.Thread(target=self._close, name='rpc-close', daemon=True)
        closer.start()
        running = 1
        while closer.is_alive() and running:
            running = self._running.value
            closer.join(CLOSE_TIMEOUT)
        if closer.is_alive():
            LOG.warning('The message broker is away: giving up its connections of %s', self._target)

    def remove(self) -> None:
        """After ``wait``: we will not come back, so nothing need wait for us any more."""
        try:
            self._transport.forget_server(str(self._target.topic), str(self._target.server))
        except Unavailable as error:
            LOG.warning('The queue of %s stays: %s', self._target.server, error)

    def _close(self) -> None:
        if self._listening:
            self._server.wait(log_after=0)
        self._transport.cleanup()

    def _try_to_listen(self, level: int) -> bool:
        try:
            self._transport.ensure_reachable()
        except Unavailable as error:
            LOG.log(level, 'Not listening on %s yet: %s', self._target.topic, error)
            return False
        self._server.start()
        self._listening = True
        return True

    def _listen_later(self) -> None:
        while not self._stopping.wait(BROKER_RETRY):
            if self._try_to_listen(logging.DEBUG):
                LOG.info('The message broker is there')
                return

    def _wake_listener(self) -> None:
        """Send a message to ourselves.

        A listener of the rabbit driver waits up to five seconds for one before it looks
        whether it should stop.
        """
        if self._transport.broker is None:
            return
        client = oslo_messaging.get_rpc_client(
            self._transport,
            self._target(namespace=_Wakeup.target.namespace, version='1.0'),
            serializer=ContextSerializer(),
            retry=0,
        )
        try:
            self._transport.doubt()
            self._transport.ensure_reachable()
            client.cast(CommandContext(), 'wake_up')
        except (Unavailable, oslo_messaging.MessagingException) as error:
            LOG.debug('The listener stops by itself: %s', error)
