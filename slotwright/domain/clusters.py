"""The records of the service: flavors, clusters, instances, operations.

Times are naive UTC datetimes, sizes carry their unit in the comment. These are what the
storage hands out and takes; nothing else of a row leaves it.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain.states import ClusterTask, InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address


@dataclass(frozen=True, slots=True)
class Flavor:
    """What an instance is sized by."""

    id: str
    name: str
    ram: int  # MiB
    vcpus: int
    disk: int  # GiB
    ephemeral: int  # GiB


@dataclass(frozen=True, slots=True)
class Instance:
    """One node: a redis-server and its guest agent."""

    id: str
    cluster_id: str
    project_id: str
    name: str
    ordinal: int  # 1, 2, … within the cluster; never used twice
    flavor_id: str
    volume_size: int | None  # GiB
    status: InstanceStatus
    created: datetime.datetime
    updated: datetime.datetime
    address: Address | None = None
    host: str | None = None  # the host that provisioned it
    node_id: str | None = None  # Redis node id, once seen
    volume_used: float | None = None  # GiB
    running: bool | None = None  # what the agent last said of redis-server
    reported: datetime.datetime | None = None  # last heartbeat
    fault: str | None = None
    ram: int = 0  # MiB, what its flavor had when it was made
    pool: str | None = None  # where it was placed; None where there were no pools
    pool_uri: str | None = None  # of the pool as it was then; its scheme names a provisioner
    pool_options: Mapping[str, Any] = field(default_factory=dict)  # of the pool as it was then
    failure_domain: str | None = None  # of the pool: what goes down together


@dataclass(frozen=True, slots=True)
class Operation:
    """One accepted request, and how far it is."""

    id: str
    cluster_id: str
    project_id: str
    kind: OperationKind
    state: OperationState
    request_id: str
    #: instance ids it adds or removes, and what a strategy decided once ('layout').
    detail: Mapping[str, Any]
    created: datetime.datetime
    updated: datetime.datetime
    done: int = 0
    total: int = 0
    message: str = ''
    reason: str | None = None
    spent: float = 0.0  # seconds of leased time

    @property
    def instance_ids(self) -> tuple[str, ...]:
        return tuple(self.detail.get('instances', ()))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with its live members and its newest operation."""

    id: str
    project_id: str
    name: str
    datastore: str
    datastore_version: str
    task: ClusterTask
    created: datetime.datetime
    updated: datetime.datetime
    epoch: int = 0
    locality: str | None = None
    extended_properties: Mapping[str, str] = field(default_factory=dict)
    #: the agents' password on every node; never leaves the control plane.
    secret: str = field(default='', repr=False)
    #: SHA-256 (hex) of the tenant's password, '' while root access is off.
    tenant_hash: str = field(default='', repr=False)
    instances: tuple[Instance, ...] = ()  # by ordinal
    operation: Operation | None = None

    def instance(self, instance_id: str) -> Instance | None:
        return next((i for i in self.instances if i.id == instance_id), None)
