"""Which instances are in pools."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from slotwright.storage.sqlalchemy.clusters import IS_LIVE
from slotwright.storage.sqlalchemy.tables import instances
from slotwright.storage.sqlalchemy.transactions import Transactional, reads

_MANY = 500  # ids in one query

# Nothing of a row is looked at but its index: with dead ones there may be very many.
_ANY = sa.select(instances.c.id).where(instances.c.pool.is_not(None)).limit(1)
_PROJECTS = sa.select(instances.c.project_id).distinct()
_POOLED = sa.select(instances.c.project_id, instances.c.id, instances.c.pool).where(
    instances.c.pool.is_not(None), IS_LIVE
)


class Pooled(Transactional):
    """See ``slotwright.storage.base.PooledStore``."""

    @reads
    def list_pooled(self, conn: sa.Connection) -> Mapping[str, Mapping[str, str]]:
        if conn.execute(_ANY).first() is None:
            return {}
        found: dict[str, dict[str, str]] = {p: {} for p in conn.execute(_PROJECTS).scalars()}
        for project_id, instance_id, pool in conn.execute(_POOLED):
            found[project_id][instance_id] = pool
        return found

    @reads
    def find_unpooled(
        self, conn: sa.Connection, project_id: str, ids: Collection[str]
    ) -> Collection[str]:
        is_pooled = sa.and_(
            instances.c.project_id == project_id, instances.c.pool.is_not(None), IS_LIVE
        )
        wanted = list(ids)
        found: set[str] = set()
        for start in range(0, len(wanted), _MANY):
            query = sa.select(instances.c.id).where(
                instances.c.id.in_(wanted[start : start + _MANY]), sa.not_(is_pooled)
            )
            found.update(conn.execute(query).scalars())
        return found
