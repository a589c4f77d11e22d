"""Reports keep the job they are of, and what was deleted is found by when.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_job()
    for table in ('clients', 'actions', 'jobs', 'sessions', 'backups', 'clusters'):
        op.create_index(f'ix_{table}_deleted_at', table, ['deleted_at'])
    op.create_index('ix_instances_status_updated', 'instances', ['status', 'updated'])


def add_job() -> None:
    """The attachment of a report goes when the job gets other actions; the job stays."""
    with op.batch_alter_table('action_reports') as reports:
        reports.add_column(sa.Column('job', sa.BigInteger()))
        reports.create_foreign_key('fk_action_reports_job', 'jobs', ['job'], ['seq'])
    op.execute(
        'UPDATE action_reports SET job = (SELECT job FROM action_attachments '
        'WHERE action_attachments.id = action_reports.action_attachment)'
    )
    for column in ('action', 'job'):
        columns = [column, 'report_date', 'id']
        op.create_index(f'ix_action_reports_{"_".join(columns)}', 'action_reports', columns)
    # MySQL keeps one for the foreign key, which is the one above by now.
    op.drop_index('ix_action_reports_action', 'action_reports')
