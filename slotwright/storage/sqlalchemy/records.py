"""Rows into records. Nothing else of a row leaves the storage."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.states import CLUSTER_TASKS, InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import Address

#: All columns of a row, by name.
Row = sa.RowMapping | Mapping[str, Any]


def cluster(row: Row, instances: Iterable[Instance], operation: Operation | None) -> Cluster:
    """``instances`` by ordinal."""
    return Cluster(
        id=row['id'],
        project_id=row['project_id'],
        name=row['name'],
        datastore=row['datastore'],
        datastore_version=row['datastore_version'],
        task=CLUSTER_TASKS[row['task_id']],
        created=row['created'],
        updated=row['updated'],
        epoch=row['epoch'],
        locality=row['locality'],
        extended_properties=row['extended_properties'],
        secret=row['secret'],
        tenant_hash=row['tenant_hash'],
        instances=tuple(instances),
        operation=operation,
    )


def instance(row: Row) -> Instance:
    return Instance(
        id=row['id'],
        cluster_id=row['cluster_id'],
        project_id=row['project_id'],
        name=row['name'],
        ordinal=row['ordinal'],
        flavor_id=row['flavor_id'],
        volume_size=row['volume_size'],
        ram=row['ram'],
        pool=row['pool'],
        pool_uri=row['pool_uri'],
        pool_options=row['pool_options'],
        failure_domain=row['failure_domain'],
        status=InstanceStatus(row['status']),
        created=row['created'],
        updated=row['updated'],
        address=Address(row['ip'], row['port'], row['bus_port']) if row['host'] else None,
        host=row['host'],
        node_id=row['node_id'],
        volume_used=row['volume_used'],
        running=row['running'],
        reported=row['reported'],
        fault=row['fault'],
    )


def operation(row: Row) -> Operation:
    return Operation(
        id=row['id'],
        cluster_id=row['cluster_id'],
        project_id=row['project_id'],
        kind=OperationKind(row['kind']),
        state=OperationState(row['state']),
        request_id=row['request_id'],
        detail=row['detail'],
        created=row['created'],
        updated=row['updated'],
        done=row['done'],
        total=row['total'],
        message=row['message'],
        reason=row['reason'],
        spent=row['spent'],
    )
