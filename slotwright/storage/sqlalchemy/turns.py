"""Writers that have to see each other's names take turns on a row."""

import sqlalchemy as sa

from slotwright.storage.sqlalchemy import upserts
from slotwright.storage.sqlalchemy.tables import mgmt_turns

POOLS = 'pools'  # and flavors: neither may have a name of the other
CATALOGUE = 'catalogue'
PLACEMENT = 'placement'  # whoever counts what pools have room for


def take(conn: sa.Connection, name: str) -> None:
    """Hold off all other writers of the family until the transaction ends.

    Always the first statement, so that all that is read after it is current in every
    database. The number grows so that servers which replicate changed rows see two writers
    meet here.
    """
    upserts.write(conn, mgmt_turns, {'name': name, 'turn': 1}, {'turn': mgmt_turns.c.turn + 1})
