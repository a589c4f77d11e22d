"""Instances: read, placed, dropped, and what their agents report."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain.clusters import Instance
from slotwright.domain.errors import AddressTaken, NotFound
from slotwright.domain.events import Kind
from slotwright.domain.states import InstanceStatus
from slotwright.domain.topology import Address
from slotwright.storage.base import Claim
from slotwright.storage.sqlalchemy import fence, outbox, places, records
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.clusters import IS_LIVE
from slotwright.storage.sqlalchemy.tables import clusters, instances
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


class Instances(Transactional):
    """The instances' part of ``ClusterStore`` and ``WorkStore``."""

    @reads
    def get_instance(self, conn: sa.Connection, project_id: str, instance_id: str) -> Instance:
        query = sa.select(instances).where(
            instances.c.id == instance_id, instances.c.project_id == project_id, IS_LIVE
        )
        row = conn.execute(query).mappings().first()
        if row is None:
            raise NotFound(f'Instance {instance_id} cannot be found.')
        return records.instance(row)

    @reads
    def find_instances(
        self, conn: sa.Connection, project_id: str, name: str, limit: int
    ) -> Sequence[Instance]:
        query = (
            sa.select(instances)
            .where(instances.c.project_id == project_id, instances.c.name == name, IS_LIVE)
            .order_by(instances.c.id)
            .limit(limit)
        )
        return [records.instance(row) for row in conn.execute(query).mappings()]

    @reads
    def list_instances(
        self, conn: sa.Connection, project_id: str | None, limit: int, marker: str | None = None
    ) -> Sequence[Instance]:
        query = sa.select(instances).where(IS_LIVE).order_by(instances.c.id).limit(limit)
        if project_id is not None:
            query = query.where(instances.c.project_id == project_id)
        if marker is not None:
            query = query.where(instances.c.id > marker)
        return [records.instance(row) for row in conn.execute(query).mappings()]

    @reads
    def list_placed(self, conn: sa.Connection, host: str) -> Sequence[Instance]:
        query = sa.select(instances).where(instances.c.host == host).order_by(instances.c.id)
        return [records.instance(row) for row in conn.execute(query).mappings()]

    @reads
    def assigned_cluster(self, conn: sa.Connection, instance_id: str) -> str | None:
        """A failed instance that lost its address is not wanted either."""
        is_wanted = sa.and_(IS_LIVE, instances.c.host.is_not(None))
        query = sa.select(instances.c.cluster_id, is_wanted).where(instances.c.id == instance_id)
        row = conn.execute(query).one_or_none()
        if row is None:
            raise NotFound(f'Instance {instance_id} is not known here.')
        return row[0] if row[1] else None

    @writes
    def set_node_ids(self, conn: sa.Connection, claim: Claim, node_ids: Mapping[str, str]) -> None:
        fence.hold(conn, self.clock, claim)
        changed = []
        for instance_id, node_id in node_ids.items():
            query = _update_member(claim, instance_id).where(
                instances.c.node_id.is_distinct_from(node_id)
            )
            if conn.execute(query.values(node_id=node_id, updated=self.clock.utc())).rowcount:
                changed.append(instance_id)
        _tell(conn, self.clock, claim, Kind.INSTANCE_CHANGED, *changed)

    def place_instance(self, claim: Claim, instance_id: str, host: str, address: Address) -> None:
        try:
            self._place(claim, instance_id, host, address)
        except db_exception.DBDuplicateEntry as error:
            raise AddressTaken(f'{address} on {host} belongs to another instance.') from error

    @writes
    def _place(
        self, conn: sa.Connection, claim: Claim, instance_id: str, host: str, address: Address
    ) -> None:
        fence.hold(conn, self.clock, claim)
        placed = conn.execute(
            _update_member(claim, instance_id)
            .where(IS_LIVE, instances.c.host.is_(None))
            .values(
                host=host,
                ip=address.ip,
                port=address.port,
                bus_port=address.bus_port,
                updated=self.clock.utc(),
            )
        )
        if not placed.rowcount:
            _require_member(conn, claim, instance_id)
        elif places.is_resting(conn, self.clock, host, address, claim.cluster_id, instance_id):
            raise AddressTaken(f'A node of another cluster may still know {address} on {host}.')
        else:
            places.settle(conn, host, address)
            _tell(conn, self.clock, claim, Kind.INSTANCE_PLACED, instance_id)

    @writes
    def drop_instance(
        self, conn: sa.Connection, claim: Claim, instance_id: str, tombstone: bool
    ) -> None:
        fence.hold(conn, self.clock, claim)
        query = _update_member(claim, instance_id)
        dropped = conn.execute(
            query.where(IS_LIVE).values(status=InstanceStatus.DELETED, updated=self.clock.utc())
        )
        if tombstone:
            conn.execute(query.where(instances.c.host.is_not(None)).values(tombstone=True))
        else:
            places.give_back(conn, self.clock, *_is_member(claim, instance_id))
        if dropped.rowcount:
            _tell(conn, self.clock, claim, Kind.INSTANCE_DELETED, instance_id)

    @writes
    def free_instance(
        self, conn: sa.Connection, claim: Claim, instance_id: str, fault: str
    ) -> None:
        fence.hold(conn, self.clock, claim)
        is_other = sa.or_(
            instances.c.status != InstanceStatus.ERROR,
            instances.c.fault.is_distinct_from(fault),
            instances.c.host.is_not(None),
        )
        failed = conn.execute(
            _update_member(claim, instance_id)
            .where(IS_LIVE, is_other)
            .values(status=InstanceStatus.ERROR, fault=fault, updated=self.clock.utc())
        )
        places.give_back(conn, self.clock, *_is_member(claim, instance_id), IS_LIVE)
        if failed.rowcount:
            _tell(conn, self.clock, claim, Kind.INSTANCE_CHANGED, instance_id)

    @writes
    def report(
        self,
        conn: sa.Connection,
        instance_id: str,
        *,
        running: bool,
        node_id: str | None,
        volume_used: float | None,
        wiped: bool,
        fault: str | None = None,
    ) -> None:
        """A node id once known is changed by ``set_node_ids`` only: nothing fences this."""
        said = _Said(running, node_id, fault)
        beat = {'volume_used': volume_used, 'reported': self.clock.utc()}
        if not _knows(conn, instance_id, said, beat):
            _learn(conn, self.clock, instance_id, said, beat)
        if wiped:
            places.give_back(conn, self.clock, instances.c.id == instance_id, instances.c.tombstone)

    @reads
    def list_resting(self, conn: sa.Connection, host: str) -> Sequence[Address]:
        return places.resting(conn, self.clock, host)


