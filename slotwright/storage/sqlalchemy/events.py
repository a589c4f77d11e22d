"""Events: read, handed on in order, and forgotten."""

import datetime
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from slotwright.domain.errors import NotFound
from slotwright.domain.events import Event, Kind, NewEvent
from slotwright.storage.sqlalchemy import outbox
from slotwright.storage.sqlalchemy.tables import clusters, event_relay, events
from slotwright.storage.sqlalchemy.transactions import (
    Transactional,
    reads,
    writes,
    writes_quietly,
)

_RELAY = event_relay.c.id == 1


class Events(Transactional):
    """See ``slotwright.storage.events.EventStore`` and ``RelayStore``."""

    @reads
    def list_cluster_events(
        self, conn: sa.Connection, project_id: str, cluster_id: str, after: int, limit: int
    ) -> Sequence[Event]:
        query = (
            sa.select(events)
            .where(
                events.c.cluster_id == cluster_id,
                events.c.project_id == project_id,
                events.c.seq > after,
            )
            .order_by(events.c.seq)
            .limit(limit)
        )
        found = _read(conn, query)
        if not found:
            _last_seq(conn, project_id, cluster_id)
        return found

    @reads
    def last_seq(self, conn: sa.Connection, project_id: str, cluster_id: str) -> int:
        return _last_seq(conn, project_id, cluster_id)

    @reads
    def list_events(
        self, conn: sa.Connection, project_id: str | None, after: int, limit: int
    ) -> Sequence[Event]:
        query = sa.select(events).where(events.c.position > after)
        if project_id is not None:
            query = query.where(events.c.project_id == project_id)
        return _read(conn, query.order_by(events.c.position).limit(limit))

    @reads
    def last_position(self, conn: sa.Connection) -> int:
        position = conn.execute(sa.select(event_relay.c.position).where(_RELAY)).scalar_one()
        return int(position)

    @writes
    def record_of_none(self, conn: sa.Connection, told: Sequence[NewEvent]) -> None:
        outbox.record_of_none(conn, self.clock, told)

    def take_events(self, owner: str, lease: float, limit: int) -> Sequence[Event] | None:
        # A look costs little; most of the time there is nothing to lease the relay for.
        if not self._has_new():
            return []
        return self._give_positions(owner, lease, limit)

    @reads
    def _has_new(self, conn: sa.Connection) -> bool:
        handed_on = sa.select(event_relay.c.handed_on).where(_RELAY).scalar_subquery()
        for is_new in (events.c.position.is_(None), events.c.position > handed_on):
            if conn.execute(sa.select(events.c.id).where(is_new).limit(1)).first() is not None:
                return True
        return False

    @writes_quietly
    def _give_positions(
        self, conn: sa.Connection, owner: str, lease: float, limit: int
    ) -> Sequence[Event] | None:
        now = self.clock.seconds()
        is_free = sa.or_(event_relay.c.lease_until.is_(None), event_relay.c.lease_until <= now)
        taken = conn.execute(
            sa.update(event_relay)
            .where(_RELAY, sa.or_(event_relay.c.owner == owner, is_free))
            .values(owner=owner, lease_until=now + lease)
        )
        if not taken.rowcount:
            return None
        relay = conn.execute(
            sa.select(event_relay.c.position, event_relay.c.handed_on).where(_RELAY)
        ).one()
        # Of each cluster this sees all up to some number: they were written one after another.
        new = sa.select(events.c.id).where(events.c.position.is_(None)).order_by(events.c.id)
        ids = conn.execute(new.limit(limit)).scalars().all()
        if ids:
            conn.execute(
                sa.update(events)
                .where(events.c.id == sa.bindparam('this'))
                .values(position=sa.bindparam('given')),
                [{'this': i, 'given': p} for p, i in enumerate(ids, relay.position + 1)],
            )
            last = relay.position + len(ids)
            conn.execute(sa.update(event_relay).where(_RELAY).values(position=last))
        query = sa.select(events).where(events.c.position > relay.handed_on)
        return _read(conn, query.order_by(events.c.position).limit(limit))

    @writes_quietly
    def mark_handed_on(self, conn: sa.Connection, owner: str, position: int) -> bool:
        marked = conn.execute(
            sa.update(event_relay)
            .where(_RELAY, event_relay.c.owner == owner)
            .values(
                handed_on=sa.case(
                    (event_relay.c.handed_on < position, position),
                    else_=event_relay.c.handed_on,
                )
            )
        )
        return bool(marked.rowcount)

    def call_after_writes(self, function: Callable[[], None]) -> None:
        self.database.written = function

    @writes_quietly
    def forget_events(self, conn: sa.Connection, before: datetime.datetime, limit: int) -> int:
        handed_on = conn.execute(sa.select(event_relay.c.handed_on).where(_RELAY)).scalar_one()
        old = (
            sa.select(events.c.id)
            .where(events.c.created < before, events.c.position <= handed_on)
            .order_by(events.c.id)
            .limit(limit)
        )
        ids = conn.execute(old).scalars().all()
        conn.execute(sa.delete(events).where(events.c.id.in_(ids)))
        return len(ids)


def _last_seq(conn: sa.Connection, project_id: str, cluster_id: str) -> int:
    """:raises NotFound: when there never was such a cluster."""
    query = sa.select(clusters.c.event_seq).where(
        clusters.c.id == cluster_id, clusters.c.project_id == project_id
    )
    seq = conn.execute(query).scalar()
    if seq is None:
        raise NotFound(f'Cluster {cluster_id} cannot be found.')
    return int(seq)


def _read(conn: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Event]:
    return [
        Event(
            seq=row['seq'],
            position=row['position'],
            kind=Kind(row['kind']),
            message=row['message'],
            state=row['state'],
            created=row['created'],
            project_id=row['project_id'],
            cluster_id=row['cluster_id'],
            instance_id=row['instance_id'],
            operation_id=row['operation_id'],
            request_id=row['request_id'],
        )
        for row in conn.execute(query).mappings()
    ]
