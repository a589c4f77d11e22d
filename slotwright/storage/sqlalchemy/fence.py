"""The fence of a cluster: what a worker writes counts only while its claim holds."""

import sqlalchemy as sa

from slotwright.domain.errors import LeaseLost
from slotwright.storage.base import Claim
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import clusters


def hold(conn: sa.Connection, clock: Clock, claim: Claim) -> None:
    """Lock the cluster's row for this transaction, and check the claim's epoch against it.

    Always the first statement, so that all that is read after it is current in every
    database. It changes ``updated`` in earnest, so that servers which replicate changed rows
    see two writers meet here.

    :raises LeaseLost: when the epoch has moved on.
    """
    _require(conn, claim, clock.made(_hold))


def end(conn: sa.Connection, clock: Clock, claim: Claim) -> None:
    """As ``hold``, and the claim is void from here on: nothing more is written under it."""
    _require(conn, claim, clock.made(_end))


def lost(claim: Claim) -> LeaseLost:
    return LeaseLost(
        f'{claim.owner} no longer holds operation {claim.operation_id} '
        f'of cluster {claim.cluster_id} (epoch {claim.epoch}).'
    )


def _hold(clock: Clock) -> sa.Update:
    return (
        sa.update(clusters)
        .where(clusters.c.id == sa.bindparam('this'), clusters.c.epoch == sa.bindparam('held'))
        .values(updated=clock.utc())
    )


def _end(clock: Clock) -> sa.Update:
    return _hold(clock).values(epoch=clusters.c.epoch + 1)


def _require(conn: sa.Connection, claim: Claim, change: sa.Update) -> None:
    held = conn.execute(change, {'this': claim.cluster_id, 'held': claim.epoch})
    # SQLAlchemy has MySQL count the rows found, not only those that changed.
    if not held.rowcount:
        raise lost(claim)
