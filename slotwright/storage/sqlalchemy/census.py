"""Counting what is there."""

import datetime

import sqlalchemy as sa

from slotwright.domain.states import CLUSTER_TASKS, InstanceStatus
from slotwright.storage.base import Census
from slotwright.storage.sqlalchemy import placing
from slotwright.storage.sqlalchemy.tables import clusters, instances, operations
from slotwright.storage.sqlalchemy.transactions import Transactional, reads


class CensusTaker(Transactional):
    """See ``slotwright.storage.base.CensusStore``."""

    @reads
    def take_census(self, conn: sa.Connection, heard_since: datetime.datetime) -> Census:
        live = (
            sa.select(clusters.c.task_id, sa.func.count())
            .where(clusters.c.deleted_at.is_(None))
            .group_by(clusters.c.task_id)
        )
        silent = instances.c.reported.is_(None) | (instances.c.reported < heard_since)
        health = sa.case(
            (silent, 'UNKNOWN'), (instances.c.running.is_(sa.true()), 'HEALTHY'), else_='CRASHED'
        ).label('health')
        members = (
            sa.select(instances.c.status, health, sa.func.count())
            .where(instances.c.status != InstanceStatus.DELETED)
            .group_by(instances.c.status, health)
        )
        work = sa.select(
            operations.c.kind, operations.c.state, sa.func.count(), sa.func.sum(operations.c.spent)
        ).group_by(operations.c.kind, operations.c.state)
        placed = placing.used(conn, instances.c.pool.is_not(None))
        return Census(
            clusters={CLUSTER_TASKS[task].name: n for task, n in conn.execute(live)},
            instances={(status, how): n for status, how, n in conn.execute(members)},
            operations={(k, s): (n, float(spent)) for k, s, n, spent in conn.execute(work)},
            pools=placed,
        )
