"""Operations: read, shared among workers by lease, changed under the fence, ended."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news, states
from slotwright.domain.clusters import Cluster, Operation
from slotwright.domain.errors import NotFound
from slotwright.domain.events import Kind, NewEvent
from slotwright.domain.states import InstanceStatus, OperationState
from slotwright.storage.base import Claim
from slotwright.storage.sqlalchemy import fence, outbox, records
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.clusters import IS_LIVE, IS_UNFINISHED, assemble
from slotwright.storage.sqlalchemy.tables import clusters, instances, operations
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes

#: Columns whose change is told; the rest is for taskmanagers.
_TOLD = frozenset({'state', 'done', 'total', 'message', 'reason'})


class Operations(Transactional):
    """The operations' part of ``ClusterStore`` and ``WorkStore``."""

    @reads
    def get_operation(self, conn: sa.Connection, project_id: str, operation_id: str) -> Operation:
        query = sa.select(operations).where(
            operations.c.id == operation_id, operations.c.project_id == project_id
        )
        row = conn.execute(query).mappings().first()
        if row is None:
            raise NotFound(f'Operation {operation_id} cannot be found.')
        return records.operation(row)

    @reads
    def list_operations(
        self, conn: sa.Connection, project_id: str, cluster_id: str, limit: int
    ) -> Sequence[Operation]:
        query = (
            sa.select(operations)
            .where(operations.c.cluster_id == cluster_id, operations.c.project_id == project_id)
            .order_by(operations.c.seq.desc())
            .limit(limit)
        )
        return [records.operation(row) for row in conn.execute(query).mappings()]

    @reads
    def list_claimable(self, conn: sa.Connection, limit: int) -> Sequence[str]:
        query = (
            sa.select(operations.c.id)
            .where(_is_claimable(self.clock))
            .order_by(operations.c.seq)
            .limit(limit)
        )
        return conn.execute(query).scalars().all()

    @writes
    def claim(
        self, conn: sa.Connection, operation_id: str, owner: str, lease: float
    ) -> Claim | None:
        this = operations.c.id == operation_id
        found = conn.execute(
            sa.select(operations.c.cluster_id, operations.c.state).where(
                this, _is_claimable(self.clock)
            )
        ).one_or_none()
        if found is None:
            return None
        cluster_id, was = found
        # Everybody locks the cluster before the operation, so nobody waits in a circle.
        epoch = (
            1
            + conn.execute(
                sa.select(clusters.c.epoch).where(clusters.c.id == cluster_id).with_for_update()
            ).scalar_one()
        )
        is_pending = operations.c.state == OperationState.PENDING
        now = self.clock.seconds()
        taken = conn.execute(
            sa.update(operations)
            .where(this, _is_claimable(self.clock))
            # In this order: MySQL lets a later expression see what an earlier one has set.
            .ordered_values(
                (operations.c.spent, _spent(now)),
                (operations.c.renewed_at, now),
                (operations.c.lease_until, now + lease),
                (operations.c.owner, owner),
                (operations.c.epoch, epoch),
                (
                    operations.c.state,
                    sa.case((is_pending, OperationState.RUNNING), else_=operations.c.state),
                ),
                (operations.c.updated, self.clock.utc()),
            )
        )
        if not taken.rowcount:
            return None
        conn.execute(
            sa.update(clusters)
            .where(clusters.c.id == cluster_id)
            .values(epoch=epoch, updated=self.clock.utc())
        )
        if was == OperationState.PENDING:
            outbox.record(conn, self.clock, cluster_id, outbox.of_operation(conn, operation_id))
        return Claim(operation_id, cluster_id, owner, epoch)

    @writes
    def renew(self, conn: sa.Connection, claims: Sequence[Claim], lease: float) -> Sequence[Claim]:
        # The operation's copy of the epoch stands for the cluster's: while an operation is
        # unfinished nothing but a claim of it raises either. Sorted, to lock in one order.
        held = set()
        for claim in sorted(claims, key=lambda c: c.operation_id):
            now = self.clock.seconds()
            renewed = conn.execute(
                sa.update(operations)
                .where(_is_held(claim))
                .ordered_values(
                    (operations.c.spent, _spent(now)),
                    (operations.c.renewed_at, now),
                    (operations.c.lease_until, now + lease),
                )
            )
            if renewed.rowcount:
                held.add(claim)
        return [claim for claim in claims if claim in held]

    @writes
    def release(self, conn: sa.Connection, claim: Claim) -> None:
        """Also ends the claim: nothing more is written under it."""
        fence.end(conn, self.clock, claim)
        _give_up_lease(conn, self.clock, claim)

    @reads
    def load(self, conn: sa.Connection, claim: Claim) -> Cluster:
        query = sa.select(clusters).where(
            clusters.c.id == claim.cluster_id, clusters.c.epoch == claim.epoch
        )
        row = conn.execute(query).mappings().first()
        if row is None:
            raise fence.lost(claim)
        # An unfinished operation is its cluster's newest.
        return assemble(conn, [row])[0]

    @writes
    def update_operation(
        self,
        conn: sa.Connection,
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
        """The state it has already is no move. ``finish`` makes the move to an end.

        :raises ValueError: also for a move to a terminal state.
        """
        fence.hold(conn, self.clock, claim)
        given = {'done': done, 'total': total, 'message': message, 'reason': reason}
        values: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        if state is not None or detail is not None:
            row = _lock(conn, claim)
            if state is not None and state != row['state']:
                if state in states.TERMINAL:
                    raise ValueError(f'{state} is an end: finish the operation')
                values['state'] = _move(row['state'], state)
            if detail is not None:
                values['detail'] = {**row['detail'], **detail}
        if reset_spent:
            values |= {'spent': 0.0, 'renewed_at': self.clock.seconds()}
        conn.execute(
            sa.update(operations)
            .where(operations.c.id == claim.operation_id)
            .values(updated=self.clock.utc(), **values)
        )
        if values.keys() & _TOLD:
            told = outbox.of_operation(conn, claim.operation_id)
            outbox.record(conn, self.clock, claim.cluster_id, told)

    @writes
    def finish(
        self,
        conn: sa.Connection,
        claim: Claim,
        state: OperationState,
        *,
        reason: str | None = None,
        statuses: Mapping[str, InstanceStatus] | None = None,
        faults: Mapping[str, str] | None = None,
        delete_cluster: bool = False,
    ) -> None:
        """Also ends the claim. Of members left at a delete, the placed ones are tombstones.

        :raises ValueError: unless ``state`` is terminal and ``states.TRANSITIONS`` has the
            move.
        """
        if state not in states.TERMINAL:
            raise ValueError(f'{state} is not an end')
        fence.end(conn, self.clock, claim)
        now = self.clock.utc()
        values: dict[str, Any] = {'state': _move(_lock(conn, claim)['state'], state)}
        if reason is not None:
            values['reason'] = reason
        this = operations.c.id == claim.operation_id
        conn.execute(sa.update(operations).where(this).values(updated=now, **values))
        _give_up_lease(conn, self.clock, claim)
        members = partial(
            outbox.of_instances, conn, Kind.INSTANCE_CHANGED, claim.cluster_id, statuses or ()
        )
        before = members()
        _set_statuses(conn, self.clock, claim.cluster_id, statuses or {})
        if faults is not None:
            _set_faults(conn, claim.cluster_id, statuses or {}, faults)
        cluster: dict[str, Any] = {'task_id': states.NONE.id}
        told = outbox.of_operation(conn, claim.operation_id)
        told += [event for event in members() if event not in before]
        if delete_cluster:
            told += _drop_members(conn, self.clock, claim.cluster_id)
            cluster['deleted_at'] = now
            # No agent of it is commanded any more: a tombstone wipes itself without.
            cluster |= {'secret': '', 'tenant_hash': ''}
        this_cluster = clusters.c.id == claim.cluster_id
        conn.execute(sa.update(clusters).where(this_cluster).values(cluster))
        name = conn.execute(sa.select(clusters.c.name).where(this_cluster)).scalar_one()
        kind = Kind.CLUSTER_DELETED if delete_cluster else Kind.CLUSTER_CHANGED
        told.append(news.of_cluster(kind, name, states.NONE))
        outbox.record(conn, self.clock, claim.cluster_id, told, claim.operation_id)


def _is_claimable(clock: Clock) -> sa.ColumnElement[bool]:
    lease_until = operations.c.lease_until
    return sa.and_(IS_UNFINISHED, sa.or_(lease_until.is_(None), lease_until <= clock.seconds()))


def _is_held(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        operations.c.id == claim.operation_id,
        operations.c.owner == claim.owner,
        operations.c.epoch == claim.epoch,
        IS_UNFINISHED,
    )


def _spent(now: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    """``spent`` with the time since the last renewal, but not that after the lease's end."""
    until, since = operations.c.lease_until, operations.c.renewed_at
    end = sa.case((until < now, until), else_=now)
    # Not when nobody held it (NULL), nor when the server's clock was put back.
    held = sa.case((end > since, end - since), else_=0.0)
    total: sa.ColumnElement[float] = operations.c.spent + held
    return total


def _give_up_lease(conn: sa.Connection, clock: Clock, claim: Claim) -> None:
    conn.execute(
        sa.update(operations)
        .where(operations.c.id == claim.operation_id)
        .ordered_values(
            (operations.c.spent, _spent(clock.seconds())),
            (operations.c.renewed_at, None),
            (operations.c.lease_until, None),
            (operations.c.owner, None),
        )
    )


def _lock(conn: sa.Connection, claim: Claim) -> sa.RowMapping:
    """State and detail of the claimed operation."""
    query = (
        sa.select(operations.c.state, operations.c.detail)
        .where(operations.c.id == claim.operation_id)
        .with_for_update()
    )
    return conn.execute(query).mappings().one()


def _move(state: str, following: OperationState) -> OperationState:
    """:raises ValueError: when there is no such move."""
    if following not in states.TRANSITIONS[OperationState(state)]:
        raise ValueError(f'an operation does not move from {state} to {following}')
    return following


def _set_statuses(
    conn: sa.Connection, clock: Clock, cluster_id: str, statuses: Mapping[str, InstanceStatus]
) -> None:
    for status in sorted(set(statuses.values())):
        ids = [instance_id for instance_id, its in statuses.items() if its == status]
        conn.execute(
            sa.update(instances)
            .where(instances.c.cluster_id == cluster_id, instances.c.id.in_(ids), IS_LIVE)
            .values(status=status, updated=clock.utc())
        )


def _set_faults(
    conn: sa.Connection, cluster_id: str, ids: Iterable[str], faults: Mapping[str, str]
) -> None:
    for instance_id in ids:
        conn.execute(
            sa.update(instances)
            .where(instances.c.cluster_id == cluster_id, instances.c.id == instance_id, IS_LIVE)
            .values(fault=faults.get(instance_id))
        )


def _drop_members(conn: sa.Connection, clock: Clock, cluster_id: str) -> list[NewEvent]:
    """Nobody said that these were wiped, so their addresses are not free yet."""
    query = sa.select(instances.c.id).where(instances.c.cluster_id == cluster_id, IS_LIVE)
    left = conn.execute(query).scalars().all()
    conn.execute(
        sa.update(instances)
        .where(instances.c.cluster_id == cluster_id, IS_LIVE)
        .values(
            status=InstanceStatus.DELETED,
            tombstone=instances.c.host.is_not(None),
            updated=clock.utc(),
        )
    )
    return outbox.of_instances(conn, Kind.INSTANCE_DELETED, cluster_id, left)
