"""Places for new members, chosen in the transaction that inserts them.

Whoever adds members to pools that are bounded takes turns, then counts: two at once can never
both take what is left. Nothing is kept but the members themselves, so what failed or was deleted
has given its room back.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from slotwright.domain.placement import Member, Need, Placement, Used, domain_of
from slotwright.domain.pools import Pool
from slotwright.domain.states import InstanceStatus
from slotwright.storage.base import NewInstance
from slotwright.storage.sqlalchemy import turns
from slotwright.storage.sqlalchemy.quotas import TAKES
from slotwright.storage.sqlalchemy.tables import instances

_MANY = 500  # names in one query

# A tombstone, whose Redis may run still, has its place on a host.
_TAKES = sa.or_(TAKES, instances.c.tombstone)


def wait_for_turn(conn: sa.Connection, placement: Placement | None) -> None:
    """To be called before anything is read, see ``turns``."""
    if placement is not None and placement.is_bounded:
        turns.take(conn, turns.PLACEMENT)


def choose(
    conn: sa.Connection,
    members: Sequence[NewInstance],
    ram: Mapping[str, int],
    placement: Placement | None,
    there: Sequence[Member] = (),
) -> Mapping[str, Pool]:
    """A pool for each new member, by id; none without a placement.

    :param ram: of the members' flavors, in MiB.
    :param there: members that the cluster has, see ``members_of``.
    :raises NoRoom: there is none.
    """
    if placement is None or not members:
        return {}
    names = [pool.name for pool in placement.pools] if placement.is_bounded else []
    needs = [Need(member.id, ram.get(member.flavor_id, 0)) for member in members]
    return placement.choose(needs, _used(conn, names), there)


def columns_of(pool: Pool | None) -> dict[str, object]:
    """What an instance keeps of its pool."""
    if pool is None:
        return {'pool': None, 'pool_uri': None, 'pool_options': {}, 'failure_domain': None}
    return {
        'pool': pool.name,
        'pool_uri': pool.uri,
        'pool_options': dict(pool.options),
        'failure_domain': domain_of(pool),
    }


def used(conn: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, Used]:
    """What instances take of their pools, by pool."""
    query = (
        sa.select(instances.c.pool, sa.func.count(), sa.func.sum(instances.c.ram))
        .where(which, _TAKES)
        .group_by(instances.c.pool)
    )
    return {pool: Used(int(count), int(ram)) for pool, count, ram in conn.execute(query)}


def _used(conn: sa.Connection, names: Sequence[str]) -> dict[str, Used]:
    found = {}
    for start in range(0, len(names), _MANY):
        found.update(used(conn, instances.c.pool.in_(names[start : start + _MANY])))
    return found


def members_of(conn: sa.Connection, cluster_id: str) -> list[Member]:
    """Where the live members of a cluster are."""
    query = sa.select(instances.c.pool, instances.c.failure_domain).where(
        instances.c.cluster_id == cluster_id,
        instances.c.pool.is_not(None),
        instances.c.status != InstanceStatus.DELETED,
    )
    return [Member(row.pool, row.failure_domain or '') for row in conn.execute(query)]
