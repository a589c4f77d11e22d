"""A report says which attachment it is of, also when that has gone.

The foreign key had all reports of an action changed when the action left a job, which may be the
runs of years; nothing looks for reports by their attachment.

Revision: 0009
Follows: 0008
"""

from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('action_reports') as reports:
        reports.drop_constraint('fk_action_reports_action_attachment', type_='foreignkey')
        reports.drop_index('ix_action_reports_action_attachment')
