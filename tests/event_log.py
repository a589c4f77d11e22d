"""An ``EventStore`` in memory, whose events are recorded and handed on step by step."""

import dataclasses
import datetime

from slotwright.domain.errors import NotFound, StorageUnavailable
from slotwright.domain.events import Event, Kind

CREATED = datetime.datetime(2026, 11, 21)


class EventLog:
    """Clusters are named ``project/number``, and are there from the beginning."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        #: Whether the database does not answer.
        self.is_away = False
        #: Clusters that are not even known as deleted any more.
        self.purged: set[str] = set()
        #: Calls of each method.
        self.calls: dict[str, int] = {}

    def record(self, cluster_id: str | None) -> None:
        """Something happened to a cluster; or to a pool, which is nobody's."""
        seq = sum(e.cluster_id == cluster_id for e in self.events) + 1 if cluster_id else 0
        project = cluster_id.partition('/')[0] if cluster_id else None
        kind = Kind.CLUSTER_CHANGED if cluster_id else Kind.POOL_CHANGED
        event = Event(seq, None, kind, 'It changed.', {}, CREATED, project, cluster_id)
        self.events.append(event)

    def hand_on(self, count: int) -> list[Event]:
        """Give positions to the next ``count`` events; answers them."""
        first = self._last_position()
        for place in range(first, min(first + count, len(self.events))):
            self.events[place] = dataclasses.replace(self.events[place], position=place + 1)
        return self.events[first : first + count]

    # EventStore.

    def list_cluster_events(
        self, project_id: str, cluster_id: str, after: int, limit: int
    ) -> list[Event]:
        self._called('list_cluster_events')
        if cluster_id in self.purged:
            raise NotFound(f'Cluster {cluster_id} cannot be found.')
        return [
            e
            for e in self.events
            if (e.project_id, e.cluster_id) == (project_id, cluster_id) and e.seq > after
        ][:limit]

    def last_seq(self, project_id: str, cluster_id: str) -> int:
        self._called('last_seq')
        found = self.list_cluster_events(project_id, cluster_id, 0, len(self.events))
        if not found:
            raise NotFound(f'Cluster {cluster_id} cannot be found.')
        return found[-1].seq

    def list_events(self, project_id: str | None, after: int, limit: int) -> list[Event]:
        self._called('list_events')
        return [
            e
            for e in self.events
            if e.position is not None and e.position > after and project_id in (None, e.project_id)
        ][:limit]

    def last_position(self) -> int:
        self._called('last_position')
        return self._last_position()

    def _last_position(self) -> int:
        return max((e.position or 0 for e in self.events), default=0)

    def _called(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        if self.is_away:
            raise StorageUnavailable('The database does not answer now.')
