"""Enrolled hosts, and addresses that rest after they were given back.

Revision: 0003
Follows: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

INNODB: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
}
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql')
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    create_hosts()
    create_released_addresses()


def create_hosts() -> None:
    op.create_table(
        'hosts',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('pool', sa.String(255), nullable=False),
        sa.Column('machine', sa.String(255), nullable=False),
        sa.Column('ip', sa.String(45), nullable=False),
        sa.Column('port', sa.Integer(), nullable=False),
        sa.Column('bus_port', sa.Integer(), nullable=False),
        sa.Column('ram', sa.Integer(), nullable=False),
        sa.Column('holds', sa.String(36), nullable=False),
        sa.Column('instance_id', sa.String(36)),
        sa.Column('created', TIME, nullable=False),
        sa.Column('announced', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_hosts'),
        sa.ForeignKeyConstraint(['instance_id'], ['instances.id'], name='fk_hosts_instance_id'),
        sa.UniqueConstraint('instance_id', name='uq_hosts_instance_id'),
        **INNODB,
    )
    op.create_index('ix_hosts_pool_id', 'hosts', ['pool', 'id'])


def create_released_addresses() -> None:
    op.create_table(
        'released_addresses',
        sa.Column('id', SEQUENCE, autoincrement=True, nullable=False),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('ip', sa.String(45), nullable=False),
        sa.Column('port', sa.Integer(), nullable=False),
        sa.Column('bus_port', sa.Integer(), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('released', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_released_addresses'),
        sa.ForeignKeyConstraint(
            ['cluster_id'], ['clusters.id'], name='fk_released_addresses_cluster_id'
        ),
        sa.UniqueConstraint('host', 'ip', 'port', name='uq_released_addresses_host_ip_port'),
        **INNODB,
    )
    op.create_index('ix_released_addresses_cluster_id', 'released_addresses', ['cluster_id'])
