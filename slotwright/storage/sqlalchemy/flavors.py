"""Flavors."""

from collections.abc import Sequence

import sqlalchemy as sa

from slotwright.domain.clusters import Flavor
from slotwright.domain.errors import NotFound
from slotwright.storage.sqlalchemy import records
from slotwright.storage.sqlalchemy.tables import flavors
from slotwright.storage.sqlalchemy.transactions import Transactional, reads


class Flavors(Transactional):
    """See ``slotwright.storage.base.FlavorStore``."""

    @reads
    def list_flavors(self, conn: sa.Connection) -> Sequence[Flavor]:
        rows = conn.execute(sa.select(flavors).order_by(flavors.c.id)).mappings()
        return [records.flavor(row) for row in rows]

    @reads
    def get_flavor(self, conn: sa.Connection, flavor_id: str) -> Flavor:
        query = sa.select(flavors).where(flavors.c.id == flavor_id)
        row = conn.execute(query).mappings().first()
        if row is None:
            raise NotFound(f'Flavor {flavor_id} cannot be found.')
        return records.flavor(row)
