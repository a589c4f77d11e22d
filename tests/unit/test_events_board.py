"""Gauges of nodes on their way from agents to readers; they may be lost, and hold nobody up."""

import datetime
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import fixtures

from slotwright.domain import gauges
from slotwright.domain.gauges import Gauges, Seen
from slotwright.events import board
from slotwright.events.board import TABLE, BoardReader, BoardWriter
from slotwright.events.errors import StoreUnavailable
from slotwright.events.memory import MemoryDriver
from tests.base import TestCase

NOW = datetime.datetime(2026, 6, 1, 12)
BUSY = Gauges(used_memory=1000, max_memory=0, ops_per_second=7, clients=3, keys=12)


class BoardTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.driver = MemoryDriver()
        self.addCleanup(self.driver.close)
        # A thread of a busy machine may need longer than a reader is kept waiting.
        self.useFixture(fixtures.MonkeyPatch('slotwright.events.board.PATIENCE', 60.0))
        self.now = NOW
        self.seconds = 0.0
        self.writer = BoardWriter(self.driver, lambda: self.now)
        self.executor: Executor = ThreadPoolExecutor(2)
        self.addCleanup(self.executor.shutdown)

    def reader(self, driver: Any = None) -> BoardReader:
        return BoardReader(
            driver or self.driver, self.executor, lambda: self.now, lambda: self.seconds
        )

    def test_the_newest_of_each_node_is_found_by_its_cluster(self) -> None:
        self.writer.note('c', 'i', replace(BUSY, keys=1))
        self.writer.note('c', 'i', BUSY)
        self.writer.note('c', 'j', BUSY)
        self.writer.note('d', 'k', BUSY)
        self.assertEqual({}, self.reader().of_cluster('c'))
        self.writer.tick()
        seen = self.reader().of_cluster('c')
        self.assertEqual({i: Seen('c', i, NOW, BUSY) for i in 'ij'}, seen)
        self.writer.note('c', 'j', None)
        self.writer.note('c', 'never', None)
        self.writer.tick()
        self.assertEqual({'i'}, set(self.reader().of_cluster('c')))

    def test_old_ones_and_nonsense_are_not_shown(self) -> None:
        self.writer.note('c', 'i', BUSY)
        self.writer.tick()
        self.driver.tables.create(TABLE, 'x', {'at': 'yesterday'}, topic='c')
        self.driver.tables.create(TABLE, 'y', 7, topic='c')
        self.assertEqual({'i'}, set(self.reader().of_cluster('c')))
        self.now += board.FRESH + datetime.timedelta(seconds=1)
        self.assertEqual({}, self.reader().of_cluster('c'))

    def test_those_of_nodes_that_died_long_ago_are_removed(self) -> None:
        for cluster_id, instance_id in (('c', 'dead'), ('c', 'back'), ('d', 'dead too')):
            self.writer.note(cluster_id, instance_id, BUSY)
        self.driver.tables.create(TABLE, 'x', {'at': 'yesterday'}, topic='c')
        self.writer.tick()
        self.now += board.STALE
        self.writer.sweep()
        self.assertEqual(4, len(self.driver.tables.keys(TABLE)))
        self.writer.note('c', 'back', BUSY)
        self.writer.tick()
        self.now += datetime.timedelta(seconds=1)
        self.writer.sweep()
        self.assertEqual({'back', 'x'}, set(self.driver.tables.keys(TABLE)))
        self.assertEqual({'back'}, set(self.reader().of_cluster('c')))

    def test_what_cannot_be_written_is_told_once_and_forgotten(self) -> None:
        writer = BoardWriter(Broken(), lambda: self.now)  # type: ignore[arg-type]
        with self.assertLogs(board.LOG, 'WARNING') as log:
            for _ in range(3):
                writer.note('c', 'i', BUSY)
                writer.tick()
                writer.sweep()
        self.assertEqual(1, len(log.output))

    def test_a_store_that_fails_is_left_alone_for_a_while(self) -> None:
        self.is_left_alone(Broken())

    def test_a_store_that_hangs_is_left_alone_for_a_while(self) -> None:
        board.PATIENCE = 0.05
        self.is_left_alone(Hanging(self))

    def is_left_alone(self, broken: 'Broken') -> None:
        self.executor = Prompt(self.executor, broken)
        reader = self.reader(broken)
        for _ in range(3):
            self.assertEqual({}, reader.of_cluster('c'))
        self.assertEqual(1, broken.asked)
        self.seconds += board.REST
        reader.of_cluster('c')
        self.assertEqual(2, broken.asked)

    def test_only_whole_numbers_are_gauges(self) -> None:
        said = {'used_memory': 1, 'max_memory': 2, 'ops_per_second': 3, 'clients': 4, 'keys': 5}
        self.assertEqual(Gauges(1, 2, 3, 4, 5), gauges.gauges_from({**said, 'more': 'x'}))
        for wrong in (-1, 1.5, '1', True, None):
            self.assertRaises(ValueError, gauges.gauges_from, {**said, 'keys': wrong})


class Prompt(Executor):
    """Hands out a call to a broken driver once that was asked."""

    def __init__(self, executor: Executor, broken: 'Broken') -> None:
        self._executor = executor
        self._broken = broken

    def submit(self, *call: Any, **options: Any) -> 'Future[Any]':
        future = self._executor.submit(*call, **options)
        assert self._broken.begun.acquire(timeout=60)
        return future


class Broken:
    """A driver, and its tables, that do not answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = threading.Semaphore(0)
        self.tables = self

    def values(self, *_: object) -> None:
        self.asked += 1
        self.begun.release()
        raise StoreUnavailable('not now')

    def set(self, *_: object, **__: object) -> None:
        raise StoreUnavailable('not now')


class Hanging(Broken):
    def __init__(self, test: TestCase) -> None:
        super().__init__()
        self._over = threading.Event()
        test.addCleanup(self._over.set)

    def values(self, *_: object) -> None:
        self.asked += 1
        self.begun.release()
        self._over.wait(60)
