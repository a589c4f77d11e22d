"""Who is to be killed at which event: a file that the daemons and the test share.

Its first line says ``ROLE N``; each event of that role adds a line. Whichever process adds
the Nth kills itself, so N counts over all processes of a role and nobody is killed twice.
"""

import fcntl
import itertools
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NEVER = 0
NOBODY = 'nobody'


class CrashPlan:
    """The plan in one file; every method locks it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def arm(self, role: str, number: int = NEVER) -> None:
        """Count the events of ``role`` from 1 again, and kill at the given one."""
        with self._locked() as file:
            os.ftruncate(file, 0)
            os.write(file, f'{role} {number}\n'.encode())

    def disarm(self) -> None:
        """Count nobody's events; those counted are forgotten."""
        self.arm(NOBODY)

    def events(self) -> Sequence[str]:
        """What was counted since ``arm``, in order."""
        with self._locked() as file:
            return _lines(file)[1:]

    def happen(self, role: str, event: str) -> None:
        """Count one event of this process, which may be its last.

        Not counted: a question for the status that was asked already since something
        else happened.
        """
        with self._locked() as file:
            header, *events = _lines(file)
            armed, number = header.split()
            line = f'{event} ({os.getpid()})'
            if armed != role or line in _questions(events):
                return
            os.write(file, f'{line}\n'.encode())
            if len(events) + 1 == int(number):
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _questions(events: Sequence[str]) -> Iterator[str]:
    """The events about ``status`` after the last one about anything else."""
    return itertools.takewhile(lambda event: ' status ' in event, reversed(events))


def _lines(file: int) -> list[str]:
    return os.pread(file, os.fstat(file).st_size, 0).decode().splitlines() or [f'{NOBODY} {NEVER}']
