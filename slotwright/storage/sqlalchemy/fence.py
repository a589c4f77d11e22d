"""The fence of a cluster: what a worker writes counts only while its claim holds."""

from typing import Any

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
    _set(conn, claim, updated=clock.utc())


def end(conn: sa.Connection, clock: Clock, claim: Claim) -> None:
    """As ``hold``, and the claim is void from here on: nothing more is written under it."""
    _set(conn, claim, updated=clock.utc(), epoch=clusters.c.epoch + 1)


def lost(claim: Claim) -> LeaseLost:
    return LeaseLost(
        f'{claim.owner} no longer holds operation {claim.operation_id} '
        f'of cluster {claim.cluster_id} (epoch {claim.epoch}).'
    )


def _set(conn: sa.Connection, claim: Claim, **values: Any) -> None:
    held = conn.execute(
        sa.update(clusters)
        .where(clusters.c.id == claim.cluster_id, clusters.c.epoch == claim.epoch)
        .values(values)
    )
    # SQLAlchemy has MySQL count the rows found, not only those that changed.
    if not held.rowcount:
        raise lost(claim)
