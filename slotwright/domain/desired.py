"""What a cluster should be, made from its records.

The one place that knows what each kind of operation wants, also when it is reverted.
"""

import enum
from dataclasses import dataclass, field

from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.slots import SlotRange
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address


class Goal(enum.Enum):
    """What is wanted of one member."""

    KEEP = 'keep'
    ADD = 'add'
    REMOVE = 'remove'


class OnData(enum.Enum):
    """What to do about a node to remove that owns slots or holds keys."""

    REFUSE = 'refuse'  # the operation fails
    KEEP = 'keep'  # it stays a member
    DROP = 'drop'  # an explicit delete: the data goes with it


@dataclass(frozen=True, slots=True)
class Member:
    """One instance of the cluster, as it is wanted and as the records know it."""

    instance_id: str
    name: str
    goal: Goal
    placed: bool  # it has a host and an address
    address: Address | None = None
    node_id: str | None = None  # as recorded; None when never seen
    slots: SlotRange | None = None  # what a new member shall own


@dataclass(frozen=True, slots=True)
class Desired:
    """What the cluster should be.

    ``serves``: the cluster has (or may have) clients, so no setting is changed for the
    time of forming. ``nudge``: it is time to see after agents that do not answer.
    ``impatient``: stop waiting for them where that is safe. ``users_only``: nothing but the
    tenant's user is to be changed. ``look_only``: what is found is what counts, and nothing is
    changed but what a given up operation left behind.
    """

    members: tuple[Member, ...]
    serves: bool
    tenant_hash: str = field(default='', repr=False)
    on_data: OnData = OnData.REFUSE
    users_only: bool = False
    look_only: bool = False
    nudge: bool = False
    impatient: bool = False


def desired_cluster(
    cluster: Cluster, operation: Operation, *, nudge: bool = False, impatient: bool = False
) -> Desired:
    """Say what ``operation`` wants of the cluster, or its undoing while it is reverted.

    A reverted create takes everything away again; a reverted grow removes what it added,
    but for nodes that own slots by now; a reverted shrink takes back who is left.
    """
    reverting = operation.state is OperationState.REVERTING
    named = set(operation.instance_ids)
    kind = operation.kind
    goals = _GOALS[kind, reverting]
    members = tuple(
        _member(instance, goals[instance.id in named], _slots_of(instance, cluster, operation))
        for instance in cluster.instances
        # A reverted create keeps its members in ERROR, without a place: those are done.
        if instance.address
        or instance.status is not InstanceStatus.ERROR
        or not (kind is OperationKind.CREATE and reverting)
    )
    return Desired(
        members=members,
        serves=kind is not OperationKind.CREATE,
        tenant_hash=cluster.tenant_hash,
        on_data=_ON_DATA.get((kind, reverting), OnData.REFUSE),
        users_only=kind is OperationKind.SET_USERS,
        look_only=kind is OperationKind.RESET_STATUS,
        nudge=nudge,
        impatient=impatient,
    )


_GOALS = {
    # (kind, reverting): (goal of the other members, goal of the named ones)
    (OperationKind.CREATE, False): (Goal.KEEP, Goal.ADD),
    (OperationKind.CREATE, True): (Goal.REMOVE, Goal.REMOVE),
    (OperationKind.GROW, False): (Goal.KEEP, Goal.ADD),
    (OperationKind.GROW, True): (Goal.KEEP, Goal.REMOVE),
    (OperationKind.SHRINK, False): (Goal.KEEP, Goal.REMOVE),
    (OperationKind.SHRINK, True): (Goal.KEEP, Goal.ADD),
    (OperationKind.DELETE, False): (Goal.REMOVE, Goal.REMOVE),
    (OperationKind.DELETE, True): (Goal.REMOVE, Goal.REMOVE),
    (OperationKind.SET_USERS, False): (Goal.KEEP, Goal.KEEP),
    (OperationKind.SET_USERS, True): (Goal.KEEP, Goal.KEEP),
    (OperationKind.RESET_STATUS, False): (Goal.KEEP, Goal.KEEP),
    (OperationKind.RESET_STATUS, True): (Goal.KEEP, Goal.KEEP),
}

_ON_DATA = {
    # Nobody but the agents ever had access to a cluster that was never complete.
    (OperationKind.CREATE, True): OnData.DROP,
    (OperationKind.DELETE, False): OnData.DROP,
    (OperationKind.DELETE, True): OnData.DROP,
    (OperationKind.GROW, True): OnData.KEEP,
}


def _member(instance: Instance, goal: Goal, slots: SlotRange | None) -> Member:
    return Member(
        instance_id=instance.id,
        name=instance.name,
        goal=goal,
        placed=instance.address is not None,
        address=instance.address,
        node_id=instance.node_id,
        slots=slots if goal is Goal.ADD else None,
    )


def _slots_of(instance: Instance, cluster: Cluster, operation: Operation) -> SlotRange | None:
    """What the layout stored with a create gives to the instance, by order of number."""
    layout = operation.detail.get('layout') or ()
    position = [i.id for i in cluster.instances].index(instance.id)
    if operation.kind is not OperationKind.CREATE or position >= len(layout):
        return None
    first, last = layout[position]
    return SlotRange(int(first), int(last))
