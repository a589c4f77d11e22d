"""Quotas, and indexes for what is looked up with them.

Revision: 0002
Follows: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

INNODB: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
}


def upgrade() -> None:
    op.create_table(
        'quotas',
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('instances', sa.Integer()),
        sa.Column('volumes', sa.Integer()),
        sa.Column('ram', sa.Integer()),
        sa.PrimaryKeyConstraint('project_id', name='pk_quotas'),
        **INNODB,
    )
    op.create_index('ix_clusters_project_id_name', 'clusters', ['project_id', 'name'])
    op.create_index('ix_instances_project_id_status', 'instances', ['project_id', 'status'])
