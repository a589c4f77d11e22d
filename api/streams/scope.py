"""Whose events are meant, and which of their numbers counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from slotwright.domain.events import Event
from slotwright.storage.events import EventStore


@dataclass(frozen=True, slots=True)
class Scope:
    """A cluster of a project, a project, or (None) everything there is.

    Of a cluster events are numbered by ``seq``, of others by ``position``. Numbers grow from one
    event of the scope to the next.
    """

    project_id: str | None
    cluster_id: str | None = None

    def holds(self, event: Event) -> bool:
        return self.project_id in (None, event.project_id) and (
            self.cluster_id in (None, event.cluster_id)
        )

    def number(self, event: Event) -> int:
        """:raises ValueError: for an event that was not handed on, where positions count."""
        if self.cluster_id is not None:
            return event.seq
        if event.position is None:
            raise ValueError('an event without a position')
        return event.position

    def read(self, store: EventStore, after: int, limit: int) -> Sequence[Event]:
        """Up to ``limit`` events whose numbers are greater, by number.

        :raises NotFound: when there never was such a cluster.
        """
        if self.cluster_id is not None and self.project_id is not None:
            return store.list_cluster_events(self.project_id, self.cluster_id, after, limit)
        return store.list_events(self.project_id, after, limit)

    def last(self, store: EventStore) -> int:
        """The greatest number given so far. A project's own events may have smaller ones only.

        :raises NotFound: when there never was such a cluster.
        """
        if self.cluster_id is not None and self.project_id is not None:
            return store.last_seq(self.project_id, self.cluster_id)
        return store.last_position()

    def has_forgotten(self, store: EventStore, after: int, last: int) -> bool:
        """Whether an event after this number is not kept any more, though maybe not of ours.

        :param last: what ``last`` answered before.
        """
        everybody = self if self.cluster_id is not None else ALL
        kept = everybody.read(store, after, 1)
        return (everybody.number(kept[0]) if kept else last + 1) > after + 1


#: All there is.
ALL = Scope(None)
