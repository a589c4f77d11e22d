"""The event of a change: its kind, its sentence, and the state it leads to."""

from typing import Any

from slotwright.domain.clusters import Instance, Operation
from slotwright.domain.events import Kind, NewEvent
from slotwright.domain.pools import Pool, PoolFlavor
from slotwright.domain.states import ClusterTask, InstanceStatus, OperationState

_ENDS = {
    OperationState.PENDING: Kind.OPERATION_ACCEPTED,
    OperationState.COMPLETED: Kind.OPERATION_COMPLETED,
    OperationState.FAILED: Kind.OPERATION_FAILED,
}


def of_cluster(kind: Kind, name: str, task: ClusterTask) -> NewEvent:
    """``kind`` is one of the cluster's.

    >>> from slotwright.domain import states
    >>> of_cluster(Kind.CLUSTER_CHANGED, 'cache', states.NONE).message
    'Cluster cache is idle.'
    """
    what = {
        Kind.CLUSTER_CREATED: 'was accepted',
        Kind.CLUSTER_DELETED: 'is deleted',
    }.get(kind)
    if what is None:
        what = 'is idle' if task.name == 'NONE' else f'is {task.name.lower().replace("_", " ")}'
    return NewEvent(kind, f'Cluster {name} {what}.', {'name': name, 'task': task.name})


def of_instance(kind: Kind, instance: Instance) -> NewEvent:
    """``kind`` is one of the instance's."""
    state: dict[str, Any] = {
        'name': instance.name,
        'status': str(instance.status),
        'address': str(instance.address) if instance.address else None,
        'node_id': instance.node_id,
        'running': instance.running,
        'fault': instance.fault,
        'pool': instance.pool,
    }
    return NewEvent(
        kind, f'Instance {instance.name} {_became(kind, instance)}.', state, instance.id
    )


def of_operation(operation: Operation) -> NewEvent:
    """Its kind follows from the operation's state."""
    kind = _ENDS.get(operation.state, Kind.OPERATION_CHANGED)
    progress = f' ({operation.done}/{operation.total})' if operation.total else ''
    what = {
        Kind.OPERATION_ACCEPTED: 'was accepted',
        Kind.OPERATION_COMPLETED: 'is completed',
        Kind.OPERATION_FAILED: f'has failed: {operation.reason or "no reason is known"}',
    }.get(kind, f'is {operation.state}{progress}{": " if operation.message else ""}')
    state = {
        'kind': str(operation.kind),
        'state': str(operation.state),
        'done': operation.done,
        'total': operation.total,
        'message': operation.message,
        'reason': operation.reason,
    }
    if kind is Kind.OPERATION_CHANGED:
        what += operation.message
    sentence = f'Operation {operation.kind} {what}'.rstrip('.') + '.'
    return NewEvent(kind, sentence, state, operation_id=operation.id)


def of_pool(kind: Kind, name: str, pool: Pool | None = None) -> NewEvent:
    """``pool`` as it is now; None when it is deleted."""
    if pool is None:
        return NewEvent(kind, f'Pool {name} is deleted.', {'name': name})
    where = f'at {pool.uri} with weight {pool.weight}'
    flavor = f' for flavor {pool.flavor}' if pool.flavor else ''
    state = {
        'name': name,
        'uri': pool.uri,
        'weight': pool.weight,
        'flavor': pool.flavor,
        'options': dict(pool.options),
    }
    return NewEvent(kind, f'Pool {name} is {where}{flavor}.', state)


def of_flavor(kind: Kind, name: str, flavor: PoolFlavor | None = None) -> NewEvent:
    """``flavor`` as it is now; None when it is deleted."""
    if flavor is None:
        return NewEvent(kind, f'Flavor {name} is deleted.', {'name': name})
    pools = ', '.join(flavor.pools) or 'no pools'
    state = {
        'name': name,
        'project': flavor.project,
        'capabilities': dict(flavor.capabilities),
        'pools': list(flavor.pools),
    }
    return NewEvent(kind, f'Flavor {name} has {pools}.', state)


def _became(kind: Kind, instance: Instance) -> str:
    if kind is Kind.INSTANCE_CREATED:
        where = f' for pool {instance.pool}' if instance.pool else ''
        return f'was accepted{where}'
    if kind is Kind.INSTANCE_PLACED:
        return f'was placed at {instance.address}'
    return 'is deleted' if kind is Kind.INSTANCE_DELETED else _is_now(instance)


def _is_now(instance: Instance) -> str:
    if instance.fault:
        return f'is {instance.status}: {instance.fault}'.rstrip('.')
    if instance.status is InstanceStatus.BUILD:
        return f'is being built, its server is {"up" if instance.running else "not up yet"}'
    if instance.status is InstanceStatus.SHUTDOWN:
        return 'is going to be removed'
    down = ', but its server is down' if instance.running is False else ''
    return f'is {instance.status}{down}'
