"""First tables, and the three default flavors.

Revision: 0001
Follows: nothing
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

INNODB: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
}
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql')
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql')
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')

#: MiB of ram, vcpus, GiB of disk, GiB of ephemeral disk.
FLAVORS = [
    {'id': '1', 'name': 'small', 'ram': 512, 'vcpus': 1, 'disk': 5, 'ephemeral': 0},
    {'id': '2', 'name': 'medium', 'ram': 2048, 'vcpus': 2, 'disk': 20, 'ephemeral': 10},
    {'id': '3', 'name': 'large', 'ram': 8192, 'vcpus': 4, 'disk': 80, 'ephemeral': 40},
]


def upgrade() -> None:
    create_flavors()
    create_clusters()
    create_instances()
    create_operations()


def create_flavors() -> None:
    flavors = op.create_table(
        'flavors',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('ram', sa.Integer(), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('disk', sa.Integer(), nullable=False),
        sa.Column('ephemeral', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_flavors'),
        sa.UniqueConstraint('name', name='uq_flavors_name'),
        **INNODB,
    )
    op.bulk_insert(flavors, FLAVORS)


def create_clusters() -> None:
    op.create_table(
        'clusters',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('datastore', sa.String(255), nullable=False),
        sa.Column('datastore_version', sa.String(255), nullable=False),
        sa.Column('task_id', sa.Integer(), nullable=False),
        sa.Column('epoch', sa.BigInteger(), nullable=False),
        sa.Column('member_seq', sa.Integer(), nullable=False),
        sa.Column('locality', sa.String(255)),
        sa.Column('extended_properties', TEXT, nullable=False),
        sa.Column('secret', sa.String(255), nullable=False),
        sa.Column('tenant_hash', sa.String(64), nullable=False),
        sa.Column('created', TIME, nullable=False),
        sa.Column('updated', TIME, nullable=False),
        sa.Column('deleted_at', TIME),
        sa.PrimaryKeyConstraint('id', name='pk_clusters'),
        **INNODB,
    )
    op.create_index('ix_clusters_project_id_id', 'clusters', ['project_id', 'id'])


def create_instances() -> None:
    op.create_table(
        'instances',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('name', sa.String(300), nullable=False),
        sa.Column('ordinal', sa.Integer(), nullable=False),
        sa.Column('flavor_id', sa.String(36), nullable=False),
        sa.Column('volume_size', sa.Integer()),
        sa.Column('status', sa.String(16), nullable=False),
        sa.Column('created', TIME, nullable=False),
        sa.Column('updated', TIME, nullable=False),
        sa.Column('host', sa.String(255)),
        sa.Column('ip', sa.String(45)),
        sa.Column('port', sa.Integer()),
        sa.Column('bus_port', sa.Integer()),
        sa.Column('tombstone', sa.Boolean(), nullable=False),
        sa.Column('node_id', sa.String(40)),
        sa.Column('volume_used', sa.Double()),
        sa.Column('running', sa.Boolean()),
        sa.Column('reported', TIME),
        sa.Column('fault', TEXT),
        sa.PrimaryKeyConstraint('id', name='pk_instances'),
        sa.ForeignKeyConstraint(['cluster_id'], ['clusters.id'], name='fk_instances_cluster_id'),
        sa.ForeignKeyConstraint(['flavor_id'], ['flavors.id'], name='fk_instances_flavor_id'),
        sa.UniqueConstraint('cluster_id', 'ordinal', name='uq_instances_cluster_id_ordinal'),
        sa.UniqueConstraint('host', 'ip', 'port', name='uq_instances_host_ip_port'),
        sa.UniqueConstraint('host', 'ip', 'bus_port', name='uq_instances_host_ip_bus_port'),
        **INNODB,
    )
    op.create_index('ix_instances_project_id_id', 'instances', ['project_id', 'id'])
    op.create_index('ix_instances_flavor_id', 'instances', ['flavor_id'])


def create_operations() -> None:
    op.create_table(
        'operations',
        sa.Column('seq', SEQUENCE, autoincrement=True, nullable=False),
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('kind', sa.String(16), nullable=False),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('request_id', sa.String(255), nullable=False),
        sa.Column('detail', TEXT, nullable=False),
        sa.Column('created', TIME, nullable=False),
        sa.Column('updated', TIME, nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('message', TEXT, nullable=False),
        sa.Column('reason', TEXT),
        sa.Column('owner', sa.String(255)),
        sa.Column('epoch', sa.BigInteger(), nullable=False),
        sa.Column('lease_until', sa.Double()),
        sa.Column('renewed_at', sa.Double()),
        sa.Column('spent', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('seq', name='pk_operations'),
        sa.UniqueConstraint('id', name='uq_operations_id'),
        sa.ForeignKeyConstraint(['cluster_id'], ['clusters.id'], name='fk_operations_cluster_id'),
        **INNODB,
    )
    op.create_index('ix_operations_cluster_id_seq', 'operations', ['cluster_id', 'seq'])
    op.create_index('ix_operations_state_seq', 'operations', ['state', 'seq'])
