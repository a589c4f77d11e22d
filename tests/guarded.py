"""Processes that never outlive the test process, see guard.py."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep

import fixtures
from testtools.content import Content
from testtools.content_type import UTF8_TEXT

GUARD = Path(__file__).with_name('guard.py')
LOG_TAIL = 8_000  # bytes of a log shown with a failure
#: Seconds; real times are a few, on a busy machine with slow cores some tens.
PATIENCE = 90.0


def wait_until(ready: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
    """Ask ``ready`` every 50 ms until it says yes.

    :raises TimeoutError: naming ``what``, after ``timeout`` seconds
    """
    deadline = monotonic() + timeout
    while not ready():
        if monotonic() > deadline:
            raise TimeoutError(f'not within {timeout:g} s: {what}')
        sleep(0.05)


class Process(fixtures.Fixture):
    """One command in a session of its own; its output goes to the file ``log``.

    A failing test shows the end of the log. ``pid`` is the command's own.

    :param environment: added to the environment of the tests
    :param linger: what the command started outlives it, though never this fixture
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        *,
        linger: bool = False,
    ) -> None:
        super().__init__()
        self.command = [str(word) for word in command]
        self.environment = dict(environment or {})
        self.linger = linger
        self.pid = 0
        self._guard: subprocess.Popen[bytes] | None = None

    def _setUp(self) -> None:
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.log = directory / 'log'
        self._pid_file = directory / 'pid'
        name = Path(self.command[0]).name
        self.addDetail(f'log of {name}', Content(UTF8_TEXT, lambda: [self.log_tail()]))
        self.addCleanup(self.kill)
        self.start()

    def log_tail(self) -> bytes:
        """Read the end of the log."""
        return self.log.read_bytes()[-LOG_TAIL:] if self.log.exists() else b''

    def start(self) -> None:
        """Run the command, again after it was stopped.

        :raises RuntimeError: when it runs already, or cannot be run
        """
        if self._guard is not None:
            raise RuntimeError(f'{self.command[0]} runs already')
        options = ['--linger'] if self.linger else []
        with self.log.open('ab') as log:
            self._guard = subprocess.Popen(
                [sys.executable, '-SE', str(GUARD), *options, str(self._pid_file), *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                start_new_session=True,
            )
        guard = self._guard
        wait_until(
            lambda: self._pid_file.exists() or guard.poll() is not None, f'start of {self.command}'
        )
        if not self._pid_file.exists():
            raise RuntimeError(f'cannot run {self.command}: {self.log_tail().decode()}')
        self.pid = int(self._pid_file.read_text())

    def is_running(self) -> bool:
        """Tell whether the command itself lives."""
        if self._guard is None or self._guard.poll() is not None:
            return False
        try:
            stat = Path(f'/proc/{self.pid}/stat').read_text()
        except (FileNotFoundError, ProcessLookupError):  # the latter while it ends
            return False
        return stat.rpartition(')')[2].split()[0] != 'Z'

    def signal(self, signum: int) -> None:
        """Signal the command alone; with ``linger`` its children live on."""
        if self.is_running():
            os.kill(self.pid, signum)

    def wait(self, timeout: float = PATIENCE) -> None:
        """Wait until the command has ended.

        :raises TimeoutError: when it still runs after ``timeout`` seconds
        """
        wait_until(lambda: not self.is_running(), f'end of {self.command}', timeout)

    def stop(self) -> None:
        """SIGTERM the command, then end everything it left; return when all is gone."""
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()
        self._guard = None
        self._pid_file.unlink()

    def kill(self) -> None:
        """SIGKILL the command, then end everything it left; return when all is gone."""
        self.signal(signal.SIGKILL)
        self.stop()
