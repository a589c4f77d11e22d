"""Workers share operations: each is run by one at a time, none is lost."""

import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slotwright.domain.errors import NotFound, StorageUnavailable
from slotwright.domain.states import OperationKind, OperationState
from slotwright.rpc.contract import CommandContext
from slotwright.storage.base import Claim, NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.endpoint import TaskManagerEndpoint
from taskmanager.service import Beat, ReportWaiter, ThreadFanout
from taskmanager.worker import Worker
from tests.base import TestCase


class NotedRunner:
    """Notes what it is given; holds on to it until it is told to end."""

    def __init__(self, store: SQLAlchemyStore) -> None:
        self.store = store
        self.claims: list[Claim] = []
        self.running = threading.Semaphore(0)
        self.end = threading.Event()
        self.error: Exception | None = None

    def run(self, claim: Claim, stopping: Callable[[], bool]) -> None:
        self.claims.append(claim)
        self.running.release()
        while not self.end.wait(0.01):
            if stopping():
                self.store.release(claim)
                return
        if self.error:
            raise self.error
        self.store.finish(claim, OperationState.COMPLETED)


class WorkerTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self.now = 1_000.0
        self.store = SQLAlchemyStore.connect(f'sqlite:///{directory}/s.db', now=lambda: self.now)
        self.addCleanup(self.store.close)
        migration.upgrade(self.store)
        self.runner = NotedRunner(self.store)

    def worker(self, name: str, runner: NotedRunner | None = None, capacity: int = 4) -> Worker:
        runner = runner or self.runner
        pool = ThreadPoolExecutor(capacity)
        self.addCleanup(pool.shutdown)
        self.addCleanup(runner.end.set)
        return Worker(self.store, runner, pool, name, 10, capacity)  # type: ignore[arg-type]

    def operations(self, count: int) -> None:
        for number in range(count):
            operation = NewOperation(f'op-{number}', OperationKind.CREATE, 'req', (f'i-{number}',))
            cluster = NewCluster(f'c-{number}', 'demo', 'c', 'redis', '3.0', secret='s')
            self.store.create_cluster(cluster, [NewInstance(f'i-{number}', '1', 1)], operation)

    def started(self, count: int, runner: NotedRunner | None = None) -> None:
        for _ in range(count):
            self.assertTrue((runner or self.runner).running.acquire(timeout=30))

    def test_two_workers_never_run_one_operation(self) -> None:
        self.operations(6)
        one, other = self.worker('one', capacity=3), self.worker('other', capacity=6)
        one.tick()
        other.tick()
        one.tick()
        self.started(6)
        claimed = [c.operation_id for c in self.runner.claims]
        self.assertEqual(6, len(set(claimed)))
        self.assertEqual(6, len(claimed))
        self.assertEqual({'one': 3, 'other': 3}, self.shares())

    def shares(self) -> dict[str, int]:
        owners = [c.owner for c in self.runner.claims]
        return {owner: owners.count(owner) for owner in owners}

    def test_no_more_than_the_capacity_at_once(self) -> None:
        self.operations(3)
        worker = self.worker('one', capacity=2)
        for _ in range(3):
            worker.tick()
        self.started(2)
        self.assertEqual(2, len(self.runner.claims))

    def test_a_held_lease_is_renewed_and_a_dead_ones_runs_out(self) -> None:
        self.operations(1)
        dead, alive = self.worker('dead'), self.worker('alive', NotedRunner(self.store))
        dead.tick()
        self.started(1)
        for _ in range(3):
            self.now += 8
            dead.tick()
            alive.tick()
        self.assertEqual({'dead': 1}, self.shares())
        self.now += 11
        alive.tick()
        self.assertEqual([], list(self.store.list_claimable(1)))

    def test_a_stopped_worker_gives_back_what_it_has(self) -> None:
        self.operations(1)
        worker = self.worker('one')
        worker.tick()
        self.started(1)
        worker.stop()
        other = NotedRunner(self.store)
        next_worker = self.worker('next', other)
        while not self.store.list_claimable(1):
            pass
        next_worker.tick()
        self.started(1, other)
        worker.tick()
        self.assertEqual(1, len(self.runner.claims))

    def test_an_operation_that_stumbles_is_tried_again(self) -> None:
        self.operations(1)
        worker = self.worker('one')
        self.runner.error = RuntimeError('a bug')
        self.runner.end.set()
        worker.tick()
        self.started(1)
        while len(self.runner.claims) < 2:
            self.now += 11
            worker.tick()
        self.assertIn('a bug', self.log.output)

    def test_every_end_is_told(self) -> None:
        self.operations(3)
        ended = threading.Semaphore(0)
        pool = ThreadPoolExecutor(4)
        self.addCleanup(pool.shutdown)
        self.runner.error = RuntimeError('a bug')
        self.runner.end.set()
        worker = Worker(self.store, self.runner, pool, 'one', 10, 4, ended.release)  # type: ignore[arg-type]
        worker.tick()
        for _ in range(3):
            self.assertTrue(ended.acquire(timeout=30))

    def test_a_database_that_is_away_is_waited_for(self) -> None:
        class Away:
            def list_claimable(self, limit: int) -> list[str]:
                raise StorageUnavailable('gone')

        pool = ThreadPoolExecutor(1)
        self.addCleanup(pool.shutdown)
        Worker(Away(), self.runner, pool, 'one', 10, 4).tick()  # type: ignore[arg-type]
        self.assertIn('The database is away', self.log.output)


