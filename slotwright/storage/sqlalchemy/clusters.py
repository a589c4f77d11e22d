"""Clusters: made, taken for an operation, read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news, states
from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.errors import ClusterBusy, NotFound
from slotwright.domain.events import Kind, NewEvent
from slotwright.domain.placement import Placement
from slotwright.domain.quotas import Amounts
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import new_rows, outbox, placing, quotas, records
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.flavors import ram_of
from slotwright.storage.sqlalchemy.tables import clusters, instances, operations
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
        now = self.clock.read(conn)
        ram = ram_of(conn, [member.flavor_id for member in members])
        if quota is not None:
            quotas.require_room(conn, cluster.project_id, members, ram, quota)
        places = placing.choose(conn, members, ram, placement)
        row = new_rows.of_cluster(cluster, operation, len(members), now)
        member_rows = new_rows.of_members(row, members, places, ram, now)
        operation_row = new_rows.of_operation(row, operation, members, now)
        made = new_rows.as_record(row, member_rows, operation_row)
        told = _news(made, Kind.CLUSTER_CREATED, {i.id for i in made.instances})
        conn.execute(new_rows.INSERT_CLUSTER, {**row, 'event_seq': len(told)})
        if member_rows:
            conn.execute(new_rows.INSERT_MEMBERS, member_rows)
        conn.execute(new_rows.INSERT_OPERATION, operation_row)
        outbox.record_first(conn, row, operation_row, told)
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
        now = self.clock.read(conn)
        ram = ram_of(conn, [member.flavor_id for member in members])
        if quota is not None:
            quotas.require_room(conn, project_id, members, ram, quota)
        if members:
            there = placing.members_of(conn, cluster_id) if placement else ()
            places = placing.choose(conn, members, ram, placement, there)
            member_rows = new_rows.of_members(row, members, places, ram, now)
            conn.execute(new_rows.INSERT_MEMBERS, member_rows)
        _require_members(conn, cluster_id, operation.instances)
        operation_row = new_rows.of_operation(row, operation, members, now)
        conn.execute(new_rows.INSERT_OPERATION, operation_row)
        _shut_down(conn, self.clock, cluster_id, operation)
        taken_by = assemble(conn, [row])[0]
        told = _news(taken_by, Kind.CLUSTER_CHANGED, {member.id for member in members})
        outbox.record(conn, self.clock, cluster_id, told, operation.id)
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


def _news(cluster: Cluster, kind: Kind, new: Collection[str]) -> list[NewEvent]:
    """That an operation of a cluster was accepted, of ``new`` members and leaving ones."""
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
    return told


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
