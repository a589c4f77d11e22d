"""What is in the database, looked at behind everybody's back."""

from typing import Any

import sqlalchemy as sa

from slotwright.storage.sqlalchemy.tables import metadata


def select(database: str, table: str, **wanted: Any) -> list[dict[str, Any]]:
    """All rows of a table with these values."""
    engine = sa.create_engine(database)
    columns = metadata.tables[table].c
    query = sa.select(metadata.tables[table]).where(*(columns[k] == v for k, v in wanted.items()))
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
    finally:
        engine.dispose()


def counts(database: str) -> dict[str, int]:
    """How many rows every table has."""
    return {table: len(select(database, table)) for table in metadata.tables}
