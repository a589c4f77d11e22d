"""What a driver of the management data does, and how safely.

Every method is one transaction: it happens whole or not at all. Times and leases go by the
database's own clock. All raise ``StorageUnavailable`` when the server cannot be reached.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from slotwright.domain.clusters import Cluster, Flavor, Instance, Operation
from slotwright.domain.hosts import Announcement, Host, Shortage
from slotwright.domain.placement import Placement, Used
from slotwright.domain.quotas import Amounts, Usage
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.events import EventStore, RelayStore
from slotwright.storage.purge import PurgeStore

#: ``host`` of instances on enrolled hosts: one network, whatever the machines are called.
INVENTORY = 'inventory://'


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A member to insert; its name and ordinal are given in the transaction."""

    id: str
    flavor_id: str
    volume_size: int | None  # GiB


@dataclass(frozen=True, slots=True)
class NewCluster:
    """A cluster to insert."""

    id: str
    project_id: str
    name: str
    datastore: str
    datastore_version: str
    secret: str = field(repr=False)
    locality: str | None = None
    extended_properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewOperation:
    """What an accepted request wants; ``instances`` names the members it is about."""

    id: str
    kind: OperationKind
    request_id: str
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on an operation: ``epoch`` fences all that it writes."""

    operation_id: str
    cluster_id: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Census:
    """How many there are of what, in all projects; no zeros."""

    clusters: Mapping[str, int]  # by name of their task; NONE: nothing is being done to them
    instances: Mapping[tuple[str, str], int]  # by status, and HEALTHY, CRASHED or UNKNOWN
    operations: Mapping[tuple[str, str], tuple[int, float]]  # by kind and state; leased seconds
    pools: Mapping[str, Used]  # what instances take of them, by name


class CensusStore(Protocol):
    """Counts, for operators."""

    def take_census(self, heard_since: datetime.datetime) -> Census:
        """In a constant number of queries.

        :param heard_since: UTC; who has not reported since then is UNKNOWN.
        """


class FlavorStore(Protocol):
    """Flavors that size an instance, in the order of their ids.

    They are those of the management store (``storage.management``) that have a size.
    """

    def list_flavors(self) -> Sequence[Flavor]: ...

    def get_flavor(self, flavor_id: str) -> Flavor:
        """:raises NotFound: "Flavor <id> cannot be found."."""

    def hold_flavor(self, flavor_id: str) -> None:
        """See that instances can be made of a flavor, before they are.

        :raises NotFound: as ``get_flavor``.
        """


class FlavorRegistry(Protocol):
    """Which ids flavors have; they outlive the flavors, since instances may be of them.

    For a management store that keeps its flavors elsewhere (``storage.flavor_view``).
    """

    def flavor_ids(self) -> Mapping[str, str]:
        """Ids by name, of all flavors there ever were in SQL or that were recorded."""

    def record_flavor(self, flavor: Flavor) -> None:
        """See that instances can be made of it: they get the ram last recorded."""


class QuotaStore(Protocol):
    """What each project may use: ``defaults``, but for the limits stored for it alone."""

    def get_usage(self, project_id: str, defaults: Amounts) -> Usage: ...

    def set_limits(
        self, project_id: str, values: Mapping[str, int | None], defaults: Amounts
    ) -> Usage:
        """Store limits by resource (see ``domain.quotas``); None is the default again."""


class ClusterStore(Protocol):
    """Clusters, instances and operations, as the API needs them.

    Everything is seen through a project: what belongs to another is NotFound. Where
    ``quota`` (the default limits) is given, new members have to fit in what is left of
    the project's; requests at the same time cannot both take it.
    """

    def create_cluster(
        self,
        cluster: NewCluster,
        members: Sequence[NewInstance],
        operation: NewOperation,
        quota: Amounts | None = None,
        placement: Placement | None = None,
    ) -> Cluster:
        """Insert all three; members are named ``<cluster>-member-<n>``, n from 1.

        ``placement`` chooses a pool for each member in the same transaction, so that pools are
        never overfilled; without one, members have no pool.

        :raises OverLimit: "Quota exceeded for resources: ['instances']. …".
        :raises NoRoom: no pools can take all members.
        """

    def begin_operation(
        self,
        project_id: str,
        cluster_id: str,
        operation: NewOperation,
        members: Sequence[NewInstance] = (),
        tenant_hash: str | None = None,
        quota: Amounts | None = None,
        supersedes: Collection[OperationKind] = (),
        placement: Placement | None = None,
    ) -> Cluster:
        """Take an idle cluster for an operation and insert it, with new ``members``.

        ``operation.instances`` are the members it is about (filled with ``members`` for
        a grow): every one must be a live member. Members are numbered on from the last
        number ever given. ``tenant_hash`` replaces the cluster's, when not None. For a
        delete, members turn SHUTDOWN; for a shrink the named ones do. An unfinished
        operation of a kind in ``supersedes`` is given up in favour of this one: it fails,
        and its worker can write nothing any more.

        :raises NotFound: for the cluster ("Cluster <id> cannot be found."), or a member
            ("Instance <id> does not exist.").
        :raises ClusterBusy: while another operation has it ("This action cannot be
            performed on the cluster while the current cluster task is 'BUILDING'.").
        :raises OverLimit, NoRoom: as ``create_cluster``.
        """

    def get_cluster(self, project_id: str, cluster_id: str) -> Cluster:
        """:raises NotFound: "Cluster <id> cannot be found."."""

    def find_clusters(self, project_id: str, name: str, limit: int) -> Sequence[Cluster]:
        """Up to ``limit`` clusters of exactly that name, by id."""

    def list_clusters(
        self, project_id: str, limit: int, marker: str | None = None
    ) -> Sequence[Cluster]:
        """Up to ``limit`` clusters by id, after ``marker`` (exclusive, any string).

        A constant number of queries, whatever the page.
        """

    def get_instance(self, project_id: str, instance_id: str) -> Instance:
        """:raises NotFound: "Instance <id> cannot be found."."""

    def find_instances(self, project_id: str, name: str, limit: int) -> Sequence[Instance]:
        """Up to ``limit`` live instances of exactly that name, by id."""

    def list_instances(
        self, project_id: str | None, limit: int, marker: str | None = None
    ) -> Sequence[Instance]:
        """Up to ``limit`` live instances by id, after ``marker``; None: of all projects."""

    def get_operation(self, project_id: str, operation_id: str) -> Operation:
        """:raises NotFound: "Operation <id> cannot be found."."""

    def list_operations(self, project_id: str, cluster_id: str, limit: int) -> Sequence[Operation]:
        """The newest operations of a cluster (also of a deleted one), newest first."""


class WorkStore(Protocol):
    """Operations as the taskmanagers share them, and what agents report.

    A method that takes a ``Claim`` writes nothing and raises ``LeaseLost`` unless the
    claim's epoch is still the cluster's.
    """

    def list_claimable(self, limit: int) -> Sequence[str]:
        """Ids of unfinished operations that nobody holds, oldest first."""

    def claim(self, operation_id: str, owner: str, lease: float) -> Claim | None:
        """Compare-and-swap: lease it for ``lease`` seconds and raise the cluster's epoch.

        None when it is finished, or somebody else holds it. PENDING turns RUNNING.
        """

    def renew(self, claims: Sequence[Claim], lease: float) -> Sequence[Claim]:
        """Extend the leases and add the time since the last renewal to ``spent``.

        Answers the claims that still hold. A lease that has run out is still ours while
        nobody claimed it since, but the time after its end is not added to ``spent``.
        """

    def release(self, claim: Claim) -> None:
        """Give an unfinished operation back, for anyone to claim at once."""

    def load(self, claim: Claim) -> Cluster:
        """The cluster with its live members and, as ``operation``, the claimed one."""

    def update_operation(
        self,
        claim: Claim,
        *,
        state: OperationState | None = None,
        done: int | None = None,
        total: int | None = None,
        message: str | None = None,
        reason: str | None = None,
        detail: Mapping[str, Any] | None = None,
        reset_spent: bool = False,
    ) -> None:
        """Change what is given; ``detail`` is merged into the stored one.

        :raises ValueError: for a move that ``states.TRANSITIONS`` does not have.
        """

    def set_node_ids(self, claim: Claim, node_ids: Mapping[str, str]) -> None:
        """Record Redis node ids by instance id, as identities."""

    def place_instance(self, claim: Claim, instance_id: str, host: str, address: Address) -> None:
        """Give the instance a host and an address that nobody has.

        Already placed: nothing happens.
        :raises AddressTaken: somebody has the ip and port on that host, or had it and a
            node of its cluster may still name it in its node table (``list_resting``); the
            cluster itself need not wait until its members' ban on a removed node ends.
        """

    def drop_instance(self, claim: Claim, instance_id: str, tombstone: bool) -> None:
        """The instance is no member any more (status DELETED).

        Its address is free again, unless a ``tombstone`` keeps it until the agent
        reports that it wiped itself.
        """

    def free_instance(self, claim: Claim, instance_id: str, fault: str) -> None:
        """Keep a failed instance as a member in ERROR, without host and address."""

    def finish(
        self,
        claim: Claim,
        state: OperationState,
        *,
        reason: str | None = None,
        statuses: Mapping[str, InstanceStatus] | None = None,
        faults: Mapping[str, str] | None = None,
        delete_cluster: bool = False,
    ) -> None:
        """End the operation: cluster task NONE, members' statuses, lease given up.

        ``faults`` by instance id go with the statuses; one without has none any more.
        ``delete_cluster``: the cluster and all members left are gone for the API.
        """

    def report(
        self,
        instance_id: str,
        *,
        running: bool,
        node_id: str | None,
        volume_used: float | None,
        wiped: bool,
        fault: str | None = None,
    ) -> None:
        """Record an agent's heartbeat; ``wiped`` ends a tombstone and frees its address.

        ``fault`` is shown with the instance until a heartbeat comes without one. Unknown
        instances are ignored.
        """

    def assigned_cluster(self, instance_id: str) -> str | None:
        """The cluster an agent works for; None when it is not wanted any more.

        :raises NotFound: for an instance that never was. That is no word to wipe anything:
            the database may be another one, or an old copy.
        """

    def list_placed(self, host: str) -> Sequence[Instance]:
        """Every instance that has an address on ``host``, tombstones included."""

    def list_resting(self, host: str) -> Sequence[Address]:
        """Addresses given back that are not given out again yet.

        One rests while its cluster has a tombstone, whose Redis may run on with the old
        node table; and for ``domain.hosts.ADDRESS_REST`` while its cluster lives, since
        Redis's ban on a forgotten node ends after 60 s.
        """


class HostStore(Protocol):
    """Hosts that enrolled. One not heard of for ``silence`` seconds is silent."""

    def announce(self, said: Announcement, silence: float) -> str | None:
        """Record what an enrolled agent says; answer the instance its host was given to.

        :raises AddressTaken: another host that is not silent has the address.
        :raises Forbidden: the host has an instance, and wants another address.
        """

    def take_hosts(
        self, claim: Claim, group: str, silence: float, *, poolless: bool
    ) -> Shortage | None:
        """Give each member in BUILD that belongs there, and has no place, a host of the group.

        Members of pools at ``inventory://<group>`` belong there, with ``poolless`` those in no
        pool as well. All of them get one, or none. A host is free when nobody has it, it is
        not silent, is clean, and its address does not rest, or only since this cluster itself
        gave it back. None when all have a place.

        :raises LeaseLost: as everywhere; nothing is taken.
        """

    def list_hosts(self) -> Sequence[Host]:
        """All hosts, by group and id."""

    def remove_host(self, host_id: str, silence: float) -> str | None:
        """Forget a silent host that will not come back, and a tombstone on it.

        Answers the instance whose tombstone that was.

        :raises NotFound: for an unknown one.
        :raises Forbidden: it is not silent, or a live cluster has an instance there.
        """


class PooledStore(Protocol):
    """Which instances are in pools, for the catalogue of those."""

    def list_pooled(self) -> Mapping[str, Mapping[str, str]]:
        """Pools of all live instances that are in one, by instance id, by project.

        Every project with rows of instances is there; nothing where no row has a pool. 3 queries.
        """

    def find_unpooled(self, project_id: str, ids: Collection[str]) -> Collection[str]:
        """Which of ``ids`` are ids of instances that are in no pool there.

        They are deleted, were placed without pools, or are another project's.
        """


class ManagementStore(
    FlavorStore,
    FlavorRegistry,
    QuotaStore,
    ClusterStore,
    WorkStore,
    HostStore,
    PooledStore,
    CensusStore,
    EventStore,
    RelayStore,
    PurgeStore,
    Protocol,
):
    """All of it, as one driver offers it."""
