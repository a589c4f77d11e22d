"""Quotas: stored where they differ from the defaults, counted from the members themselves.

A project's row is what requests for more take turns on: whoever adds members first takes
its ``lock``, then counts, so two at once cannot both take what is left. It has to be the first
statement of a transaction: what InnoDB reads without a lock is as old as the first such
read.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from slotwright.domain.errors import OverLimit
from slotwright.domain.quotas import RESOURCES, Amounts, Usage, complaint
from slotwright.domain.states import InstanceStatus
from slotwright.storage.base import NewInstance
from slotwright.storage.sqlalchemy import upserts
from slotwright.storage.sqlalchemy.tables import instances, quotas
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes

#: Which instances take room: one that failed and gave its place back takes nothing, until it
#: is deleted and after.
TAKES = sa.or_(
    instances.c.status.in_([InstanceStatus.ACTIVE, InstanceStatus.BUILD]),
    sa.and_(
        instances.c.status.in_([InstanceStatus.ERROR, InstanceStatus.SHUTDOWN]),
        instances.c.host.is_not(None),
    ),
)
_IN_USE = (
    sa.select(
        sa.func.count().label('used_instances'),
        sa.func.coalesce(sa.func.sum(instances.c.volume_size), 0).label('used_volumes'),
        sa.func.coalesce(sa.func.sum(instances.c.ram), 0).label('used_ram'),
    )
    .where(instances.c.project_id == sa.bindparam('project_id'), TAKES)
    .subquery()
)
# One row, also for a project of which nothing is stored.
_USAGE = sa.select(_IN_USE, *(quotas.c[name] for name in RESOURCES)).select_from(
    _IN_USE.outerjoin(quotas, quotas.c.project_id == sa.bindparam('project_id'))
)


class Quotas(Transactional):
    """See ``slotwright.storage.base.QuotaStore``."""

    @reads
    def get_usage(self, conn: sa.Connection, project_id: str, defaults: Amounts) -> Usage:
        return usage(conn, project_id, defaults)

    @writes
    def set_limits(
        self,
        conn: sa.Connection,
        project_id: str,
        values: Mapping[str, int | None],
        defaults: Amounts,
    ) -> Usage:
        lock(conn, project_id)
        this = quotas.c.project_id == project_id
        conn.execute(sa.update(quotas).where(this).values(dict(values)))
        return usage(conn, project_id, defaults)


def require_room(
    conn: sa.Connection,
    project_id: str,
    members: Sequence[NewInstance],
    ram: Mapping[str, int],
    defaults: Amounts,
) -> None:
    """Count, for a transaction that has the project's ``lock``.

    :param ram: of the members' flavors, in MiB.
    :raises OverLimit: when ``members`` are more than the project may add.
    """
    wanted = Amounts(
        instances=len(members),
        volumes=sum(member.volume_size or 0 for member in members),
        ram=sum(ram.get(member.flavor_id, 0) for member in members),
    )
    refused = complaint(usage(conn, project_id, defaults), wanted)
    if refused:
        raise OverLimit(refused)


def lock(conn: sa.Connection, project_id: str) -> None:
    """Make the project's row if there is none, and hold it until the transaction ends."""
    conn.execute(_lock(conn.dialect.name), {'project_id': project_id})


@functools.cache
def _lock(dialect: str) -> sa.Insert:
    row: dict[str, Any] = {'project_id': sa.bindparam('project_id')}
    return upserts.statement(dialect, quotas, row, row)


def usage(conn: sa.Connection, project_id: str, defaults: Amounts) -> Usage:
    row = conn.execute(_USAGE, {'project_id': project_id}).mappings().one()
    in_use = Amounts(**{name: int(row[f'used_{name}']) for name in RESOURCES})
    return Usage(defaults.changed({name: row[name] for name in RESOURCES}), in_use)
