"""The tables of backups: seed 003's relations with seed 004's columns, see doc/backups.md.

``id`` is what the API calls a thing, ``seq`` its row: foreign keys hold the latter, and lists are
in its order, which is that of creation. A deleted row stays, since reports and backups refer to
it: ``deleted`` is 0, or then its ``seq`` (as oslo.db's soft deletion has it), so that the id is
free.
"""

from typing import Any

import sqlalchemy as sa

from slotwright.storage.sqlalchemy import tables
from slotwright.storage.sqlalchemy.tables import (
    INNODB,
    NAME,
    SEQUENCE,
    TEXT,
    TIME,
    UUID,
    Json,
)

#: The one of all tables.
metadata: sa.MetaData = tables.metadata

USER = sa.String(64)


def _table(name: str, identifier: sa.String, *columns: Any) -> sa.Table:
    """What all things have, and ``columns``."""
    return sa.Table(
        name,
        metadata,
        sa.Column('seq', SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column('id', identifier, nullable=False),
        sa.Column('project_id', NAME, nullable=False),
        sa.Column('user_id', USER, nullable=False),
        *columns,
        # Grows with every change.
        sa.Column('version', sa.Integer, nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        sa.Column('updated_at', TIME),
        sa.Column('deleted_at', TIME),
        sa.Column('deleted', sa.BigInteger, nullable=False, server_default='0'),
        sa.UniqueConstraint('project_id', 'id', 'deleted'),
        sa.Index(None, 'project_id', 'deleted', 'seq'),
        sa.Index(None, 'deleted_at'),
        **INNODB,
    )


def _refers(column: str, table: str, nullable: bool = False) -> Any:
    return sa.Column(
        column, sa.BigInteger, sa.ForeignKey(f'{table}.seq'), nullable=nullable, index=True
    )


clients = _table(
    'clients',
    NAME,
    sa.Column('uuid', UUID, nullable=False),
    sa.Column('hostname', NAME, nullable=False),
    sa.Column('description', NAME, nullable=False),
    sa.Column('config_id', NAME, nullable=False),
    sa.Column('is_central', sa.Boolean, nullable=False, index=True),
    sa.Column('supported', Json, nullable=False),
)

actions = _table(
    'actions',
    UUID,
    sa.Column('action', NAME, nullable=False),
    sa.Column('mode', NAME),
    sa.Column('src_file', TEXT),
    sa.Column('backup_name', NAME),
    sa.Column('container', NAME),
    sa.Column('restore_abs_path', TEXT),
    sa.Column('timeout', sa.Integer),
    sa.Column('priority', sa.Integer),
    sa.Column('max_retries', sa.Integer, nullable=False),
    sa.Column('max_retries_interval', sa.Integer, nullable=False),
    sa.Column('mandatory', sa.Boolean, nullable=False),
    sa.Column('log_file', TEXT),
    # All other members of the freezer_action.
    sa.Column('backup_metadata', Json, nullable=False),
    # Made by a job's document: it goes with the last job that has it.
    sa.Column('inline', sa.Boolean, nullable=False),
)

jobs = _table(
    'jobs',
    UUID,
    sa.Column('scheduling', Json, nullable=False),
    sa.Column('description', NAME, nullable=False),
)

sessions = _table(
    'sessions',
    UUID,
    sa.Column('scheduling', Json, nullable=False),
    sa.Column('policy', NAME),
    sa.Column('description', NAME, nullable=False),
    sa.Column('hold_off', sa.Integer, nullable=False),
    sa.Column('session_tag', sa.Integer, nullable=False),
    sa.Column('time_start', sa.BigInteger),
    sa.Column('time_end', sa.BigInteger),
    sa.Column('time_started', sa.BigInteger),
    sa.Column('time_ended', sa.BigInteger),
    sa.Column('status', NAME),
    sa.Column('result', NAME),
)

backups = _table(
    'backups',
    UUID,
    _refers('client', 'clients', nullable=True),
    _refers('job', 'jobs', nullable=True),
    sa.Column('user_name', USER),
    sa.Column('status', sa.String(16), nullable=False),
    sa.Column('backup_metadata', Json, nullable=False),
)

# An action as a part of a job. What is NULL is as in the action.
action_attachments = sa.Table(
    'action_attachments',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    _refers('action', 'actions'),
    _refers('job', 'jobs'),
    sa.Column('project_id', NAME, nullable=False),
    # Its place among the job's actions, from 0.
    sa.Column('priority', sa.Integer, nullable=False),
    sa.Column('retries', sa.Integer),
    sa.Column('retry_interval', sa.Integer),
    sa.Column('mandatory', sa.Boolean),
    **INNODB,
)

# A job on its client, and in its session if it has one.
job_attachments = sa.Table(
    'job_attachments',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('job', sa.BigInteger, sa.ForeignKey('jobs.seq'), nullable=False, unique=True),
    _refers('client', 'clients'),
    _refers('session', 'sessions', nullable=True),
    sa.Column('project_id', NAME, nullable=False),
    sa.Column('event', NAME, nullable=False),
    sa.Column('status', NAME),
    sa.Column('result', NAME),
    sa.Column('current_pid', sa.Integer),
    # What it says of the session's rounds.
    sa.Column('session_tag', sa.Integer, nullable=False),
    sa.Column('session_status', NAME),
    sa.Column('session_result', NAME),
    sa.Column('session_time_started', sa.BigInteger),
    sa.Column('session_time_ended', sa.BigInteger),
    **INNODB,
)

# One for each run of an action. Ids grow, so that those of one second are in order.
action_reports = sa.Table(
    'action_reports',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('project_id', NAME, nullable=False),
    sa.Column('action', sa.BigInteger, sa.ForeignKey('actions.seq'), nullable=False),
    # Also when the job has other actions by now, and so no such attachment.
    sa.Column('job', sa.BigInteger, sa.ForeignKey('jobs.seq')),
    # Which may have gone: no foreign key, that would have to look after the runs of years.
    sa.Column('action_attachment', UUID),
    sa.Column('result', NAME, nullable=False),
    # -1: nobody said.
    sa.Column('time_elapsed', sa.Double, nullable=False),
    sa.Column('metadata', Json, nullable=False),
    sa.Column('report_date', sa.BigInteger, nullable=False),
    sa.Column('log', TEXT),
    sa.Index(None, 'action', 'report_date', 'id'),
    sa.Index(None, 'job', 'report_date', 'id'),
    **INNODB,
)

# What searches look at, see ``domain.search``: written with the thing that it is about.
backup_terms = sa.Table(
    'backup_terms',
    metadata,
    sa.Column('kind', sa.String(8), primary_key=True),
    sa.Column('object', sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column('name', sa.String(64), primary_key=True),
    sa.Column('value', NAME, nullable=False),
    sa.Column('project_id', NAME, nullable=False),
    sa.Index('ix_backup_terms_found', 'project_id', 'kind', 'name', 'value', 'object'),
    **INNODB,
)
