"""Pools and the catalogue of the management store; its flavors are those there are.

Revision: 0004
Follows: 0003
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

INNODB: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
}
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql')
BYTES = sa.String(255).with_variant(postgresql.VARCHAR(255, collation='C'), 'postgresql')


#: MiB of ram, vcpus, GiB of disk, GiB of ephemeral disk.
SIZES = ('ram', 'vcpus', 'disk', 'ephemeral')


def upgrade() -> None:
    create_pools()
    create_catalogue()
    create_turns()
    extend_flavors()
    extend_instances()


def create_pools() -> None:
    op.create_table(
        'mgmt_pools',
        sa.Column('name', BYTES, nullable=False),
        sa.Column('uri', sa.String(255), nullable=False),
        sa.Column('weight', sa.BigInteger(), nullable=False),
        sa.Column('flavor', BYTES),
        sa.Column('options', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('name', name='pk_mgmt_pools'),
        **INNODB,
    )
    op.create_index('ix_mgmt_pools_flavor_name', 'mgmt_pools', ['flavor', 'name'])


def create_catalogue() -> None:
    op.create_table(
        'mgmt_catalogue',
        sa.Column('project', BYTES, nullable=False),
        sa.Column('queue', BYTES, nullable=False),
        sa.Column('entry', sa.String(511), nullable=False),
        sa.Column('pool', sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint('project', 'queue', name='pk_mgmt_catalogue'),
        sa.UniqueConstraint('entry', name='uq_mgmt_catalogue_entry'),
        **INNODB,
    )


def create_turns() -> None:
    op.create_table(
        'mgmt_turns',
        sa.Column('name', sa.String(16), nullable=False),
        sa.Column('turn', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('name', name='pk_mgmt_turns'),
        **INNODB,
    )


def extend_flavors() -> None:
    """The flavors there are become flavors of the management store, of no project."""
    op.add_column('flavors', sa.Column('project', BYTES, nullable=False, server_default=''))
    op.add_column('flavors', sa.Column('capabilities', TEXT))
    op.add_column(
        'flavors', sa.Column('listed', sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_index('ix_flavors_project_name', 'flavors', ['project', 'name'])
    if op.get_bind().dialect.name == 'postgresql':
        op.alter_column('flavors', 'name', type_=BYTES)
    connection = op.get_bind()
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in ('id', *SIZES, 'capabilities')
    ]
    flavors = sa.table('flavors', *columns)
    for row in connection.execute(sa.select(flavors)).mappings().all():
        capabilities = json.dumps({name: row[name] for name in SIZES}, separators=(',', ':'))
        connection.execute(
            sa.update(flavors).where(flavors.c.id == row['id']).values(capabilities=capabilities)
        )


def extend_instances() -> None:
    """An instance keeps the ram it was made with: from now on flavors may change."""
    op.add_column('instances', sa.Column('ram', sa.Integer(), nullable=False, server_default='0'))
    op.execute(
        'UPDATE instances SET ram = '
        '(SELECT flavors.ram FROM flavors WHERE flavors.id = instances.flavor_id)'
    )
