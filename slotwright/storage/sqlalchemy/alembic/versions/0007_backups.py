"""Clients, actions, jobs, sessions and backups.

Revision: 0007
Follows: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0007'
down_revision = '0006'
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
UUID = sa.String(36)
NAME = sa.String(255)
USER = sa.String(64)


def upgrade() -> None:
    create_clients()
    create_actions()
    create_jobs()
    create_sessions()
    create_backups()
    create_action_attachments()
    create_job_attachments()
    create_action_reports()
    create_terms()


def create_thing(name: str, identifier: Any, *columns: Any) -> None:
    """A table of things with an id, a version and times."""
    op.create_table(
        name,
        sa.Column('seq', SEQUENCE, autoincrement=True, nullable=False),
        sa.Column('id', identifier, nullable=False),
        sa.Column('project_id', NAME, nullable=False),
        sa.Column('user_id', USER, nullable=False),
        *columns,
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        sa.Column('updated_at', TIME),
        sa.Column('deleted_at', TIME),
        sa.Column('deleted', sa.BigInteger(), nullable=False, server_default='0'),
        sa.PrimaryKeyConstraint('seq', name=f'pk_{name}'),
        sa.UniqueConstraint('project_id', 'id', 'deleted', name=f'uq_{name}_project_id_id_deleted'),
        **INNODB,
    )
    op.create_index(f'ix_{name}_project_id_deleted_seq', name, ['project_id', 'deleted', 'seq'])


def refers(table: str, column: str, target: str) -> Any:
    return sa.ForeignKeyConstraint([column], [f'{target}.seq'], name=f'fk_{table}_{column}')


def create_indexes(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f'ix_{table}_{column}', table, [column])


def create_clients() -> None:
    create_thing(
        'clients',
        NAME,
        sa.Column('uuid', UUID, nullable=False),
        sa.Column('hostname', NAME, nullable=False),
        sa.Column('description', NAME, nullable=False),
        sa.Column('config_id', NAME, nullable=False),
        sa.Column('is_central', sa.Boolean(), nullable=False),
        sa.Column('supported', TEXT, nullable=False),
    )
    create_indexes('clients', 'is_central')


def create_actions() -> None:
    create_thing(
        'actions',
        UUID,
        sa.Column('action', NAME, nullable=False),
        sa.Column('mode', NAME),
        sa.Column('src_file', TEXT),
        sa.Column('backup_name', NAME),
        sa.Column('container', NAME),
        sa.Column('restore_abs_path', TEXT),
        sa.Column('timeout', sa.Integer()),
        sa.Column('priority', sa.Integer()),
        sa.Column('max_retries', sa.Integer(), nullable=False),
        sa.Column('max_retries_interval', sa.Integer(), nullable=False),
        sa.Column('mandatory', sa.Boolean(), nullable=False),
        sa.Column('log_file', TEXT),
        sa.Column('backup_metadata', TEXT, nullable=False),
        sa.Column('inline', sa.Boolean(), nullable=False),
    )


def create_jobs() -> None:
    create_thing(
        'jobs',
        UUID,
        sa.Column('scheduling', TEXT, nullable=False),
        sa.Column('description', NAME, nullable=False),
    )


def create_sessions() -> None:
    create_thing(
        'sessions',
        UUID,
        sa.Column('scheduling', TEXT, nullable=False),
        sa.Column('policy', NAME),
        sa.Column('description', NAME, nullable=False),
        sa.Column('hold_off', sa.Integer(), nullable=False),
        sa.Column('session_tag', sa.Integer(), nullable=False),
        sa.Column('time_start', sa.BigInteger()),
        sa.Column('time_end', sa.BigInteger()),
        sa.Column('time_started', sa.BigInteger()),
        sa.Column('time_ended', sa.BigInteger()),
        sa.Column('status', NAME),
        sa.Column('result', NAME),
    )


def create_backups() -> None:
    create_thing(
        'backups',
        UUID,
        sa.Column('client', sa.BigInteger()),
        sa.Column('job', sa.BigInteger()),
        sa.Column('user_name', USER),
        sa.Column('status', sa.String(16), nullable=False),
        sa.Column('backup_metadata', TEXT, nullable=False),
        refers('backups', 'client', 'clients'),
        refers('backups', 'job', 'jobs'),
    )
    create_indexes('backups', 'client', 'job')


def create_action_attachments() -> None:
    op.create_table(
        'action_attachments',
        sa.Column('id', UUID, nullable=False),
        sa.Column('action', sa.BigInteger(), nullable=False),
        sa.Column('job', sa.BigInteger(), nullable=False),
        sa.Column('project_id', NAME, nullable=False),
        sa.Column('priority', sa.Integer(), nullable=False),
        sa.Column('retries', sa.Integer()),
        sa.Column('retry_interval', sa.Integer()),
        sa.Column('mandatory', sa.Boolean()),
        sa.PrimaryKeyConstraint('id', name='pk_action_attachments'),
        refers('action_attachments', 'action', 'actions'),
        refers('action_attachments', 'job', 'jobs'),
        **INNODB,
    )
    create_indexes('action_attachments', 'action', 'job')


def create_job_attachments() -> None:
    op.create_table(
        'job_attachments',
        sa.Column('id', UUID, nullable=False),
        sa.Column('job', sa.BigInteger(), nullable=False),
        sa.Column('client', sa.BigInteger(), nullable=False),
        sa.Column('session', sa.BigInteger()),
        sa.Column('project_id', NAME, nullable=False),
        sa.Column('event', NAME, nullable=False),
        sa.Column('status', NAME),
        sa.Column('result', NAME),
        sa.Column('current_pid', sa.Integer()),
        sa.Column('session_tag', sa.Integer(), nullable=False),
        sa.Column('session_status', NAME),
        sa.Column('session_result', NAME),
        sa.Column('session_time_started', sa.BigInteger()),
        sa.Column('session_time_ended', sa.BigInteger()),
        sa.PrimaryKeyConstraint('id', name='pk_job_attachments'),
        refers('job_attachments', 'job', 'jobs'),
        refers('job_attachments', 'client', 'clients'),
        refers('job_attachments', 'session', 'sessions'),
        sa.UniqueConstraint('job', name='uq_job_attachments_job'),
        **INNODB,
    )
    create_indexes('job_attachments', 'client', 'session')


def create_action_reports() -> None:
    op.create_table(
        'action_reports',
        sa.Column('id', UUID, nullable=False),
        sa.Column('project_id', NAME, nullable=False),
        sa.Column('action', sa.BigInteger(), nullable=False),
        sa.Column('action_attachment', UUID),
        sa.Column('result', NAME, nullable=False),
        sa.Column('time_elapsed', sa.Double(), nullable=False),
        sa.Column('metadata', TEXT, nullable=False),
        sa.Column('report_date', sa.BigInteger(), nullable=False),
        sa.Column('log', TEXT),
        sa.PrimaryKeyConstraint('id', name='pk_action_reports'),
        refers('action_reports', 'action', 'actions'),
        sa.ForeignKeyConstraint(
            ['action_attachment'],
            ['action_attachments.id'],
            name='fk_action_reports_action_attachment',
            ondelete='SET NULL',
        ),
        **INNODB,
    )
    create_indexes('action_reports', 'action', 'action_attachment')


def create_terms() -> None:
    op.create_table(
        'backup_terms',
        sa.Column('kind', sa.String(8), nullable=False),
        sa.Column('object', sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column('name', sa.String(64), nullable=False),
        sa.Column('value', NAME, nullable=False),
        sa.Column('project_id', NAME, nullable=False),
        sa.PrimaryKeyConstraint('kind', 'object', 'name', name='pk_backup_terms'),
        **INNODB,
    )
    op.create_index(
        'ix_backup_terms_found', 'backup_terms', ['project_id', 'kind', 'name', 'value', 'object']
    )
