"""Clusters: made, taken for an operation, read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news, states
from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.errors import ClusterBusy, NotFound
from slotwright.domain.events import Kind
from slotwright.domain.placement import Placement
from slotwright.domain.quotas import Amounts
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import outbox, placing, quotas, records
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import clusters, flavors, instances, operations
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes

IS_LIVE = instances.c.status != InstanceStatus.DELETED
IS_UNFINISHED = operations.c.state.in_(
    sorted(state for state in OperationState if state not in states.TERMINAL)
)

# Queries of every GET are made once: building one takes longer than running it.
_IN_PROJECT = sa.and_(
    clusters.c.project_id == sa.bindparam('project_id'), clusters.c.deleted_at.is_(None)
)
_ONE = sa.select(clusters).where(clusters.c.id == sa.bindparam('id'), _IN_PROJECT)
_PAGE = (
    sa.select(clusters)
    .where(clusters.c.id > sa.bindparam('marker'), _IN_PROJECT)
    .order_by(clusters.c.id)
    .limit(sa.bindparam('limit'))
)
_NAMED = (
    sa.select(clusters)
    .where(clusters.c.name == sa.bindparam('name'), _IN_PROJECT)
    .order_by(clusters.c.id)
    .limit(sa.bindparam('limit'))
)
_MEMBERS = (
    sa.select(instances)
    .where(instances.c.cluster_id.in_(sa.bindparam('ids', expanding=True)), IS_LIVE)
    .order_by(instances.c.cluster_id, instances.c.ordinal)
)
_NEWEST_OPERATIONS = sa.select(operations).where(
    operations.c.seq.in_(
        sa.select(sa.func.max(operations.c.seq))
        .where(operations.c.cluster_id.in_(sa.bindparam('ids', expanding=True)))
        .group_by(operations.c.cluster_id)
    )
)


class Clusters(Transactional):
    """See ``slotwright.storage.base.ClusterStore``."""

    @writes
    def create_cluster(
        self,
        conn: sa.Connection,
        cluster: NewCluster,
        members: Sequence[NewInstance],
        operation: NewOperation,
        quota: Amounts | None = None,
        placement: Placement | None = None,
    ) -> Cluster:
        if quota is not None:
            quotas.lock(conn, cluster.project_id)
        placing.wait_for_turn(conn, placement)
        if quota is not None:
            quotas.require_room(conn, cluster.project_id, members, quota)
        conn.execute(
            sa.insert(clusters).values(
                id=cluster.id,
                project_id=cluster.project_id,
                name=cluster.name,
                datastore=cluster.datastore,
                datastore_version=cluster.datastore_version,
                task_id=states.TASK_OF_KIND[operation.kind].id,
                epoch=0,
                member_seq=len(members),
                locality=cluster.locality,
                extended_properties=dict(cluster.extended_properties),
                secret=cluster.secret,
                tenant_hash='',
                created=self.clock.utc(),
                updated=self.clock.utc(),
            )
        )
        row = _get_row(conn, cluster.project_id, cluster.id)
        _insert_members(conn, self.clock, row, members, placement)
        _insert_operation(conn, self.clock, row, operation, members)
        made = assemble(conn, [row])[0]
        _tell(conn, self.clock, made, Kind.CLUSTER_CREATED, [i.id for i in made.instances])
        return made

    @writes
    def begin_operation(
        self,
        conn: sa.Connection,
        project_id: str,
        cluster_id: str,
        operation: NewOperation,
        members: Sequence[NewInstance] = (),
        tenant_hash: str | None = None,
        quota: Amounts | None = None,
        supersedes: Collection[OperationKind] = (),
        placement: Placement | None = None,
    ) -> Cluster:
        if quota is not None:
            quotas.lock(conn, project_id)
        placing.wait_for_turn(conn, placement)
        if supersedes:
            _give_up(conn, self.clock, project_id, cluster_id, supersedes, operation)
        # The compare-and-swap comes before any read: it locks the row for all that follows.
        change: dict[str, Any] = {
            'task_id': states.TASK_OF_KIND[operation.kind].id,
            'member_seq': clusters.c.member_seq + len(members),
            'updated': self.clock.utc(),
        }
        if tenant_hash is not None:
            change['tenant_hash'] = tenant_hash
        taken = conn.execute(
            sa.update(clusters)
            .where(
                clusters.c.id == cluster_id,
                clusters.c.project_id == project_id,
                clusters.c.deleted_at.is_(None),
                clusters.c.task_id == states.NONE.id,
            )
            .values(change)
        )
        row = _get_row(conn, project_id, cluster_id)
        if not taken.rowcount:
            task = states.CLUSTER_TASKS[row['task_id']].name
            raise ClusterBusy(
                'This action cannot be performed on the cluster while the current '
                f"cluster task is '{task}'."
            )
        if quota is not None:
            quotas.require_room(conn, project_id, members, quota)
        _insert_members(conn, self.clock, row, members, placement)
        _require_members(conn, cluster_id, operation.instances)
        _insert_operation(conn, self.clock, row, operation, members)
        _shut_down(conn, self.clock, cluster_id, operation)
        taken_by = assemble(conn, [row])[0]
        _tell(conn, self.clock, taken_by, Kind.CLUSTER_CHANGED, [m.id for m in members])
        return taken_by

    @reads
    def get_cluster(self, conn: sa.Connection, project_id: str, cluster_id: str) -> Cluster:
        return assemble(conn, [_get_row(conn, project_id, cluster_id)])[0]

    @reads
    def find_clusters(
        self, conn: sa.Connection, project_id: str, name: str, limit: int
    ) -> Sequence[Cluster]:
        wanted = {'project_id': project_id, 'name': name, 'limit': limit}
        return assemble(conn, conn.execute(_NAMED, wanted).mappings().all())

    @reads
    def list_clusters(
        self, conn: sa.Connection, project_id: str, limit: int, marker: str | None = None
    ) -> Sequence[Cluster]:
        # No id is empty, so every one comes after ''.
        page = {'project_id': project_id, 'marker': marker or '', 'limit': limit}
        return assemble(conn, conn.execute(_PAGE, page).mappings().all())


def assemble(conn: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[Cluster]:
    """Complete clusters with live members and newest operations: two queries for all."""
    if not rows:
        return []
    ids = [row['id'] for row in rows]
    members = _members_of(conn, ids)
    newest = _newest_operations_of(conn, ids)
    return [records.cluster(r, members.get(r['id'], ()), newest.get(r['id'])) for r in rows]


def _members_of(conn: sa.Connection, ids: Sequence[str]) -> Mapping[str, list[Instance]]:
    found: dict[str, list[Instance]] = {}
    for row in conn.execute(_MEMBERS, {'ids': ids}).mappings():
        found.setdefault(row['cluster_id'], []).append(records.instance(row))
    return found


def _newest_operations_of(conn: sa.Connection, ids: Sequence[str]) -> Mapping[str, Operation]:
    rows = conn.execute(_NEWEST_OPERATIONS, {'ids': ids}).mappings()
    return {row['cluster_id']: records.operation(row) for row in rows}


def _get_row(conn: sa.Connection, project_id: str, cluster_id: str) -> sa.RowMapping:
    row = conn.execute(_ONE, {'id': cluster_id, 'project_id': project_id}).mappings().first()
    if row is None:
        raise NotFound(f'Cluster {cluster_id} cannot be found.')
    return row


def _give_up(
    conn: sa.Connection,
    clock: Clock,
    project_id: str,
    cluster_id: str,
    kinds: Collection[OperationKind],
    following: NewOperation,
) -> None:
    """End the cluster's unfinished operation if it is one of ``kinds``; it has failed then.

    The epoch moves on, so that whoever held it writes nothing any more.
    """
    this = sa.and_(clusters.c.id == cluster_id, clusters.c.project_id == project_id)
    # Everybody locks the cluster before the operation, so nobody waits in a circle.
    conn.execute(sa.update(clusters).where(this).values(updated=clock.utc()))
    given_up = conn.execute(
        sa.update(operations)
        .where(
            operations.c.cluster_id == cluster_id,
            operations.c.project_id == project_id,
            operations.c.kind.in_(sorted(kinds)),
            IS_UNFINISHED,
        )
        .values(
            state=OperationState.FAILED,
            reason=f'given up for a {following.kind} ({following.request_id})',
            updated=clock.utc(),
            owner=None,
            lease_until=None,
            renewed_at=None,
        )
    )
    if given_up.rowcount:
        _tell_given_up(conn, clock, cluster_id)
        change = {'task_id': states.NONE.id, 'epoch': clusters.c.epoch + 1}
        conn.execute(sa.update(clusters).where(this).values(change))


def _tell_given_up(conn: sa.Connection, clock: Clock, cluster_id: str) -> None:
    query = (
        sa.select(operations)
        .where(operations.c.cluster_id == cluster_id)
        .order_by(operations.c.seq.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().one()
    outbox.record(conn, clock, cluster_id, [news.of_operation(records.operation(row))])


def _tell(
    conn: sa.Connection, clock: Clock, cluster: Cluster, kind: Kind, new: Collection[str]
) -> None:
    """Tell that an operation of a cluster was accepted, of ``new`` members and leaving ones."""
    assert cluster.operation is not None
    told = [
        news.of_cluster(kind, cluster.name, cluster.task),
        news.of_operation(cluster.operation),
    ]
    for member in cluster.instances:
        if member.id in new:
            told.append(news.of_instance(Kind.INSTANCE_CREATED, member))
        elif member.status is InstanceStatus.SHUTDOWN:
            told.append(news.of_instance(Kind.INSTANCE_CHANGED, member))
    outbox.record(conn, clock, cluster.id, told, cluster.operation.id)


def _require_members(conn: sa.Connection, cluster_id: str, wanted: Iterable[str]) -> None:
    """:raises NotFound: for the first that is no live member of the cluster."""
    wanted = list(wanted)
    if not wanted:
        return
    query = sa.select(instances.c.id).where(
        instances.c.cluster_id == cluster_id, instances.c.id.in_(wanted), IS_LIVE
    )
    found = set(conn.execute(query).scalars())
    for instance_id in wanted:
        if instance_id not in found:
            raise NotFound(f'Instance {instance_id} does not exist.')


_RAM = sa.select(flavors.c.ram).where(flavors.c.id == sa.bindparam('sized_by')).scalar_subquery()


def _insert_members(
    conn: sa.Connection,
    clock: Clock,
    cluster: sa.RowMapping,
    members: Sequence[NewInstance],
    placement: Placement | None,
) -> None:
    """Insert new members; ``cluster.member_seq`` counts them already."""
    if not members:
        return
    places = placing.choose(conn, cluster['id'], members, placement) if placement else {}
    first = cluster['member_seq'] - len(members) + 1
    conn.execute(
        sa.insert(instances).values(created=clock.utc(), updated=clock.utc(), ram=_RAM),
        [
            {
                'id': member.id,
                'cluster_id': cluster['id'],
                'project_id': cluster['project_id'],
                'name': f'{cluster["name"]}-member-{ordinal}',
                'ordinal': ordinal,
                'flavor_id': member.flavor_id,
                'sized_by': member.flavor_id,
                **placing.columns_of(places.get(member.id)),
                'volume_size': member.volume_size,
                'status': InstanceStatus.BUILD,
                'tombstone': False,
            }
            for ordinal, member in enumerate(members, first)
        ],
    )


def _insert_operation(
    conn: sa.Connection,
    clock: Clock,
    cluster: sa.RowMapping,
    operation: NewOperation,
    members: Sequence[NewInstance],
) -> None:
    about = dict.fromkeys([*operation.instances, *(member.id for member in members)])
    conn.execute(
        sa.insert(operations).values(
            id=operation.id,
            cluster_id=cluster['id'],
            project_id=cluster['project_id'],
            kind=operation.kind,
            state=OperationState.PENDING,
            request_id=operation.request_id,
            detail={'instances': list(about)},
            created=clock.utc(),
            updated=clock.utc(),
            done=0,
            total=0,
            message='',
            epoch=cluster['epoch'],
            spent=0.0,
        )
    )


def _shut_down(conn: sa.Connection, clock: Clock, cluster_id: str, operation: NewOperation) -> None:
    """Show the members that are going to be removed as SHUTDOWN."""
    query = (
        sa.update(instances)
        .where(instances.c.cluster_id == cluster_id, IS_LIVE)
        .values(status=InstanceStatus.SHUTDOWN, updated=clock.utc())
    )
    if operation.kind is OperationKind.SHRINK:
        query = query.where(instances.c.id.in_(operation.instances))
    elif operation.kind is not OperationKind.DELETE:
        return
    conn.execute(query)
