"""Clients of the RPC APIs in ``contract.py``.

Every method answers, or raises an error of ``slotwright.domain.errors``, in bounded time,
also while the broker is down.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import oslo_messaging
from oslo_config import cfg

from slotwright.domain.errors import (
    GuestSilent,
    NotSupported,
    SlotwrightError,
    Unavailable,
)
from slotwright.loading import InvalidConfiguration, load_class
from slotwright.rpc import contract
from slotwright.rpc.broker import BROKER_ERRORS
from slotwright.rpc.contract import CommandContext, Wire
from slotwright.rpc.transport import Transport
from slotwright.rpc.wire import ContextSerializer, plain_error

#: One attempt more after a failed one, over a new connection: the old one may only have
#: been closed by a restart of the broker.
PUBLISH_RETRIES = 1

#: On long calls a guest has to show life within so many seconds (whole ones), so that
#: one that died is not waited for until the end.
MONITOR_TIMEOUT = 10

#: Seconds that a call may take beyond the time its command was given.
ANSWER_MARGIN = 10.0


class _Channel:
    """Sends to one topic and tells errors apart."""

    def __init__(
        self,
        transport: Transport,
        topic: str,
        version: str,
        version_cap: str | None,
        since: Mapping[str, str] | None = None,
    ) -> None:
        """``since``: the versions of methods that are younger than ``version``."""
        _check_cap(topic, version_cap)
        self._since = dict(since or {})
        self._version = version
        self._transport = transport
        self._topic = topic
        self._client = oslo_messaging.get_rpc_client(
            transport,
            oslo_messaging.Target(topic=topic, version=version),
            version_cap=version_cap,
            serializer=ContextSerializer(),
            retry=PUBLISH_RETRIES,
        )

    def cast(self, context: CommandContext, method: str, **arguments: Any) -> None:
        with self._observed(method, 'sent'):
            self._transport.ensure_reachable()
            try:
                self._client.cast(context, method, **arguments)
            except (oslo_messaging.MessagingException, *BROKER_ERRORS) as error:
                self._fail(error)

    def call(
        self,
        context: CommandContext,
        method: str,
        timeout: float,
        server: str | None = None,
        **arguments: Any,
    ) -> Any:
        """:raises oslo_messaging.MessagingTimeout: nobody answered within ``timeout``."""
        with self._observed(method, 'answered'):
            return self._call(context, method, timeout, server, arguments)

    def _call(
        self,
        context: CommandContext,
        method: str,
        timeout: float,
        server: str | None,
        arguments: Mapping[str, Any],
    ) -> Any:
        self._transport.ensure_reachable(for_call=True)
        monitor = MONITOR_TIMEOUT if timeout > MONITOR_TIMEOUT else None
        client = self._client.prepare(
            server=server,
            timeout=timeout,
            call_monitor_timeout=monitor,
            version=self._since.get(method, self._version),
        )
        try:
            answer = client.call(context, method, **arguments)
            self._transport.answered()
            return answer
        except SlotwrightError as error:
            self._transport.answered()
            raise plain_error(error) from error
        except oslo_messaging.MessagingTimeout:
            self._transport.answered()
            raise
        except (oslo_messaging.MessagingException, *BROKER_ERRORS) as error:
            self._fail(error)

    @contextlib.contextmanager
    def _observed(self, method: str, outcome: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except SlotwrightError as error:
            outcome = error.code
            raise
        except oslo_messaging.MessagingTimeout:
            outcome = 'silent'
            raise
        finally:
            self._transport.observe(self._topic, method, outcome, time.perf_counter() - began)

    def _fail(self, error: Exception) -> NoReturn:
        if isinstance(error, oslo_messaging.RPCVersionCapError):
            raise NotSupported(f'Held back by [upgrade_levels]: {error}') from error
        if isinstance(error, oslo_messaging.RemoteError):
            raise SlotwrightError(f'{error.exc_type}: {error.value}') from error
        if isinstance(error, oslo_messaging.RPCDispatcherError):
            raise SlotwrightError(str(error)) from error
        self._transport.doubt()
        raise Unavailable(f'The message broker does not take the message: {error}') from error


def _check_cap(topic: str, version_cap: str | None) -> None:
    if version_cap is None:
        return
    numbers = version_cap.split('.')
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise InvalidConfiguration(
            f'[upgrade_levels] {topic} = {version_cap}: expected a version such as 1.0'
        )


class TaskManagerClient:
    """Speaks ``TaskManagerAPI``.

    :param call_timeout: seconds that a call may take; casts wait for nobody.
    :param version_cap: highest version to speak, as "1.0"; None for ours.
    :raises Unavailable: from every method, when the broker or the taskmanager is away.
    """

    def __init__(
        self, transport: Transport, call_timeout: float, version_cap: str | None = None
    ) -> None:
        self._call_timeout = call_timeout
        self._channel = _Channel(
            transport,
            contract.TASKMANAGER_TOPIC,
            contract.FIRST_VERSION,
            version_cap,
            contract.TASKMANAGER_SINCE,
        )

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._channel.cast(context, 'create_cluster', cluster_id=cluster_id)

    def grow_cluster(
        self, context: CommandContext, cluster_id: str, new_instance_ids: Sequence[str]
    ) -> None:
        self._channel.cast(
            context,
            'grow_cluster',
            cluster_id=cluster_id,
            new_instance_ids=list(new_instance_ids),
        )

    def shrink_cluster(
        self, context: CommandContext, cluster_id: str, instance_ids: Sequence[str]
    ) -> None:
        self._channel.cast(
            context, 'shrink_cluster', cluster_id=cluster_id, instance_ids=list(instance_ids)
        )

    def delete_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._channel.cast(context, 'delete_cluster', cluster_id=cluster_id)

    def update_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._channel.cast(context, 'update_cluster', cluster_id=cluster_id)

    def report(self, context: CommandContext, instance_id: str, report: Wire) -> None:
        self._channel.cast(context, 'report', instance_id=instance_id, report=dict(report))

    def assignment(self, context: CommandContext, instance_id: str) -> Wire:
        answer: Wire = self._ask(context, 'assignment', instance_id=instance_id)
        return answer

    def announce(self, context: CommandContext, host_id: str, announcement: Wire) -> Wire:
        answer: Wire = self._ask(
            context, 'announce', host_id=host_id, announcement=dict(announcement)
        )
        return answer

    def _ask(self, context: CommandContext, method: str, **arguments: Any) -> Any:
        try:
            return self._channel.call(context, method, self._call_timeout, **arguments)
        except oslo_messaging.MessagingTimeout as error:
            raise Unavailable(f'No taskmanager answered within {self._call_timeout:g} s') from error


class GuestNode:
    """Speaks ``GuestAgentAPI`` to the agent of one instance.

    :raises GuestSilent: from every method, without an answer in time.
    :raises Unavailable: from every method, when the broker is away.
    """

    def __init__(
        self, channel: _Channel, instance_id: str, high_timeout: float, low_timeout: float
    ) -> None:
        self._channel = channel
        self._instance_id = instance_id
        self._high_timeout = high_timeout
        self._low_timeout = low_timeout

    def get_node_ip(self, context: CommandContext) -> Wire:
        answer: Wire = self._call(context, 'get_node_ip', self._low_timeout)
        return answer

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        answer: str | None = self._call(context, 'get_node_id_for_removal', self._low_timeout)
        return answer

    def remove_nodes(self, context: CommandContext, node_ids: Sequence[str]) -> None:
        self._command(context, 'remove_nodes', node_ids=list(node_ids))

    def cluster_meet(self, context: CommandContext, ip: str, port: int) -> None:
        self._command(context, 'cluster_meet', ip=ip, port=port)

    def cluster_addslots(self, context: CommandContext, first_slot: int, last_slot: int) -> None:
        self._command(context, 'cluster_addslots', first_slot=first_slot, last_slot=last_slot)

    def cluster_complete(self, context: CommandContext) -> None:
        self._command(context, 'cluster_complete')

    def prepare(self, context: CommandContext, spec: Wire) -> None:
        self._command(context, 'prepare', spec=dict(spec))

    def status(self, context: CommandContext) -> Wire:
        answer: Wire = self._call(context, 'status', self._low_timeout)
        return answer

    def set_config_epoch(self, context: CommandContext, config_epoch: int) -> None:
        self._command(context, 'set_config_epoch', config_epoch=config_epoch)

    def bump_epoch(self, context: CommandContext) -> None:
        self._command(context, 'bump_epoch')

    def cluster_join(
        self,
        context: CommandContext,
        peers: Sequence[Wire],
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        patience: float,
    ) -> bool:
        answer: bool = self._call(
            context,
            'cluster_join',
            max(self._high_timeout, patience + ANSWER_MARGIN),
            peers=[dict(peer) for peer in peers],
            members={node: [list(r) for r in ranges] for node, ranges in members.items()},
            forming=forming,
            patience=patience,
        )
        return answer

    def restore_settings(self, context: CommandContext) -> None:
        self._command(context, 'restore_settings')

    def set_users(self, context: CommandContext, tenant_hash: str) -> None:
        self._command(context, 'set_users', tenant_hash=tenant_hash)

    def retire(self, context: CommandContext) -> str:
        answer: str = self._command(context, 'retire')
        return answer

    def leave(self, context: CommandContext) -> None:
        self._command(context, 'leave')

    def stop(self, context: CommandContext, wipe: bool) -> None:
        self._command(context, 'stop', wipe=wipe)

    def _command(self, context: CommandContext, method: str, **arguments: Any) -> Any:
        return self._call(context, method, self._high_timeout, **arguments)

    def _call(self, context: CommandContext, method: str, timeout: float, **arguments: Any) -> Any:
        try:
            return self._channel.call(
                context, method, timeout, server=self._instance_id, **arguments
            )
        except oslo_messaging.MessagingTimeout as error:
            raise GuestSilent(
                f'The agent of instance {self._instance_id} did not answer {method}'
            ) from error


class GuestAgentClient:
    """Makes one ``GuestNode`` for each instance that is spoken to.

    :param high_timeout: seconds for commands that take long (AGENT_HIGH_TIMEOUT).
    :param low_timeout: seconds for the quick ones: status, get_node_ip and
        get_node_id_for_removal.
    :param version_cap: highest version to speak, as "1.0"; None for ours.
    """

    def __init__(
        self,
        transport: Transport,
        high_timeout: float,
        low_timeout: float,
        version_cap: str | None = None,
    ) -> None:
        self._high_timeout = high_timeout
        self._low_timeout = low_timeout
        self._channel = _Channel(
            transport, contract.GUESTAGENT_TOPIC, contract.GUESTAGENT_VERSION, version_cap
        )

    def node(self, instance_id: str) -> GuestNode:
        return GuestNode(self._channel, instance_id, self._high_timeout, self._low_timeout)


class RedisGuestAgentStrategy:
    """The guest agent strategy of seed 001: which client speaks to the agents.

    A class named by ``[redis] guestagent_strategy`` is made without arguments; its
    ``guest_client_class`` is called as ``GuestAgentClient`` is, and what that has as
    ``node`` answers something that speaks ``GuestAgentAPI``.
    """

    @property
    def guest_client_class(self) -> type[GuestAgentClient]:
        return GuestAgentClient


def guest_client(conf: cfg.ConfigOpts, transport: Transport) -> GuestAgentClient:
    """Make the client that ``[redis] guestagent_strategy`` names.

    :raises InvalidConfiguration: the option names no class, or none of a strategy.
    """
    path = conf.redis.guestagent_strategy
    client_class = getattr(
        load_class(path, '[redis] guestagent_strategy')(), 'guest_client_class', None
    )
    if client_class is None:
        raise InvalidConfiguration(
            f'[redis] guestagent_strategy = {path}: has no guest_client_class'
        )
    client: GuestAgentClient = client_class(
        transport,
        conf.rpc.agent_high_timeout,
        conf.rpc.agent_low_timeout,
        conf.upgrade_levels.guestagent,
    )
    return client


def taskmanager_client(conf: cfg.ConfigOpts, transport: Transport) -> TaskManagerClient:
    """Make the client of the taskmanagers; their calls are quick ones.

    :raises InvalidConfiguration: for a version cap that is none.
    """
    return TaskManagerClient(transport, conf.rpc.agent_low_timeout, conf.upgrade_levels.taskmanager)
