"""Notice the end of redis-server at once, without polling."""

import logging
import os
import select
import threading
from collections.abc import Callable

from guestagent.supervisor import Supervisor

LOG = logging.getLogger(__name__)

# Where the kernel has no pidfd: seconds between two looks.
_LOOK_EVERY = 1.0


class Watcher:
    """One thread that sleeps until redis-server ends, and has it revived.

    ``died`` is called after each end that was noticed.
    """

    def __init__(self, supervisor: Supervisor, died: Callable[[], None], name: str) -> None:
        self._supervisor = supervisor
        self._died = died
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = threading.Event()
        self._armed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def arm(self) -> None:
        """From here on a dead redis-server is started again."""
        self._armed.set()
        self.wake()

    def wake(self) -> None:
        """There may be another process to watch."""
        if not self._stopping.is_set():
            os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End the thread; redis-server goes on."""
        self.wake()
        self._stopping.set()
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._wait(self._revive())
            except Exception:
                LOG.exception('The watcher of redis-server met an error')
                self._stopping.wait(_LOOK_EVERY)

    def _revive(self) -> float | None:
        return self._supervisor.revive() if self._armed.is_set() else None

    def _wait(self, seconds: float | None) -> None:
        waiting = select.poll()
        waiting.register(self._wake, select.POLLIN)
        exit_descriptor = self._supervisor.exit_descriptor()
        try:
            if exit_descriptor is None:
                if seconds is None and self._supervisor.running():
                    seconds = _LOOK_EVERY
            elif seconds is None and self._armed.is_set():
                waiting.register(exit_descriptor, select.POLLIN)
            ready = waiting.poll(None if seconds is None else seconds * 1000)
        finally:
            if exit_descriptor is not None:
                os.close(exit_descriptor)
        for descriptor, _ in ready:
            if descriptor == self._wake:
                os.eventfd_read(self._wake)
            else:
                self._died()
