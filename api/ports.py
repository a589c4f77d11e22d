"""What the REST daemon is given from outside, as protocols."""

from collections.abc import Callable
from typing import NewType, Protocol

from slotwright.rpc.contract import CommandContext, GuestAgentAPI
from slotwright.storage.backups import BackupStore
from slotwright.storage.base import (
    CensusStore,
    ClusterStore,
    FlavorRegistry,
    FlavorStore,
    QuotaStore,
)
from slotwright.storage.events import EventStore

#: A request's own id, ``req-<uuid>``; on every answer, log line and operation.
RequestId = NewType('RequestId', str)

#: Gives a new unique id (a UUID as text).
Ids = Callable[[], str]

#: Gives a new secret that nobody can guess.
Secrets = Callable[[], str]

#: Waits this many seconds.
Pause = Callable[[float], None]


class Store(
    FlavorStore, FlavorRegistry, QuotaStore, ClusterStore, CensusStore, EventStore, Protocol
):
    """The part of the management data that the API uses."""

    @property
    def backups(self) -> BackupStore: ...


class Guests(Protocol):
    """The way to guest agents, with a short timeout: a caller waits for the answer."""

    def node(self, instance_id: str) -> GuestAgentAPI: ...


class Caller(Protocol):
    """Who asks, what they may do, and under which request id."""

    @property
    def project_id(self) -> str: ...

    @property
    def request_id(self) -> str: ...

    def authorize(self, rule: str) -> None:
        """:raises Forbidden: unless the rule of that name allows it."""


def context_of(caller: Caller, cluster_id: str) -> CommandContext:
    """The RPC context of a request about a cluster; no epoch, so it may only read."""
    return CommandContext(
        request_id=caller.request_id, project_id=caller.project_id, cluster_id=cluster_id
    )
