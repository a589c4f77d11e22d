"""Deleting what a failed create may have added, later where that cannot be done now."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from redis import exceptions

from slotwright.events.redis.scripts import Script

LOG = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between attempts
MOST = 10_000  # of an outage; the oldest is given up for one more

_Undo = tuple[Script, Sequence[str], Sequence[Any]]


class Rollback:
    """Undoes at once, else from a thread that lives while something is left to undo."""

    def __init__(
        self,
        run: Callable[[Script, Sequence[str], Sequence[Any]], Any],
        look_again: Callable[[], None],
    ) -> None:
        """``look_again`` finds out where to run, between attempts that fail."""
        self._run = run
        self._look_again = look_again
        self._left: deque[_Undo] = deque()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def of(self, script: Script, keys: Sequence[str], given: Sequence[Any]) -> None:
        """Run ``script`` now, or as soon as it can be."""
        undo = (script, keys, given)
        if self._done(undo):
            return
        with self._lock:
            if len(self._left) >= MOST:
                LOG.error('A row may stay that was not added: %s', self._left.popleft()[1][0])
            self._left.append(undo)
            if self._closing.is_set():
                LOG.error('A row may stay that was not added: %s', keys[0])
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(
                    target=self._work, name='slotwright-events-rollback', daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End the thread; what is left is tried once more, up to the first that fails."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        while self._left and self._done(self._left[0]):
            self._left.popleft()
        for _, keys, _ in self._left:
            LOG.error('A row may stay that was not added: %s', keys[0])

    def _work(self) -> None:
        while not self._closing.wait(PAUSE):
            for undo in list(self._left):
                if self._closing.is_set():
                    return
                if self._done(undo):
                    with self._lock:
                        if undo in self._left:
                            self._left.remove(undo)
            with self._lock:
                if not self._left:
                    self._thread = None
                    return
            self._look_again()

    def _done(self, undo: _Undo) -> bool:
        try:
            self._run(*undo)
        except (exceptions.RedisError, OSError) as error:
            LOG.warning('A failed create cannot be rolled back now: %s', error)
            return False
        return True
