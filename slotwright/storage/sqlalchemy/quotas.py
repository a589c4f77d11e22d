"""Quotas: stored where they differ from the defaults, counted from the members themselves.

A project's row is what requests for more take turns on: whoever adds members first takes
its ``lock``, then counts, so two at once cannot both take what is left. It has to be the first
statement of a transaction: what InnoDB reads without a lock is as old as the first such
read.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from slotwright.domain.errors import OverLimit
from slotwright.domain.quotas import RESOURCES, Amounts, Usage, complaint
from slotwright.domain.states import InstanceStatus
from slotwright.storage.base import NewInstance
from slotwright.storage.sqlalchemy import upserts
from slotwright.storage.sqlalchemy.tables import flavors, instances, quotas
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
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(instances.c.volume_size), 0),
        sa.func.coalesce(sa.func.sum(instances.c.ram), 0),
    )
    .select_from(instances)
    .where(instances.c.project_id == sa.bindparam('project_id'), TAKES)
)
_STORED = sa.select(*(quotas.c[name] for name in RESOURCES)).where(
    quotas.c.project_id == sa.bindparam('project_id')
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
    conn: sa.Connection, project_id: str, members: Sequence[NewInstance], defaults: Amounts
) -> None:
    """Count, for a transaction that has the project's ``lock``.

    :raises OverLimit: when ``members`` are more than the project may add.
    """
    refused = complaint(usage(conn, project_id, defaults), _amounts(conn, members))
    if refused:
        raise OverLimit(refused)


def lock(conn: sa.Connection, project_id: str) -> None:
    """Make the project's row if there is none, and hold it until the transaction ends."""
    row = {'project_id': project_id}
    upserts.write(conn, quotas, row, row)


def usage(conn: sa.Connection, project_id: str, defaults: Amounts) -> Usage:
    this = {'project_id': project_id}
    row = conn.execute(_STORED, this).mappings().first()
    stored: Mapping[str, int | None] = {} if row is None else {n: row[n] for n in RESOURCES}
    in_use = Amounts(*(int(number) for number in conn.execute(_IN_USE, this).one()))
    return Usage(defaults.changed(stored), in_use)


def _amounts(conn: sa.Connection, members: Sequence[NewInstance]) -> Amounts:
    flavor_ids = {member.flavor_id for member in members}
    query = sa.select(flavors.c.id, flavors.c.ram).where(flavors.c.id.in_(flavor_ids))
    ram = {row.id: row.ram for row in conn.execute(query)}
    return Amounts(
        instances=len(members),
        volumes=sum(member.volume_size or 0 for member in members),
        ram=sum(ram.get(member.flavor_id, 0) for member in members),
    )