def _is_member(claim: Claim, instance_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return instances.c.id == instance_id, instances.c.cluster_id == claim.cluster_id


class _Said(NamedTuple):
    """What an agent reports that is told, if it is news."""

    running: bool
    node_id: str | None
    fault: str | None

    def is_news(self, row: sa.RowMapping) -> bool:
        is_failed = row['status'] == InstanceStatus.ERROR
        return (
            row['running'] != self.running
            or (row['node_id'] is None and self.node_id is not None)
            or (row['fault'] != self.fault and not is_failed)
        )

    def is_known(self) -> sa.ColumnElement[bool]:
        """Whether it is none to a row, as it is when that is written."""
        return sa.and_(
            instances.c.running.is_not_distinct_from(self.running),
            sa.or_(instances.c.node_id.is_not(None), sa.literal(self.node_id is None)),
            sa.or_(
                instances.c.status == InstanceStatus.ERROR,
                instances.c.fault.is_not_distinct_from(self.fault),
            ),
        )


def _knows(conn: sa.Connection, instance_id: str, said: _Said, beat: Mapping[str, Any]) -> bool:
    """Write a heartbeat that says nothing new; False when it does, if only by now."""
    row = _read_live(conn, instance_id)
    if row is None:
        return True
    if said.is_news(row):  # no row is locked yet, see ``_learn``
        return False
    this = sa.and_(instances.c.id == instance_id, IS_LIVE, said.is_known())
    return bool(conn.execute(sa.update(instances).where(this).values(beat)).rowcount)


def _learn(
    conn: sa.Connection, clock: Clock, instance_id: str, said: _Said, beat: Mapping[str, Any]
) -> None:
    """Write what a report says, and tell it unless somebody else did meanwhile."""
    home = sa.select(instances.c.cluster_id).where(instances.c.id == instance_id)
    cluster_id = conn.execute(home).scalar_one()
    # As everybody does: first the cluster, then its members.
    conn.execute(sa.select(clusters.c.id).where(clusters.c.id == cluster_id).with_for_update())
    row = _read_live(conn, instance_id, lock=True)
    if row is None:
        return
    is_failed = row['status'] == InstanceStatus.ERROR
    conn.execute(
        sa.update(instances)
        .where(instances.c.id == instance_id)
        .values(
            **beat,
            running=said.running,
            node_id=row['node_id'] or said.node_id,
            # That of a failed instance says why it failed, and stays.
            fault=row['fault'] if is_failed else said.fault,
        )
    )
    if said.is_news(row):
        told = outbox.of_instances(conn, Kind.INSTANCE_CHANGED, cluster_id, [instance_id])
        outbox.record(conn, clock, cluster_id, told)


def _read_live(
    conn: sa.Connection, instance_id: str, *, lock: bool = False
) -> sa.RowMapping | None:
    """The instance's row, None when it is deleted. Locked, it is current in every database."""
    query = sa.select(instances).where(instances.c.id == instance_id, IS_LIVE)
    return conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()


def _tell(conn: sa.Connection, clock: Clock, claim: Claim, kind: Kind, *ids: str) -> None:
    told = outbox.of_instances(conn, kind, claim.cluster_id, ids)
    outbox.record(conn, clock, claim.cluster_id, told, claim.operation_id)


def _update_member(claim: Claim, instance_id: str) -> sa.Update:
    return sa.update(instances).where(*_is_member(claim, instance_id))


def _require_member(conn: sa.Connection, claim: Claim, instance_id: str) -> None:
    query = sa.select(instances.c.id).where(
        instances.c.id == instance_id, instances.c.cluster_id == claim.cluster_id, IS_LIVE
    )
    if conn.execute(query).first() is None:
        raise NotFound(f'Instance {instance_id} does not exist.')
