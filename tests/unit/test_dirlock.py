"""The lock on a directory: who holds it, and how that one is ended."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile

from slotwright import dirlock
from tests.base import TestCase

HOLD = """
import sys, time
from slotwright import dirlock
held = dirlock.acquire(sys.argv[1])
print('held', flush=True)
time.sleep(600)
"""


class DirLockTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def holder(self) -> 'subprocess.Popen[str]':
        process = subprocess.Popen(
            [sys.executable, '-c', HOLD, self.directory], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.stdout.close)  # type: ignore[union-attr]
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual('held\n', process.stdout.readline())  # type: ignore[union-attr]
        return process

    def test_nobody(self) -> None:
        self.assertFalse(dirlock.is_held(self.directory))
        self.assertIsNone(dirlock.holder(self.directory))
        self.assertTrue(dirlock.terminate(self.directory, 1))

    def test_no_directory(self) -> None:
        gone = os.path.join(self.directory, 'gone')
        self.assertFalse(dirlock.is_held(gone))
        self.assertIsNone(dirlock.holder(gone))
        self.assertTrue(dirlock.terminate(gone, 1))

    def test_one_at_a_time(self) -> None:
        descriptor = dirlock.acquire(self.directory)
        self.assertTrue(dirlock.is_held(self.directory))
        self.assertRaises(dirlock.Held, dirlock.acquire, self.directory)
        os.close(descriptor)
        self.assertFalse(dirlock.is_held(self.directory))

    def test_a_look_does_not_take_the_lock(self) -> None:
        dirlock.is_held(self.directory)
        os.close(dirlock.acquire(self.directory))

    def test_who_looks_is_no_holder(self) -> None:
        looking = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, looking)
        fcntl.flock(looking, fcntl.LOCK_SH)  # as is_held does, for a moment
        self.assertIsNone(dirlock.holder(self.directory))
        self.assertTrue(dirlock.terminate(self.directory, 1))

    def test_the_holder_is_found_and_ended(self) -> None:
        process = self.holder()
        self.assertEqual(process.pid, dirlock.holder(self.directory))
        self.assertTrue(dirlock.terminate(self.directory, 10))
        self.assertEqual(-signal.SIGTERM, process.wait())

    def test_a_stopped_holder_is_killed(self) -> None:
        process = self.holder()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # it takes its time
        self.assertTrue(dirlock.terminate(self.directory, 2.0))
        self.assertEqual(-signal.SIGKILL, process.wait())

    def test_a_killed_holder_leaves_no_lock(self) -> None:
        process = self.holder()
        process.kill()
        process.wait()
        self.assertFalse(dirlock.is_held(self.directory))

    def test_who_looks_keeps_nobody_from_it(self) -> None:
        looking = os.open(self.directory, os.O_RDONLY)
        fcntl.flock(looking, fcntl.LOCK_SH)
        descriptor = dirlock.acquire(self.directory, lambda _: os.close(looking))
        self.addCleanup(os.close, descriptor)
        self.assertTrue(dirlock.is_held(self.directory))

    def test_who_looks_for_ever_has_it(self) -> None:
        looking = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, looking)
        fcntl.flock(looking, fcntl.LOCK_SH)
        self.assertRaises(dirlock.Held, dirlock.acquire, self.directory, lambda _: None)
