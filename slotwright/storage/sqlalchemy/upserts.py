"""Insert a row or change the one that is there, in one statement of each database's own."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite


def write(
    conn: sa.Connection, table: sa.Table, row: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Insert ``row``; where its primary key is taken, make ``changes`` there instead.

    Either way the row is locked until the transaction ends. An insert that ignores what is
    there would take a weaker lock or none.
    """
    conn.execute(statement(conn.dialect.name, table, row, changes))


def statement(
    dialect: str, table: sa.Table, row: Mapping[str, Any], changes: Mapping[str, Any]
) -> sa.Insert:
    """What ``write`` executes on such a database, for who keeps it: making it is the dear part."""
    if dialect in ('mysql', 'mariadb'):
        return mysql.insert(table).values(row).on_duplicate_key_update(dict(changes))
    insert = sqlite.insert if dialect == 'sqlite' else postgresql.insert
    return (
        insert(table)
        .values(row)
        .on_conflict_do_update(index_elements=list(table.primary_key), set_=dict(changes))
    )
