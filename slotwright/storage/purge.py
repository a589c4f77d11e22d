"""Rows of what was deleted: they stay for a while, since others refer to them, and go then."""

import datetime
from collections.abc import Iterator
from typing import Protocol

#: Seconds to leave the database to others after each batch.
REST = 0.02


class PurgeStore(Protocol):
    """What is deleted is invisible already; this is about the room that it takes."""

    def purge_deleted(self, keep: datetime.timedelta) -> Iterator[tuple[str, int]]:
        """Remove what was deleted longer ago than ``keep``, by the database's clock.

        Each step is a small transaction, and answers the table and the number of rows that are
        gone from it. Whoever stops in between loses nothing, and several may do it at once.

        What something that is there refers to stays: a job that the report of a living action
        names, a client with a job. So do tombstones with their cluster, and a cluster as long as
        there are events of it.

        :raises StorageUnavailable: in any step.
        """
