"""The newest gauges of every node, in a table that may be lost at any time."""

import datetime
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from slotwright.domain import gauges
from slotwright.domain.errors import SlotwrightError
from slotwright.domain.gauges import Gauges, Seen
from slotwright.events.base import Driver, Tables
from slotwright.events.errors import RowExists, RowNotFound
from slotwright.outage import Outage

LOG = logging.getLogger(__name__)

TABLE = 'gauges'  # the topic is the cluster, the key the instance
#: Seconds that a reader waits for the table, and for which it then leaves it alone.
PATIENCE, REST = 0.3, 10.0
#: Older ones say nothing about a node that is.
FRESH = datetime.timedelta(seconds=30)
#: Far older ones are of nodes that died without a word. One that comes back is noted anew.
STALE = datetime.timedelta(days=1)


class BoardWriter:
    """Takes what agents report, and writes it down now and then.

    :param now: UTC.
    """

    def __init__(self, driver: Driver, now: Callable[[], datetime.datetime]) -> None:
        self._driver = driver
        self._now = now
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], Seen | None] = {}
        self._outage = Outage(
            LOG, 'Gauges of nodes are not kept now', 'Gauges of nodes are kept again'
        )

    def note(self, cluster_id: str, instance_id: str, said: Gauges | None) -> None:
        """Have it written, soon; None: the instance is gone. Never waits for anything."""
        seen = Seen(cluster_id, instance_id, self._now(), said) if said else None
        with self._lock:
            self._due[cluster_id, instance_id] = seen

    def tick(self) -> None:
        """Write all that is due. What cannot be written is forgotten: newer ones come."""
        with self._lock:
            due, self._due = self._due, {}
        try:
            for (cluster_id, instance_id), seen in due.items():
                self._write(self._driver.tables, cluster_id, instance_id, seen)
        except SlotwrightError as error:
            self._outage.goes_on(error)
        else:
            if due:
                self._outage.is_over()

    def sweep(self) -> None:
        """Remove what is stale: nobody else does where an agent never said that it is gone."""
        tables = self._driver.tables
        try:
            for row in tables.values(TABLE):
                seen = _read(row)
                if seen is not None and self._now() - seen.at > STALE:
                    self._write(tables, seen.cluster_id, seen.instance_id, None)
        except SlotwrightError as error:
            self._outage.goes_on(error)

    def _write(self, tables: Tables, cluster_id: str, instance_id: str, seen: Seen | None) -> None:
        try:
            if seen is None:
                tables.delete(TABLE, instance_id, topic=cluster_id)
            else:
                tables.set(TABLE, instance_id, gauges.to_wire(seen), topic=cluster_id)
        except RowNotFound:
            if seen is not None:
                self._create(tables, cluster_id, instance_id, seen)

    def _create(self, tables: Tables, cluster_id: str, instance_id: str, seen: Seen) -> None:
        try:
            tables.create(TABLE, instance_id, gauges.to_wire(seen), topic=cluster_id)
        except RowExists:
            LOG.debug('Another taskmanager was quicker with %s', instance_id)


class BoardReader:
    """Looks gauges up, and never keeps anybody waiting for them.

    :param executor: runs the looks; the caller shuts it down.
    :param clock: seconds, never going back.
    """

    def __init__(
        self,
        driver: Driver,
        executor: Executor,
        now: Callable[[], datetime.datetime],
        clock: Callable[[], float],
    ) -> None:
        self._driver = driver
        self._executor = executor
        self._now = now
        self._clock = clock
        self._rests_until = 0.0

    def of_cluster(self, cluster_id: str) -> dict[str, Seen]:
        """What is known of its nodes, by instance id: {} when there is nothing, or no answer."""
        if self._clock() < self._rests_until:
            return {}
        look = self._executor.submit(self._driver.tables.values, TABLE, cluster_id)
        found: dict[str, Seen] = {}
        for row in self._answer(look):
            seen = _read(row)
            if seen is not None and self._now() - seen.at <= FRESH:
                found[seen.instance_id] = seen
        return found

    def _answer(self, look: 'Future[Sequence[Any]]') -> Sequence[Any]:
        try:
            return look.result(PATIENCE)
        except (SlotwrightError, TimeoutError) as error:
            look.cancel()
            self._rests_until = self._clock() + REST
            LOG.debug('Gauges cannot be read now: %s', error)
            return ()


def _read(row: Any) -> Seen | None:
    """None for what is no row of ours."""
    try:
        return gauges.from_wire(row)
    except ValueError as error:
        LOG.debug('A row of gauges is of no use: %s', error)
        return None
