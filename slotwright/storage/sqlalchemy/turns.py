"""Writers that have to see each other's names take turns on a row."""

import sqlalchemy as sa

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.sqlalchemy.tables import mgmt_turns

POOLS = 'pools'  # and flavors: neither may have a name of the other
CATALOGUE = 'catalogue'


def take(conn: sa.Connection, name: str) -> None:
    """Hold off all other writers of the family until the transaction ends.

    Always the first statement, so that all that is read after it is current in every
    database. The number grows so that servers which replicate changed rows see two writers
    meet here.

    :raises StorageUnavailable: when the row is lost; without it nobody would wait.
    """
    held = conn.execute(
        sa.update(mgmt_turns).where(mgmt_turns.c.name == name).values(turn=mgmt_turns.c.turn + 1)
    )
    if not held.rowcount:
        raise StorageUnavailable(f'The table mgmt_turns lacks its row {name}: restore it.')
