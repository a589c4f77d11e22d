"""Events, numbered for each cluster, and the relay that hands them on.

Revision: 0006
Follows: 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0006'
down_revision = '0005'
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


def upgrade() -> None:
    op.add_column(
        'clusters', sa.Column('event_seq', sa.BigInteger(), nullable=False, server_default='0')
    )
    op.create_table(
        'events',
        sa.Column('id', SEQUENCE, autoincrement=True, nullable=False),
        sa.Column('cluster_id', sa.String(36)),
        sa.Column('project_id', sa.String(255)),
        sa.Column('seq', sa.BigInteger(), nullable=False),
        sa.Column('position', sa.BigInteger()),
        sa.Column('kind', sa.String(32), nullable=False),
        sa.Column('message', TEXT, nullable=False),
        sa.Column('state', TEXT, nullable=False),
        sa.Column('instance_id', sa.String(36)),
        sa.Column('operation_id', sa.String(36)),
        sa.Column('request_id', sa.String(255), nullable=False),
        sa.Column('created', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_events'),
        sa.ForeignKeyConstraint(['cluster_id'], ['clusters.id'], name='fk_events_cluster_id'),
        sa.UniqueConstraint('position', name='uq_events_position'),
        sa.UniqueConstraint('cluster_id', 'seq', name='uq_events_cluster_id_seq'),
        **INNODB,
    )
    op.create_index('ix_events_project_id_position', 'events', ['project_id', 'position'])
    op.create_index('ix_events_created', 'events', ['created'])
    relay = op.create_table(
        'event_relay',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('owner', sa.String(255)),
        sa.Column('lease_until', sa.Double()),
        sa.Column('position', sa.BigInteger(), nullable=False),
        sa.Column('handed_on', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_event_relay'),
        **INNODB,
    )
    op.bulk_insert(relay, [{'id': 1, 'position': 0, 'handed_on': 0}])
