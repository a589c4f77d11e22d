"""Pools in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news
from slotwright.domain import pools as checks
from slotwright.domain.events import Kind
from slotwright.domain.pools import Pool
from slotwright.storage import management
from slotwright.storage.sqlalchemy import outbox, turns
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import flavors, mgmt_pools
from slotwright.storage.sqlalchemy.transactions import Database, Transactional, reads, writes

_ALL = sa.select(mgmt_pools).order_by(mgmt_pools.c.name)

_ANY = sa.select(mgmt_pools.c.name).limit(1)
_OF_FLAVOR = mgmt_pools.c.flavor == sa.bindparam('flavor')
_HAS_POOLS = sa.select(mgmt_pools.c.name).where(_OF_FLAVOR).correlate(None).exists()
_SERVING = _ALL.where(
    sa.or_(_OF_FLAVOR, sa.and_(mgmt_pools.c.flavor.is_(None), sa.not_(_HAS_POOLS)))
)


class Pools(Transactional):
    """See ``slotwright.storage.management.PoolsController``."""

    def __init__(self, database: Database, capabilities: management.SchemeCapabilities) -> None:
        super().__init__(database, Clock())
        self._capabilities = capabilities

    @reads
    def list(
        self, conn: sa.Connection, marker: str | None = None, limit: int = management.PAGE
    ) -> Sequence[Pool]:
        query = _ALL.where(mgmt_pools.c.name > checks.check_page(marker, limit))
        return _read(conn, query.limit(limit) if limit else query)

    @writes
    def create(
        self,
        conn: sa.Connection,
        name: str,
        weight: int,
        uri: str,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        new = checks.new_pool(name, weight, uri, flavor, options)
        checks.to_json('options', options)
        turns.take(conn, turns.POOLS)
        if _is_flavor(conn, name):
            raise checks.taken_by('pool', name, 'a flavor')
        _require_flavor_name(conn, new.flavor)
        row = {'uri': uri, 'weight': weight, 'flavor': new.flavor, 'options': dict(options or {})}
        changed = sa.update(mgmt_pools).where(mgmt_pools.c.name == name).values(row)
        if not conn.execute(changed).rowcount:
            conn.execute(sa.insert(mgmt_pools).values(name=name, **row))
        tell(conn, self.clock, [name])

    @reads
    def get_pools_by_flavor(self, conn: sa.Connection, flavor: str | None = None) -> Sequence[Pool]:
        wanted = None if flavor is None else checks.check_name('flavor', flavor)
        return _read(conn, _ALL.where(mgmt_pools.c.flavor == wanted))

    @reads
    def find_serving(self, conn: sa.Connection, flavor: str | None) -> Sequence[Pool] | None:
        wanted = None if flavor is None else checks.check_name('flavor', flavor)
        found = _read(conn, _SERVING, {'flavor': wanted})
        return found if found or conn.scalar(_ANY) is not None else None

    @reads
    def get(self, conn: sa.Connection, name: str) -> Pool:
        return _get(conn, checks.check_name('pool', name))

    @reads
    def exists(self, conn: sa.Connection, name: str) -> bool:
        return has(conn, checks.check_name('pool', name))

    @writes
    def update(
        self,
        conn: sa.Connection,
        name: str,
        *,
        weight: int | None = None,
        uri: str | None = None,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Pool:
        checks.check_pool_change(name, weight, uri, flavor, options)
        checks.to_json('options', options)
        turns.take(conn, turns.POOLS)
        old = _get(conn, name)
        _require_flavor_name(conn, flavor)
        conn.execute(
            sa.update(mgmt_pools)
            .where(mgmt_pools.c.name == name)
            .values(
                uri=old.uri if uri is None else uri,
                weight=old.weight if weight is None else weight,
                flavor=old.flavor if flavor is None else flavor or None,
                options=dict(old.options if options is None else options),
            )
        )
        tell(conn, self.clock, [name])
        return _get(conn, name)

    @writes
    def delete(self, conn: sa.Connection, name: str) -> None:
        checks.check_name('pool', name)
        turns.take(conn, turns.POOLS)
        flavor = conn.scalar(
            sa.select(mgmt_pools.c.flavor)
            .join(flavors, flavors.c.name == mgmt_pools.c.flavor)
            .where(mgmt_pools.c.name == name, flavors.c.listed)
        )
        if flavor is not None and _count(conn, flavor) == 1:
            raise management.in_use(name, flavor)
        if conn.execute(sa.delete(mgmt_pools).where(mgmt_pools.c.name == name)).rowcount:
            _tell_gone(conn, self.clock, [name])

    @writes
    def drop_all(self, conn: sa.Connection) -> None:
        turns.take(conn, turns.POOLS)
        names = conn.scalars(_ALL.with_only_columns(mgmt_pools.c.name)).all()
        conn.execute(sa.delete(mgmt_pools))
        _tell_gone(conn, self.clock, names)

    @reads
    def capabilities(
        self, conn: sa.Connection, flavor: str | None = None, name: str | None = None
    ) -> Sequence[str]:
        query = sa.select(mgmt_pools.c.uri).order_by(mgmt_pools.c.name).limit(1)
        if name is not None:
            query = query.where(mgmt_pools.c.name == checks.check_name('pool', name))
        elif flavor is not None:
            query = query.where(mgmt_pools.c.flavor == checks.check_name('flavor', flavor))
        uri = conn.scalar(query)
        return () if uri is None else tuple(self._capabilities(management.scheme_of(uri)))


def has(conn: sa.Connection, name: str) -> bool:
    """Whether there is a pool of that name."""
    return conn.scalar(sa.select(sa.exists().where(mgmt_pools.c.name == name))) or False


def tell(conn: sa.Connection, clock: Clock, names: Sequence[str]) -> None:
    """Record that these pools are as they are now."""
    changed = _read(conn, _ALL.where(mgmt_pools.c.name.in_(names)))
    told = [news.of_pool(Kind.POOL_CHANGED, pool.name, pool) for pool in changed]
    outbox.record_of_none(conn, clock, told)


def _tell_gone(conn: sa.Connection, clock: Clock, names: Sequence[str]) -> None:
    told = [news.of_pool(Kind.POOL_DELETED, name) for name in names]
    outbox.record_of_none(conn, clock, told)


def _is_flavor(conn: sa.Connection, name: str) -> bool:
    """Whether a flavor has the name, or a pool says that it has such a flavor."""
    named = sa.exists().where(flavors.c.name == name, flavors.c.listed)
    used = sa.exists().where(mgmt_pools.c.flavor == name)
    return conn.scalar(sa.select(sa.or_(named, used))) or False


def _require_flavor_name(conn: sa.Connection, flavor: str | None) -> None:
    if flavor and has(conn, flavor):
        raise checks.taken_by('flavor', flavor, 'a pool')


def _count(conn: sa.Connection, flavor: str) -> int:
    query = sa.select(sa.func.count()).where(mgmt_pools.c.flavor == flavor)
    return conn.scalar(query) or 0


def _get(conn: sa.Connection, name: str) -> Pool:
    found = _read(conn, sa.select(mgmt_pools).where(mgmt_pools.c.name == name))
    if not found:
        raise management.no_pool(name)
    return found[0]


def _read(
    conn: sa.Connection, query: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> Sequence[Pool]:
    return [Pool(**row) for row in conn.execute(query, values).mappings()]
