"""Flavors as the Trove API has them, and the ids they are known by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain import flavors as domain
from slotwright.domain.clusters import Flavor
from slotwright.domain.errors import NotFound
from slotwright.storage.sqlalchemy import upserts
from slotwright.storage.sqlalchemy.tables import flavors
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes

_SIZED = sa.select(flavors.c.id, flavors.c.name, flavors.c.capabilities).where(flavors.c.listed)
_ONE = _SIZED.where(flavors.c.id == sa.bindparam('id'))
_RAM = sa.select(flavors.c.id, flavors.c.ram).where(
    flavors.c.id.in_(sa.bindparam('ids', expanding=True))
)


class Flavors(Transactional):
    """See ``slotwright.storage.base.FlavorStore`` and ``FlavorRegistry``."""

    @reads
    def list_flavors(self, conn: sa.Connection) -> Sequence[Flavor]:
        return _sized(conn.execute(_SIZED))

    @reads
    def get_flavor(self, conn: sa.Connection, flavor_id: str) -> Flavor:
        found = _sized(conn.execute(_ONE, {'id': flavor_id}))
        if not found:
            raise NotFound(f'Flavor {flavor_id} cannot be found.')
        return found[0]

    def hold_flavor(self, flavor_id: str) -> None:
        """It is in the table that instances refer to."""

    @reads
    def flavor_ids(self, conn: sa.Connection) -> Mapping[str, str]:
        return dict(conn.execute(sa.select(flavors.c.name, flavors.c.id)).all())

    @writes
    def record_flavor(self, conn: sa.Connection, flavor: Flavor) -> None:
        sizes = {name: getattr(flavor, name) for name in domain.SIZES}
        row = {'id': flavor.id, 'name': flavor.name, 'listed': False, 'capabilities': {}, **sizes}
        upserts.write(conn, flavors, row, sizes)


def ram_of(conn: sa.Connection, ids: Collection[str]) -> Mapping[str, int]:
    """MiB that instances made now get, by the id of their flavor; also of those deleted."""
    return dict(conn.execute(_RAM, {'ids': sorted(set(ids))}).all()) if ids else {}


def _sized(found: Iterable[sa.Row[Any]]) -> list[Flavor]:
    rows = list(found)
    return domain.sized(
        {row.name: row.capabilities for row in rows}, {row.name: row.id for row in rows}
    )
