"""Migrations on MySQL that were killed in the middle begin again, and leave out what is done.

MySQL commits at each CREATE, ALTER and DROP, and the revision is written after the last of them:
what is killed between two has done a part, of which nothing tells but the tables themselves.
"""

from typing import Any

import sqlalchemy as sa
from alembic.ddl.mysql import MySQLImpl


class RestartingImpl(MySQLImpl):
    """What alembic runs on MySQL and MariaDB once this is imported: it looks before each step.

    Statements that are no DDL have to bear it themselves that they run twice.
    """

    __dialect__ = 'mysql'

    def create_table(self, table: sa.Table, **options: Any) -> None:
        # One with other columns is not ours; MySQL says that it is there.
        wanted = {column.name for column in table.columns}
        if not self._has_table(table.name) or not wanted <= self._columns(table.name):
            super().create_table(table, **options)

    def add_column(self, table_name: str, column: sa.Column[Any], **options: Any) -> None:
        if column.name not in self._columns(table_name):
            super().add_column(table_name, column, **options)

    def create_index(self, index: sa.Index, **options: Any) -> None:
        if index.name not in self._indexes(index):
            super().create_index(index, **options)

    def drop_index(self, index: sa.Index, **options: Any) -> None:
        if index.name in self._indexes(index):
            super().drop_index(index, **options)

    def add_constraint(self, const: Any, **options: Any) -> None:
        if const.name not in self._foreign_keys(const):
            super().add_constraint(const, **options)

    def drop_constraint(self, const: sa.Constraint, **options: Any) -> None:
        is_other = not isinstance(const, sa.ForeignKeyConstraint)
        if is_other or const.name in self._foreign_keys(const):
            super().drop_constraint(const, **options)

    def bulk_insert(self, table: Any, rows: list[dict[str, Any]], multiinsert: bool = True) -> None:
        """The first rows of a table that was just made."""
        there = sa.select(sa.func.count()).select_from(table)
        if not self._database.scalar(there):
            super().bulk_insert(table, rows, multiinsert)

    @property
    def _database(self) -> sa.Connection:
        assert self.connection is not None, 'these migrations run on a database only'
        return self.connection

    @property
    def _inspector(self) -> sa.Inspector:
        """A new one, since it remembers what it saw."""
        return sa.inspect(self._database)

    def _has_table(self, table: str) -> bool:
        return self._inspector.has_table(table)

    def _columns(self, table: str) -> set[str]:
        return {found['name'] for found in self._inspector.get_columns(table)}

    def _indexes(self, index: sa.Index) -> set[Any]:
        assert index.table is not None
        return {found['name'] for found in self._inspector.get_indexes(index.table.name)}

    def _foreign_keys(self, constraint: Any) -> set[Any]:
        """Only of these constraints a restart knows whether they are there."""
        return {found['name'] for found in self._inspector.get_foreign_keys(constraint.table.name)}
