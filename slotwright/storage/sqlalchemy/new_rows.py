"""Rows of what a request adds: each is inserted as it stands, and read as a record before that.

So nothing that was just written has to be read again. The time of all of them is one that was
read in their transaction.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import states
from slotwright.domain.clusters import Cluster
from slotwright.domain.pools import Pool
from slotwright.domain.states import InstanceStatus, OperationState
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import placing, records
from slotwright.storage.sqlalchemy.tables import clusters, instances, operations

INSERT_CLUSTER = sa.insert(clusters)
INSERT_MEMBERS = sa.insert(instances)
INSERT_OPERATION = sa.insert(operations)

# The columns that are NULL in a new row.
_EMPTY_INSTANCE: records.Row = dict.fromkeys(instances.c.keys())
_EMPTY_OPERATION: records.Row = dict.fromkeys(operations.c.keys())


def of_cluster(
    cluster: NewCluster, operation: NewOperation, size: int, now: datetime.datetime
) -> dict[str, Any]:
    """A cluster of ``size`` members that the operation has; its events are not counted yet."""
    return {
        'id': cluster.id,
        'project_id': cluster.project_id,
        'name': cluster.name,
        'datastore': cluster.datastore,
        'datastore_version': cluster.datastore_version,
        'task_id': states.TASK_OF_KIND[operation.kind].id,
        'epoch': 0,
        'event_seq': 0,
        'member_seq': size,
        'locality': cluster.locality,
        'extended_properties': dict(cluster.extended_properties),
        'secret': cluster.secret,
        'tenant_hash': '',
        'created': now,
        'updated': now,
    }


def of_members(
    cluster: records.Row,
    members: Sequence[NewInstance],
    places: Mapping[str, Pool],
    ram: Mapping[str, int],
    now: datetime.datetime,
) -> list[dict[str, Any]]:
    """New members, the last ones that ``member_seq`` of the cluster's row counts.

    :param places: their pools, by id.
    :param ram: of their flavors, in MiB.
    """
    first = cluster['member_seq'] - len(members) + 1
    return [
        {
            'id': member.id,
            'cluster_id': cluster['id'],
            'project_id': cluster['project_id'],
            'name': f'{cluster["name"]}-member-{ordinal}',
            'ordinal': ordinal,
            'flavor_id': member.flavor_id,
            'volume_size': member.volume_size,
            # A flavor that is not there is refused by the reference to it.
            'ram': ram.get(member.flavor_id, 0),
            **placing.columns_of(places.get(member.id)),
            'status': InstanceStatus.BUILD,
            'created': now,
            'updated': now,
            'tombstone': False,
        }
        for ordinal, member in enumerate(members, first)
    ]


def of_operation(
    cluster: records.Row,
    operation: NewOperation,
    members: Sequence[NewInstance],
    now: datetime.datetime,
) -> dict[str, Any]:
    """An operation that nobody has begun; it is about ``members`` too."""
    about = dict.fromkeys([*operation.instances, *(member.id for member in members)])
    return {
        'id': operation.id,
        'cluster_id': cluster['id'],
        'project_id': cluster['project_id'],
        'kind': operation.kind,
        'state': OperationState.PENDING,
        'request_id': operation.request_id,
        'detail': {'instances': list(about)},
        'created': now,
        'updated': now,
        'done': 0,
        'total': 0,
        'message': '',
        'epoch': cluster['epoch'],
        'spent': 0.0,
    }


def as_record(
    cluster: records.Row, members: Iterable[records.Row], operation: records.Row
) -> Cluster:
    """The cluster that a reader of these rows will find."""
    return records.cluster(
        cluster,
        [records.instance({**_EMPTY_INSTANCE, **member}) for member in members],
        records.operation({**_EMPTY_OPERATION, **operation}),
    )
