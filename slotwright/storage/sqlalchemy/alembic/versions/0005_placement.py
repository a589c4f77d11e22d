"""The pool that an instance was placed in.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql')


def upgrade() -> None:
    for name in ('pool', 'pool_uri', 'failure_domain'):
        op.add_column('instances', sa.Column(name, sa.String(255)))
    op.add_column('instances', sa.Column('pool_options', TEXT))
    op.create_index('ix_instances_pool_status', 'instances', ['pool', 'status'])
