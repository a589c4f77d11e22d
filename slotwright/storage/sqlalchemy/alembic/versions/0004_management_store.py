"""Pools, flavors and the catalogue of the management store.

Revision: 0004
Follows: 0003
"""

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


def upgrade() -> None:
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
    op.create_table(
        'mgmt_flavors',
        sa.Column('name', BYTES, nullable=False),
        sa.Column('project', BYTES, nullable=False),
        sa.Column('capabilities', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('name', name='pk_mgmt_flavors'),
        **INNODB,
    )
    op.create_index('ix_mgmt_flavors_project_name', 'mgmt_flavors', ['project', 'name'])
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
    turns = op.create_table(
        'mgmt_turns',
        sa.Column('name', sa.String(16), nullable=False),
        sa.Column('turn', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('name', name='pk_mgmt_turns'),
        **INNODB,
    )
    op.bulk_insert(turns, [{'name': 'pools', 'turn': 0}, {'name': 'catalogue', 'turn': 0}])
