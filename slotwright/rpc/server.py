"""The server's end of RPC: endpoints behind a boundary that lets no stray error out."""

import concurrent.futures
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

LOG = logging.getLogger(__name__)

#: Seconds between looks for a broker that was not there when the server started.
BROKER_RETRY = 1.0

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


class _Boundary:
    """The methods of one API on an endpoint, and nothing else of it.

    Errors of ``slotwright.domain.errors`` are answers. Any other is ours: it is logged
    here, and the caller learns its class and text.
    """

    def __init__(self, endpoint: Any, protocol: type, version: str) -> None:
        self.target = oslo_messaging.Target(version=version)
        for name in methods_of(protocol):
            if hasattr(endpoint, name):
                setattr(self, name, _guarded(getattr(endpoint, name)))


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @oslo_messaging.expected_exceptions(SlotwrightError)
    @functools.wraps(method)
    def guarded(context: CommandContext, **arguments: Any) -> Any:
        with log.about(context.request_id, context.cluster_id):
            try:
                return method(context, **arguments)
            except SlotwrightError as error:
                LOG.info('%s answers %s: %s', method.__name__, error.code, error)
                raise
            except Exception as error:
                LOG.exception('%s failed', method.__name__)
                raise SlotwrightError(f'{type(error).__name__}: {error}') from error

    boundary: Callable[..., Any] = guarded
    return boundary


class _Wakeup:
    """Takes the message that a stopping server sends itself."""

    target = oslo_messaging.Target(namespace='slotwright.wakeup', version='1.0')

    def wake_up(self, context: CommandContext) -> None:
        """Nothing more: that a message came ends the listener's wait."""


class _Server(RPCServer):
    """With an executor that stops at once.

    futurist's workers look once a second whether they should go, so every stop would
    take that long; the standard library's are woken.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._executor_cls = concurrent.futures.ThreadPoolExecutor


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
        self._server = oslo_messaging.get_rpc_server(
            self._transport,
            self._target,
            [*(_Boundary(e, protocol, version) for e in endpoints), _Wakeup()],
            serializer=ContextSerializer(),
            server_cls=_Server,
        )
        self._stopping = threading.Event()
        self._starter: threading.Thread | None = None
        self._listening = False

    def start(self) -> None:
        """Listen. Without a broker go on trying in the background, and return."""
        if self._try_to_listen():
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
        """Return when every message taken is answered, and the connections are closed."""
        if self._listening:
            self._server.wait()
        self._transport.cleanup()

    def _try_to_listen(self) -> bool:
        try:
            self._transport.ensure_reachable()
        except Unavailable as error:
            LOG.warning('Not listening on %s yet: %s', self._target.topic, error)
            return False
        self._server.start()
        self._listening = True
        return True

    def _listen_later(self) -> None:
        while not self._stopping.wait(BROKER_RETRY):
            if self._try_to_listen():
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
