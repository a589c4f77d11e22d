"""Rows of what was deleted, removed in batches: who refers to others first, then those."""

import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain.states import InstanceStatus
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    action_reports,
    actions,
    backups,
    clients,
    job_attachments,
    jobs,
    sessions,
)
from slotwright.storage.sqlalchemy.clock import EPOCH
from slotwright.storage.sqlalchemy.clusters import IS_UNFINISHED
from slotwright.storage.sqlalchemy.tables import (
    clusters,
    events,
    hosts,
    instances,
    operations,
    released_addresses,
)
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes_quietly

LOG = logging.getLogger(__name__)

#: Rows of one transaction.
BATCH = 200

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Step:
    """A table, and which of its rows go, given the time before which they were deleted.

    Nothing that is deleted comes back, and nothing new refers to it: what may go when it is
    looked at may still go when it is removed.
    """

    table: sa.Table
    may_go: Callable[[datetime.datetime], Sequence[Condition]]

    @property
    def key(self) -> sa.Column[Any]:
        """Of one column in all of these tables."""
        (column,) = self.table.primary_key
        return column


class Purge(Transactional):
    """See ``slotwright.storage.purge.PurgeStore``."""

    def purge_deleted(self, keep: datetime.timedelta) -> Iterator[tuple[str, int]]:
        before = self._now() - keep
        for step in STEPS:
            after: Any = None
            while True:
                try:
                    keys, gone = self._remove(step, before, after)
                except db_exception.DBReferenceError as error:  # no one's, by what is said above
                    LOG.warning('%s are not purged now: %s', step.table.name, error)
                    break
                if gone:
                    yield step.table.name, gone
                if len(keys) < BATCH:
                    break
                # What stays is passed once, however much there is of it.
                after = keys[-1]

    @reads
    def _now(self, conn: sa.Connection) -> datetime.datetime:
        seconds: float = conn.execute(sa.select(self.clock.seconds())).scalar_one()
        return EPOCH + datetime.timedelta(seconds=seconds)

    @writes_quietly
    def _remove(
        self, conn: sa.Connection, step: Step, before: datetime.datetime, after: Any
    ) -> tuple[Sequence[Any], int]:
        """The keys of the next rows that may go, in order; fewer than ``BATCH`` at the end.

        And how many of them went: another one may be at it.
        """
        query = sa.select(step.key).where(*step.may_go(before)).order_by(step.key).limit(BATCH)
        if after is not None:
            query = query.where(step.key > after)
        keys = conn.execute(query).scalars().all()
        if not keys:
            return keys, 0
        gone = conn.execute(sa.delete(step.table).where(step.key.in_(keys))).rowcount
        return keys, gone


def _none(*related: Condition) -> Condition:
    """That no row is related so."""
    return sa.not_(sa.exists().where(*related))


def _dead_cluster(before: datetime.datetime) -> Sequence[Condition]:
    """An address of a tombstone is not free; events name the cluster until they are forgotten."""
    return (
        clusters.c.deleted_at < before,
        _none(instances.c.cluster_id == clusters.c.id, instances.c.host.is_not(None)),
        _none(events.c.cluster_id == clusters.c.id),
    )


def _of_dead_cluster(table: sa.Table) -> Callable[[datetime.datetime], Sequence[Condition]]:
    def may_go(before: datetime.datetime) -> Sequence[Condition]:
        return (table.c.cluster_id.in_(sa.select(clusters.c.id).where(*_dead_cluster(before))),)

    return may_go


def _dead_instance(before: datetime.datetime) -> Sequence[Condition]:
    """Also of a living cluster. Whoever has its files still asks whether it is wanted."""
    is_held = sa.or_(hosts.c.instance_id == instances.c.id, hosts.c.holds == instances.c.id)
    return (
        instances.c.status == InstanceStatus.DELETED,
        instances.c.updated < before,
        instances.c.host.is_(None),
        sa.not_(instances.c.tombstone),
        _none(is_held),
        _none(operations.c.cluster_id == instances.c.cluster_id, IS_UNFINISHED),
    )


def _deleted_ago(
    table: sa.Table, *referring: sa.Column[Any]
) -> Callable[[datetime.datetime], Sequence[Condition]]:
    """Deleted, and none of these columns has it."""

    def may_go(before: datetime.datetime) -> Sequence[Condition]:
        return (
            table.c.deleted_at < before,
            *(_none(column == table.c.seq) for column in referring),
        )

    return may_go


def _of_deleted_job(table: sa.Table) -> Callable[[datetime.datetime], Sequence[Condition]]:
    def may_go(before: datetime.datetime) -> Sequence[Condition]:
        return (table.c.job.in_(sa.select(jobs.c.seq).where(jobs.c.deleted_at < before)),)

    return may_go


def _unseen_report(before: datetime.datetime) -> Sequence[Condition]:
    """Neither its action nor its job shows it any more."""
    action = sa.select(actions.c.seq).where(actions.c.deleted_at < before)
    job = sa.select(jobs.c.seq).where(jobs.c.deleted_at < before)
    return (
        action_reports.c.action.in_(action),
        sa.or_(action_reports.c.job.is_(None), action_reports.c.job.in_(job)),
    )


#: In this order nothing is left that refers to what goes.
STEPS = (
    Step(operations, _of_dead_cluster(operations)),
    Step(released_addresses, _of_dead_cluster(released_addresses)),
    Step(instances, _dead_instance),
    Step(
        clusters,
        lambda before: (
            *_dead_cluster(before),
            *(
                _none(table.c.cluster_id == clusters.c.id)
                for table in (operations, released_addresses, instances)
            ),
        ),
    ),
    Step(action_reports, _unseen_report),
    Step(action_attachments, _of_deleted_job(action_attachments)),
    Step(job_attachments, _of_deleted_job(job_attachments)),
    Step(backups, _deleted_ago(backups)),
    Step(
        jobs,
        _deleted_ago(
            jobs,
            action_attachments.c.job,
            job_attachments.c.job,
            action_reports.c.job,
            backups.c.job,
        ),
    ),
    Step(actions, _deleted_ago(actions, action_attachments.c.action, action_reports.c.action)),
    Step(sessions, _deleted_ago(sessions, job_attachments.c.session)),
    Step(clients, _deleted_ago(clients, job_attachments.c.client, backups.c.client)),
)
