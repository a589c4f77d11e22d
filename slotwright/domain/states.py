"""The states of clusters, instances and operations, and the moves between them.

Task ids, names and descriptions are Trove's (trove/cluster/tasks.py), because its
clients print them; the seed's bodies show 1, 2 and so on.
"""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterTask:
    """What a cluster is busy with, as the API shows it."""

    id: int
    name: str
    description: str


NONE = ClusterTask(1, 'NONE', 'No tasks for the cluster.')
BUILDING = ClusterTask(2, 'BUILDING', 'Building the initial cluster.')
DELETING = ClusterTask(3, 'DELETING', 'Deleting the cluster.')
# Known to clients, but never shown: a grow shows BUILDING, as the seed has it.
GROWING = ClusterTask(5, 'GROWING_CLUSTER', 'Increasing the size of the cluster.')
SHRINKING = ClusterTask(6, 'SHRINKING_CLUSTER', 'Decreasing the size of the cluster.')
UPDATING = ClusterTask(9, 'UPDATING_CLUSTER', 'Updating cluster configuration.')

CLUSTER_TASKS = {t.id: t for t in (NONE, BUILDING, DELETING, GROWING, SHRINKING, UPDATING)}


class InstanceStatus(enum.StrEnum):
    """An instance's stored status; the names are Trove's API statuses."""

    BUILD = 'BUILD'
    ACTIVE = 'ACTIVE'
    ERROR = 'ERROR'
    SHUTDOWN = 'SHUTDOWN'
    DELETED = 'DELETED'


#: How the status of an instance moves. It starts as BUILD, and DELETED is for good.
INSTANCE_TRANSITIONS: dict[InstanceStatus, frozenset[InstanceStatus]] = {
    InstanceStatus.BUILD: frozenset(
        {
            InstanceStatus.ACTIVE,
            InstanceStatus.ERROR,
            InstanceStatus.SHUTDOWN,
            InstanceStatus.DELETED,
        }
    ),
    InstanceStatus.ACTIVE: frozenset({InstanceStatus.ERROR, InstanceStatus.SHUTDOWN}),
    InstanceStatus.ERROR: frozenset({InstanceStatus.ACTIVE, InstanceStatus.SHUTDOWN}),
    InstanceStatus.SHUTDOWN: frozenset(
        {InstanceStatus.ACTIVE, InstanceStatus.ERROR, InstanceStatus.DELETED}
    ),
    InstanceStatus.DELETED: frozenset(),
}


class OperationKind(enum.StrEnum):
    """What an accepted request wants done to a cluster."""

    CREATE = 'create'
    GROW = 'grow'
    SHRINK = 'shrink'
    DELETE = 'delete'
    SET_USERS = 'set_users'
    RESET_STATUS = 'reset_status'


class OperationState(enum.StrEnum):
    """Where an operation stands."""

    PENDING = 'pending'
    RUNNING = 'running'
    REVERTING = 'reverting'
    COMPLETED = 'completed'
    FAILED = 'failed'


#: The moves that are allowed; nothing leaves a terminal state.
TRANSITIONS: dict[OperationState, frozenset[OperationState]] = {
    OperationState.PENDING: frozenset({OperationState.RUNNING, OperationState.FAILED}),
    OperationState.RUNNING: frozenset(
        {OperationState.REVERTING, OperationState.COMPLETED, OperationState.FAILED}
    ),
    OperationState.REVERTING: frozenset({OperationState.FAILED}),
    OperationState.COMPLETED: frozenset(),
    OperationState.FAILED: frozenset(),
}

TERMINAL = frozenset(s for s, following in TRANSITIONS.items() if not following)

#: What the cluster shows while an operation of each kind runs. A grow shows BUILDING, as
#: the seed has it.
TASK_OF_KIND = {
    OperationKind.CREATE: BUILDING,
    OperationKind.GROW: BUILDING,
    OperationKind.SHRINK: SHRINKING,
    OperationKind.DELETE: DELETING,
    OperationKind.SET_USERS: UPDATING,
    OperationKind.RESET_STATUS: UPDATING,
}
