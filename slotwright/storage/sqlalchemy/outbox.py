"""Events, written in the transaction of the change that they tell of.

Whoever records for a cluster holds its row until the commit: so numbers have no gaps, and none
is seen before a smaller one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news
from slotwright.domain.events import Kind, NewEvent
from slotwright.storage.sqlalchemy import records
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import clusters, events, instances, operations

_REQUEST = (
    sa.select(operations.c.request_id)
    .where(operations.c.id == sa.bindparam('asked_by'))
    .scalar_subquery()
)

_INSERT = sa.insert(events)
_THIS = clusters.c.id == sa.bindparam('this')
_COUNT = (
    sa.update(clusters)
    .where(_THIS)
    .values(event_seq=clusters.c.event_seq + sa.bindparam('more', type_=sa.BigInteger))
)
_COUNTED = sa.select(clusters.c.event_seq, clusters.c.project_id).where(_THIS)


def record_first(
    conn: sa.Connection,
    cluster: records.Row,
    operation: records.Row,
    news_of_it: Sequence[NewEvent],
) -> None:
    """Keep the first events of a cluster, whose row counts them already.

    :param operation: the row of what all of them are part of; they have its time.
    """
    conn.execute(
        _INSERT,
        [
            {
                'cluster_id': cluster['id'],
                'project_id': cluster['project_id'],
                'seq': seq,
                **_told(event),
                'operation_id': operation['id'],
                'request_id': operation['request_id'],
                'created': operation['created'],
            }
            for seq, event in enumerate(news_of_it, 1)
        ],
    )


def record(
    conn: sa.Connection,
    clock: Clock,
    cluster_id: str,
    news_of_it: Sequence[NewEvent],
    operation_id: str | None = None,
) -> None:
    """Number the events of a cluster on, and keep them.

    :param operation_id: what all of them are part of.
    """
    if not news_of_it:
        return
    conn.execute(_COUNT, {'this': cluster_id, 'more': len(news_of_it)})
    row = conn.execute(_COUNTED, {'this': cluster_id}).one()
    first = row.event_seq - len(news_of_it) + 1
    conn.execute(
        clock.made(_insert_asked),
        [
            {
                'cluster_id': cluster_id,
                'project_id': row.project_id,
                'seq': seq,
                **_told(event),
                'operation_id': event.operation_id or operation_id,
                'asked_by': event.operation_id or operation_id,
            }
            for seq, event in enumerate(news_of_it, first)
        ],
    )


def _insert_asked(clock: Clock) -> sa.Insert:
    return sa.insert(events).values(created=clock.utc(), request_id=sa.func.coalesce(_REQUEST, ''))


def record_of_none(conn: sa.Connection, clock: Clock, told: Sequence[NewEvent]) -> None:
    """Keep events of pools and flavors, which belong to no cluster and no project."""
    if not told:
        return
    conn.execute(
        sa.insert(events).values(created=clock.utc(), request_id='', seq=0),
        [_told(event) for event in told],
    )


def _told(event: NewEvent) -> dict[str, Any]:
    """The columns of what it tells; the others say of whose it is, and when."""
    return {
        'kind': event.kind,
        'message': event.message,
        'state': dict(event.state),
        'instance_id': event.instance_id,
    }


def of_instances(
    conn: sa.Connection, kind: Kind, cluster_id: str, ids: Iterable[str]
) -> list[NewEvent]:
    """What is told of these members, as they are now."""
    wanted = list(ids)
    if not wanted:
        return []
    query = (
        sa.select(instances)
        .where(instances.c.cluster_id == cluster_id, instances.c.id.in_(wanted))
        .order_by(instances.c.ordinal)
    )
    rows = conn.execute(query).mappings()
    return [news.of_instance(kind, records.instance(row)) for row in rows]


def of_operation(conn: sa.Connection, operation_id: str) -> list[NewEvent]:
    """What is told of the operation, as it is now."""
    query = sa.select(operations).where(operations.c.id == operation_id)
    return [news.of_operation(records.operation(row)) for row in conn.execute(query).mappings()]
