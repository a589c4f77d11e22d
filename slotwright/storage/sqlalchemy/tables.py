"""The tables, as the newest migration leaves them (held against it by ``migration.check``).

Ids and project ids are compared byte by byte (``utf8mb4_bin`` on MySQL). Times of leases
are seconds since 1970 in a ``Double``: MySQL rounds a ``FLOAT`` of that size to 100 s.
Every other time is UTC without a zone, to the microsecond.
"""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

#: Constraint names that are the same everywhere, so that a migration can name them.
NAMES = {
    'pk': 'pk_%(table_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_name)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
}
INNODB: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
}

metadata = sa.MetaData(naming_convention=NAMES)

UUID = sa.String(36)
NAME = sa.String(255)
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql')
# A plain TEXT of MySQL ends at 64 KiB, which the layout of a large cluster may exceed.
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql')
# SQLite numbers rows by itself only in a column of exactly this type.
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


# Names that are listed in the order of their bytes; SQLite and utf8mb4_bin have no other.
BYTES = sa.String(255).with_variant(postgresql.VARCHAR(255, collation='C'), 'postgresql')


class Json(sa.types.TypeDecorator[Any]):
    """A JSON object in a text column; every database has those."""

    impl = TEXT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:  # noqa: ARG002
        return json.dumps(value, separators=(',', ':'), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return json.loads(value or '{}')


# The flavors of the management store (``storage.management``) where SQL has it, and the ids
# of all flavors that instances ever had. A project of '' is none.
flavors = sa.Table(
    'flavors',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('name', BYTES, nullable=False, unique=True),
    # What instances made from now on have; of no meaning in a flavor without a size.
    sa.Column('ram', sa.Integer, nullable=False),
    sa.Column('vcpus', sa.Integer, nullable=False),
    sa.Column('disk', sa.Integer, nullable=False),
    sa.Column('ephemeral', sa.Integer, nullable=False),
    sa.Column('project', BYTES, nullable=False, server_default=''),
    sa.Column('capabilities', Json),
    # False: deleted, or never in SQL's management store; instances may be of it.
    sa.Column('listed', sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index(None, 'project', 'name'),
    **INNODB,
)

clusters = sa.Table(
    'clusters',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('project_id', NAME, nullable=False),
    sa.Column('name', NAME, nullable=False),
    sa.Column('datastore', NAME, nullable=False),
    sa.Column('datastore_version', NAME, nullable=False),
    sa.Column('task_id', sa.Integer, nullable=False),
    # Grows with every claim and at its end, never restarts: the fence of all workers.
    sa.Column('epoch', sa.BigInteger, nullable=False),
    # The number of its newest event.
    sa.Column('event_seq', sa.BigInteger, nullable=False, server_default='0'),
    # The last ordinal ever given to a member.
    sa.Column('member_seq', sa.Integer, nullable=False),
    sa.Column('locality', NAME),
    sa.Column('extended_properties', Json, nullable=False),
    sa.Column('secret', NAME, nullable=False),
    sa.Column('tenant_hash', sa.String(64), nullable=False),
    sa.Column('created', TIME, nullable=False),
    sa.Column('updated', TIME, nullable=False),
    sa.Column('deleted_at', TIME),
    sa.Index(None, 'project_id', 'id'),
    sa.Index(None, 'project_id', 'name'),
    sa.Index(None, 'deleted_at'),
    **INNODB,
)

instances = sa.Table(
    'instances',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('cluster_id', UUID, sa.ForeignKey('clusters.id'), nullable=False),
    sa.Column('project_id', NAME, nullable=False),
    sa.Column('name', sa.String(300), nullable=False),
    sa.Column('ordinal', sa.Integer, nullable=False),
    sa.Column('flavor_id', UUID, sa.ForeignKey('flavors.id'), nullable=False),
    sa.Column('volume_size', sa.Integer),
    # MiB that its flavor had when it was made: a flavor may change.
    sa.Column('ram', sa.Integer, nullable=False, server_default='0'),
    # Where it was placed, as the pool was then; NULL where no pools were.
    sa.Column('pool', NAME),
    sa.Column('pool_uri', NAME),
    sa.Column('pool_options', Json),
    sa.Column('failure_domain', NAME),
    sa.Column('status', sa.String(16), nullable=False),
    sa.Column('created', TIME, nullable=False),
    sa.Column('updated', TIME, nullable=False),
    # All four are set while the instance holds an address, all NULL otherwise.
    sa.Column('host', NAME),
    sa.Column('ip', sa.String(45)),
    sa.Column('port', sa.Integer),
    sa.Column('bus_port', sa.Integer),
    # No member any more, but its agent has not said yet that it wiped itself.
    sa.Column('tombstone', sa.Boolean, nullable=False),
    sa.Column('node_id', sa.String(40)),
    sa.Column('volume_used', sa.Double),
    sa.Column('running', sa.Boolean),
    sa.Column('reported', TIME),
    sa.Column('fault', TEXT),
    sa.UniqueConstraint('cluster_id', 'ordinal'),
    sa.UniqueConstraint('host', 'ip', 'port'),
    sa.UniqueConstraint('host', 'ip', 'bus_port'),
    sa.Index(None, 'project_id', 'id'),
    sa.Index(None, 'flavor_id'),
    # For what a pool has room for.
    sa.Index(None, 'pool', 'status'),
    # For what a project uses: its dead instances stay in the table.
    sa.Index(None, 'project_id', 'status'),
    sa.Index(None, 'status', 'updated'),
    **INNODB,
)

quotas = sa.Table(
    'quotas',
    metadata,
    sa.Column('project_id', NAME, primary_key=True),
    # One column for each of ``domain.quotas.RESOURCES``; NULL is the configured default.
    sa.Column('instances', sa.Integer),
    sa.Column('volumes', sa.Integer),
    sa.Column('ram', sa.Integer),
    **INNODB,
)

operations = sa.Table(
    'operations',
    metadata,
    # The order in which requests were accepted; clocks may step back.
    sa.Column('seq', SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column('id', UUID, nullable=False, unique=True),
    sa.Column('cluster_id', UUID, sa.ForeignKey('clusters.id'), nullable=False),
    sa.Column('project_id', NAME, nullable=False),
    sa.Column('kind', sa.String(16), nullable=False),
    sa.Column('state', sa.String(16), nullable=False),
    sa.Column('request_id', NAME, nullable=False),
    sa.Column('detail', Json, nullable=False),
    sa.Column('created', TIME, nullable=False),
    sa.Column('updated', TIME, nullable=False),
    sa.Column('done', sa.Integer, nullable=False),
    sa.Column('total', sa.Integer, nullable=False),
    sa.Column('message', TEXT, nullable=False),
    sa.Column('reason', TEXT),
    # The hold on it: who, under which epoch of the cluster, until when.
    sa.Column('owner', NAME),
    sa.Column('epoch', sa.BigInteger, nullable=False),
    sa.Column('lease_until', sa.Double),
    sa.Column('renewed_at', sa.Double),
    sa.Column('spent', sa.Double, nullable=False),
    sa.Index(None, 'cluster_id', 'seq'),
    sa.Index(None, 'state', 'seq'),
    **INNODB,
)

# What an enrolled agent announced. It has room for one instance.
hosts = sa.Table(
    'hosts',
    metadata,
    sa.Column('id', UUID, primary_key=True),
    sa.Column('pool', NAME, nullable=False),
    sa.Column('machine', NAME, nullable=False),
    sa.Column('ip', sa.String(45), nullable=False),
    sa.Column('port', sa.Integer, nullable=False),
    sa.Column('bus_port', sa.Integer, nullable=False),
    sa.Column('ram', sa.Integer, nullable=False),
    # The instance whose files the agent found there, '' when it is clean.
    sa.Column('holds', UUID, nullable=False),
    # Whom it was given to: changed by compare-and-swap from NULL, and back with the place.
    sa.Column('instance_id', UUID, sa.ForeignKey('instances.id'), unique=True),
    sa.Column('created', TIME, nullable=False),
    sa.Column('announced', sa.Double, nullable=False),
    sa.Index(None, 'pool', 'id'),
    **INNODB,
)

# Addresses given back, and which cluster may still know them.
released_addresses = sa.Table(
    'released_addresses',
    metadata,
    sa.Column('id', SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column('host', NAME, nullable=False),
    sa.Column('ip', sa.String(45), nullable=False),
    sa.Column('port', sa.Integer, nullable=False),
    sa.Column('bus_port', sa.Integer, nullable=False),
    sa.Column('cluster_id', UUID, sa.ForeignKey('clusters.id'), nullable=False),
    sa.Column('released', sa.Double, nullable=False),
    sa.UniqueConstraint('host', 'ip', 'port'),
    sa.Index(None, 'cluster_id'),
    **INNODB,
)

# The rest of the management store. A project of '' is none.
mgmt_pools = sa.Table(
    'mgmt_pools',
    metadata,
    sa.Column('name', BYTES, primary_key=True),
    sa.Column('uri', NAME, nullable=False),
    sa.Column('weight', sa.BigInteger, nullable=False),
    # No foreign key: pools may name flavors that do not exist.
    sa.Column('flavor', BYTES),
    sa.Column('options', Json, nullable=False),
    sa.Index(None, 'flavor', 'name'),
    **INNODB,
)

mgmt_catalogue = sa.Table(
    'mgmt_catalogue',
    metadata,
    sa.Column('project', BYTES, primary_key=True),
    sa.Column('queue', BYTES, primary_key=True),
    # Both, joined by a dot: "a.b"/"c" and "a"/"b.c" are one name in the seed's keys.
    sa.Column('entry', sa.String(511), nullable=False, unique=True),
    sa.Column('pool', NAME, nullable=False),
    **INNODB,
)

# A row for each family of names that has to stay free of collisions. Its writers take turns.
mgmt_turns = sa.Table(
    'mgmt_turns',
    metadata,
    sa.Column('name', sa.String(16), primary_key=True),
    sa.Column('turn', sa.BigInteger, nullable=False),
    **INNODB,
)

# What happened, in the order of the commits of each cluster.
events = sa.Table(
    'events',
    metadata,
    sa.Column('id', SEQUENCE, primary_key=True, autoincrement=True),
    # NULL for pools and flavors, which are nobody's.
    sa.Column('cluster_id', UUID, sa.ForeignKey('clusters.id')),
    sa.Column('project_id', NAME),
    # The cluster's own number; 0 where there is no cluster.
    sa.Column('seq', sa.BigInteger, nullable=False),
    # Given by the relay that hands it on, NULL before.
    sa.Column('position', sa.BigInteger, unique=True),
    sa.Column('kind', sa.String(32), nullable=False),
    sa.Column('message', TEXT, nullable=False),
    sa.Column('state', Json, nullable=False),
    sa.Column('instance_id', UUID),
    sa.Column('operation_id', UUID),
    sa.Column('request_id', NAME, nullable=False),
    sa.Column('created', TIME, nullable=False),
    sa.UniqueConstraint('cluster_id', 'seq'),
    sa.Index(None, 'project_id', 'position'),
    sa.Index(None, 'created'),
    **INNODB,
)

# One row: who hands events on, and how far that is.
event_relay = sa.Table(
    'event_relay',
    metadata,
    sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('owner', NAME),
    sa.Column('lease_until', sa.Double),
    sa.Column('position', sa.BigInteger, nullable=False),  # the last one given
    sa.Column('handed_on', sa.BigInteger, nullable=False),  # everything up to here was
    **INNODB,
)
