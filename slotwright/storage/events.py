"""The events that are kept: read by position or number, and handed on by a relay."""

import datetime
from collections.abc import Callable, Sequence
from typing import Protocol

from slotwright.domain.events import Event, NewEvent


class EventStore(Protocol):
    """What was recorded. Old events are forgotten, see ``RelayStore.forget_events``."""

    def list_cluster_events(
        self, project_id: str, cluster_id: str, after: int, limit: int
    ) -> Sequence[Event]:
        """Events of a cluster, also of a deleted one, whose ``seq`` is greater, by ``seq``.

        :raises NotFound: "Cluster <id> cannot be found.": there never was one.
        """

    def last_seq(self, project_id: str, cluster_id: str) -> int:
        """The ``seq`` of a cluster's newest event, also when that is forgotten.

        :raises NotFound: as ``list_cluster_events``.
        """

    def list_events(self, project_id: str | None, after: int, limit: int) -> Sequence[Event]:
        """Events of a project (None: all there are) whose ``position`` is greater, by it.

        What has no position yet is not among them.
        """

    def last_position(self) -> int:
        """The greatest position there is, 0 at first."""

    def record_of_none(self, told: Sequence[NewEvent]) -> None:
        """Keep events of pools and flavors that another store has."""


class RelayStore(Protocol):
    """For who hands events on. One at a time does, by a lease."""

    def take_events(self, owner: str, lease: float, limit: int) -> Sequence[Event] | None:
        """Lease the relay for ``lease`` seconds and answer what is not marked as handed on.

        By position; events without one get theirs here. Up to ``limit``; none when there is
        nothing new. None while another owner has the lease.
        """

    def mark_handed_on(self, owner: str, position: int) -> bool:
        """Note that everything up to ``position`` was; False when the lease is lost."""

    def call_after_writes(self, function: Callable[[], None]) -> None:
        """Have ``function`` called after whatever may have recorded an event here.

        In the thread that wrote, and for this process only; it must be quick.
        """

    def forget_events(self, before: datetime.datetime, limit: int) -> int:
        """Delete up to ``limit`` events made before then (UTC) that were handed on.

        Answers how many.
        """
