"""Events: read, handed on in order, and forgotten."""

import datetime
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from slotwright.domain.errors import NotFound
from slotwright.domain.events import Event, Kind, NewEvent
from slotwright.storage.sqlalchemy import outbox
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import clusters, event_relay, events
from slotwright.storage.sqlalchemy.transactions import (
    Transactional,
    reads,
    writes,
    writes_quietly,
)

_RELAY = event_relay.c.id == 1

# The relay looks after each write of its process, so what it executes is made once.
_UNNUMBERED = (
    sa.select(events.c.id)
    .where(events.c.position.is_(None))
    .order_by(events.c.id)
    .limit(sa.bindparam('limit'))
)
_IS_NOT_HANDED_ON = events.c.position > (
    sa.select(event_relay.c.handed_on).where(_RELAY).scalar_subquery()
)
_NEWS = (
    sa.select(events.c.id).where(events.c.position.is_(None)).limit(1),
    sa.select(events.c.id).where(_IS_NOT_HANDED_ON).limit(1),
)
_HOW_FAR = sa.select(event_relay.c.position, event_relay.c.handed_on).where(_RELAY)
_NUMBER = (
    sa.update(events)
    .where(events.c.id == sa.bindparam('this'))
    .values(position=sa.bindparam('given'))
)
_NUMBERED = sa.update(event_relay).where(_RELAY).values(position=sa.bindparam('last'))
_NOT_HANDED_ON = (
    sa.select(events)
    .where(events.c.position > sa.bindparam('after'))
    .order_by(events.c.position)
    .limit(sa.bindparam('limit'))
)
_HAND_ON = (
    sa.update(event_relay)
    .where(_RELAY, event_relay.c.owner == sa.bindparam('by'))
    .values(
        handed_on=sa.case(
            (event_relay.c.handed_on < sa.bindparam('upto'), sa.bindparam('upto')),
            else_=event_relay.c.handed_on,
        )
    )
)


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
        return any(conn.execute(news).first() is not None for news in _NEWS)

    @writes_quietly
    def _give_positions(
        self, conn: sa.Connection, owner: str, lease: float, limit: int
    ) -> Sequence[Event] | None:
        lease_of = {'by': owner, 'lease': lease}
        if not conn.execute(self.clock.made(_lease_relay), lease_of).rowcount:
            return None
        relay = conn.execute(_HOW_FAR).one()
        # Of each cluster this sees all up to some number: they were written one after another.
        ids = conn.execute(_UNNUMBERED, {'limit': limit}).scalars().all()
        if ids:
            numbers = [{'this': i, 'given': p} for p, i in enumerate(ids, relay.position + 1)]
            conn.execute(_NUMBER, numbers)
            conn.execute(_NUMBERED, {'last': relay.position + len(ids)})
        return _read(conn, _NOT_HANDED_ON, {'after': relay.handed_on, 'limit': limit})

    @writes_quietly
    def mark_handed_on(self, conn: sa.Connection, owner: str, position: int) -> bool:
        marked = conn.execute(_HAND_ON, {'by': owner, 'upto': position})
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


def _lease_relay(clock: Clock) -> sa.Update:
    """Take or keep the relay; nobody else has it."""
    now = clock.seconds()
    is_free = sa.or_(event_relay.c.lease_until.is_(None), event_relay.c.lease_until <= now)
    owner = sa.bindparam('by', type_=sa.String)
    return (
        sa.update(event_relay)
        .where(_RELAY, sa.or_(event_relay.c.owner == owner, is_free))
        .values(owner=owner, lease_until=now + sa.bindparam('lease', type_=sa.Double))
    )


def _read(
    conn: sa.Connection,
    query: sa.Select[tuple[object, ...]],
    values: Mapping[str, object] | None = None,
) -> list[Event]:
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
        for row in conn.execute(query, values).mappings()
    ]
