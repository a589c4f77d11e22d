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
    if conn.dialect.name in ('mysql', 'mariadb'):
        conn.execute(mysql.insert(table).values(row).on_duplicate_key_update(dict(changes)))
        return
    insert = sqlite.insert if conn.dialect.name == 'sqlite' else postgresql.insert
    conn.execute(
        insert(table)
        .values(row)
        .on_conflict_do_update(index_elements=list(table.primary_key), set_=dict(changes))
    )
