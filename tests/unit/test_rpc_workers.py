"""The threads of an RPC server."""

import threading

from slotwright.rpc.workers import Workers
from tests import base


class WorkersTest(base.TestCase):
    def test_all_that_was_submitted_is_done_before_a_shutdown_ends(self) -> None:
        workers, done = Workers(3), []
        for number in range(50):
            workers.submit(done.append, number)
        workers.shutdown()
        self.assertEqual(list(range(50)), sorted(done))

    def test_one_thread_keeps_the_order(self) -> None:
        workers, done = Workers(1), []
        for number in range(50):
            workers.submit(done.append, number)
        workers.shutdown()
        self.assertEqual(list(range(50)), done)

    def test_so_many_at_once_and_no_more(self) -> None:
        workers = Workers(2)
        started, gate = threading.Semaphore(0), threading.Event()

        def work() -> None:
            started.release()
            gate.wait(60)

        for _ in range(4):
            workers.submit(work)
        self.assertTrue(started.acquire(timeout=60))
        self.assertTrue(started.acquire(timeout=60))
        self.assertFalse(started.acquire(timeout=0.05))
        gate.set()
        workers.shutdown()
        self.assertTrue(started.acquire(blocking=False))
        self.assertTrue(started.acquire(blocking=False))

    def test_threads_are_made_only_as_they_are_needed(self) -> None:
        workers = Workers(64)
        names = set()
        for _ in range(20):
            done = threading.Event()
            workers.submit(lambda event: (names.add(threading.get_ident()), event.set()), done)
            self.assertTrue(done.wait(60))
        workers.shutdown()
        self.assertLess(len(names), 20)

    def test_an_error_ends_no_thread(self) -> None:
        workers, done = Workers(1), []
        with self.assertLogs('slotwright.rpc.workers', 'ERROR'):
            workers.submit(lambda: 1 // 0)
            workers.submit(done.append, 1)
            workers.shutdown()
        self.assertEqual([1], done)
