"""Flavors of pools in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import news
from slotwright.domain import pools as checks
from slotwright.domain.events import Kind
from slotwright.domain.flavors import SIZES, check_capabilities, id_for, sizes_of
from slotwright.domain.pools import PoolFlavor
from slotwright.storage import management
from slotwright.storage.sqlalchemy import outbox, turns
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.pools import has, tell
from slotwright.storage.sqlalchemy.tables import flavors, mgmt_pools
from slotwright.storage.sqlalchemy.transactions import Database, Transactional, reads, writes

# Instances may be of a flavor that is gone, and its id is nobody else's.
_UNLIST = sa.update(flavors).where(flavors.c.listed).values(listed=False)


class PoolFlavors(Transactional):
    """See ``slotwright.storage.management.FlavorsController``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Clock())

    @reads
    def list(
        self,
        conn: sa.Connection,
        project: str | None = None,
        marker: str | None = None,
        limit: int = management.PAGE,
    ) -> Sequence[PoolFlavor]:
        after = checks.check_page(marker, limit)
        query = _of(checks.check_project(project)).where(flavors.c.name > after)
        query = query.order_by(flavors.c.name)
        return _read(conn, query.limit(limit) if limit else query)

    @writes
    def create(
        self,
        conn: sa.Connection,
        name: str,
        project: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> None:
        checks.check_new_flavor(name, project)
        check_capabilities(capabilities)
        chosen = checks.check_pools(pools)
        turns.take(conn, turns.POOLS)
        _require_name(conn, name, project or '')
        _require_pools(conn, chosen)
        known = _read(conn, _one(name, project))
        if capabilities is None and known:
            capabilities = known[0].capabilities
        row = {'project': project or '', 'listed': True, **_row_of(capabilities or {})}
        changed = sa.update(flavors).where(flavors.c.name == name).values(row)
        if not conn.execute(changed).rowcount:
            conn.execute(sa.insert(flavors).values(id=_new_id(conn, name), name=name, **row))
        _set_pools(conn, self.clock, name, chosen)
        _tell(conn, self.clock, _get(conn, name, None))

    @reads
    def get(self, conn: sa.Connection, name: str, project: str | None = None) -> PoolFlavor:
        return _get(conn, *_checked(name, project))

    @reads
    def exists(self, conn: sa.Connection, name: str, project: str | None = None) -> bool:
        query = _one(*_checked(name, project)).with_only_columns(sa.literal(1))
        return conn.scalar(query) is not None

    @writes
    def update(
        self,
        conn: sa.Connection,
        name: str,
        project: str | None = None,
        *,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> PoolFlavor:
        if capabilities is None and pools is None:
            raise checks.nothing_to_change('capabilities and pools')
        _checked(name, project)
        check_capabilities(capabilities)
        chosen = checks.check_pools(pools)
        turns.take(conn, turns.POOLS)
        _get(conn, name, project)
        _require_pools(conn, chosen)
        if capabilities is not None:
            change = sa.update(flavors).where(flavors.c.name == name)
            conn.execute(change.values(_row_of(capabilities)))
        _set_pools(conn, self.clock, name, chosen)
        changed = _get(conn, name, project)
        _tell(conn, self.clock, changed)
        return changed

    @writes
    def delete(
        self,
        conn: sa.Connection,
        name: str,
        project: str | None = None,
        *,
        release: bool = False,
    ) -> None:
        _checked(name, project)
        turns.take(conn, turns.POOLS)
        gone = _UNLIST.where(flavors.c.name == name)
        if project is not None:
            gone = gone.where(flavors.c.project == project)
        if not conn.execute(gone).rowcount:
            return
        if release:
            _set_pools(conn, self.clock, name, ())
        _tell_gone(conn, self.clock, [name])

    @writes
    def drop_all(self, conn: sa.Connection) -> None:
        turns.take(conn, turns.POOLS)
        names = conn.scalars(_of(None).with_only_columns(flavors.c.name)).all()
        conn.execute(_UNLIST)
        _tell_gone(conn, self.clock, names)


def _tell(conn: sa.Connection, clock: Clock, flavor: PoolFlavor) -> None:
    told = news.of_flavor(Kind.FLAVOR_CHANGED, flavor.name, flavor)
    outbox.record_of_none(conn, clock, [told])


def _tell_gone(conn: sa.Connection, clock: Clock, names: Sequence[str]) -> None:
    told = [news.of_flavor(Kind.FLAVOR_DELETED, name) for name in names]
    outbox.record_of_none(conn, clock, told)


def _checked(name: str, project: str | None) -> tuple[str, str | None]:
    return checks.check_name('flavor', name), checks.check_project(project)


def _of(project: str | None) -> sa.Select[Any]:
    """The flavors of a project; None: all."""
    query = sa.select(flavors).where(flavors.c.listed)
    return query if project is None else query.where(flavors.c.project == project)


def _one(name: str, project: str | None) -> sa.Select[Any]:
    return _of(project).where(flavors.c.name == name)


def _get(conn: sa.Connection, name: str, project: str | None) -> PoolFlavor:
    found = _read(conn, _one(name, project))
    if not found:
        raise management.no_flavor(name)
    return found[0]


def _read(conn: sa.Connection, query: sa.Select[Any]) -> Sequence[PoolFlavor]:
    """The flavors and their pools: two queries, however many there are."""
    rows = conn.execute(query).mappings().all()
    pools: dict[str, list[str]] = {row['name']: [] for row in rows}
    members = (
        sa.select(mgmt_pools.c.flavor, mgmt_pools.c.name)
        .where(mgmt_pools.c.flavor.in_(pools))
        .order_by(mgmt_pools.c.name)
    )
    for flavor, pool in conn.execute(members) if rows else ():
        pools[flavor].append(pool)
    return [
        PoolFlavor(
            row['name'], row['project'] or None, row['capabilities'], tuple(pools[row['name']])
        )
        for row in rows
    ]


def _row_of(capabilities: Mapping[str, Any]) -> dict[str, Any]:
    sizes = sizes_of(capabilities) or dict.fromkeys(SIZES, 0)
    return {'capabilities': dict(capabilities), **sizes}


def _new_id(conn: sa.Connection, name: str) -> str:
    taken = conn.scalar(sa.select(flavors.c.name).where(flavors.c.id == name))
    return id_for(name, {} if taken is None else {taken: name})


def _require_name(conn: sa.Connection, name: str, project: str) -> None:
    """:raises NameCollision: for a name that this project cannot give to a flavor."""
    if has(conn, name):
        raise checks.taken_by('flavor', name, 'a pool')
    if conn.scalar(sa.select(sa.exists().where(flavors.c.listed, flavors.c.project == name))):
        raise checks.taken_by('flavor', name, 'a project with flavors')
    if conn.scalar(sa.select(sa.exists().where(flavors.c.listed, flavors.c.name == project))):
        raise checks.taken_by('project with flavors', project, 'a flavor')
    query = _one(name, None).with_only_columns(flavors.c.project)
    if conn.scalar(query) not in (None, project):
        raise checks.taken_by('flavor', name, "another project's flavor")


def _require_pools(conn: sa.Connection, pools: Sequence[str] | None) -> None:
    if not pools:
        return
    query = sa.select(mgmt_pools.c.name).where(mgmt_pools.c.name.in_(pools))
    known = set(conn.scalars(query))
    for pool in pools:
        if pool not in known:
            raise management.no_pool(pool)


def _set_pools(conn: sa.Connection, clock: Clock, name: str, chosen: Sequence[str] | None) -> None:
    """Make ``chosen`` all that the flavor has; None leaves them as they are."""
    if chosen is None:
        return
    is_chosen = mgmt_pools.c.name.in_(chosen)
    has_it = mgmt_pools.c.flavor.is_not_distinct_from(name)
    others = sa.select(mgmt_pools.c.name).where(is_chosen != has_it)
    changed = conn.scalars(others).all()
    leave = sa.update(mgmt_pools).where(has_it, sa.not_(is_chosen)).values(flavor=None)
    conn.execute(leave)
    if chosen:
        conn.execute(sa.update(mgmt_pools).where(is_chosen).values(flavor=name))
    tell(conn, clock, changed)