class EndpointTest(TestCase):
    def endpoint(self, store: object) -> tuple[TaskManagerEndpoint, list[str]]:
        heard: list[str] = []
        made = TaskManagerEndpoint(
            store,  # type: ignore[arg-type]
            wake=lambda: heard.append('woken'),
            reported=lambda: heard.append('reported'),
        )
        return made, heard

    def test_every_cast_wakes(self) -> None:
        endpoint, heard = self.endpoint(None)
        context = CommandContext()
        endpoint.create_cluster(context, 'c')
        endpoint.grow_cluster(context, 'c', ['i'])
        endpoint.shrink_cluster(context, 'c', ['i'])
        endpoint.delete_cluster(context, 'c')
        endpoint.update_cluster(context, 'c')
        self.assertEqual(['woken'] * 5, heard)

    def test_an_unknown_instance_is_not_called_unwanted(self) -> None:
        store = SQLAlchemyStore.connect('sqlite://')
        self.addCleanup(store.close)
        migration.upgrade(store)
        endpoint, heard = self.endpoint(store)
        self.assertRaises(NotFound, endpoint.assignment, CommandContext(), 'nobody')
        endpoint.report(CommandContext(), 'nobody', {'running': True})
        self.assertEqual(['reported'], heard)

    def test_a_report_without_a_database_is_not_fatal(self) -> None:
        class Away:
            def report(self, instance_id: str, **said: object) -> None:
                raise StorageUnavailable('gone')

        endpoint, heard = self.endpoint(Away())
        endpoint.report(CommandContext(), 'i', {'running': True})
        self.assertEqual(['reported'], heard)


class ServiceTest(TestCase):
    def test_fanout_tells_results_and_errors_apart(self) -> None:
        fanout = ThreadFanout(2)
        self.addCleanup(fanout.close)

        def fail() -> int:
            raise ValueError('no')

        outcomes = fanout({'good': lambda: 1, 'bad': fail})
        self.assertEqual(1, outcomes['good'])
        self.assertIsInstance(outcomes['bad'], ValueError)

    def test_a_beat_goes_on_after_an_error_and_comes_at_once_when_woken(self) -> None:
        beats = threading.Semaphore(0)

        def stumble() -> None:
            beats.release()
            raise ValueError('no')

        beat = Beat('beat', 600, stumble)
        beat.start()
        self.addCleanup(beat.wait)
        self.addCleanup(beat.stop)
        for _ in range(3):
            self.assertTrue(beats.acquire(timeout=30))
            beat.wake()

    def test_a_beat_rests_however_often_it_is_woken(self) -> None:
        times: list[float] = []
        beats = threading.Semaphore(0)

        def note() -> None:
            times.append(time.monotonic())
            beat.wake()
            beats.release()

        beat = Beat('beat', 600, note, rest=0.2)
        beat.start()
        self.addCleanup(beat.wait)
        self.addCleanup(beat.stop)
        for _ in range(3):
            self.assertTrue(beats.acquire(timeout=30))
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        self.assertGreater(min(gaps), 0.1)

    def test_a_report_ends_a_wait(self) -> None:
        waiter = ReportWaiter()
        waiting = threading.Thread(target=waiter.wait, args=(600,))
        waiting.start()
        while waiting.is_alive():
            waiter.notify()
            waiting.join(0.01)
