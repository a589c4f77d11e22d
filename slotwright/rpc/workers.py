"""The threads that an RPC server's messages are handled on."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

LOG = logging.getLogger(__name__)


class Workers:
    """Up to ``max_workers`` daemon threads, made as they are needed.

    What oslo.messaging wants of an executor. Two things are not to be had from the
    executors of the standard library and of futurist: a stop wakes idle threads (futurist
    takes a second), and a thread that is stuck in sending an answer, because the broker
    is away, keeps no process from exiting.
    """

    def __init__(self, max_workers: int) -> None:
        self._max_workers = max_workers
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0

    def submit(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Do the work as soon as a thread is free, in order of submission."""
        with self._lock:
            self._unfinished += 1
            if self._unfinished > len(self._threads) < self._max_workers:
                thread = threading.Thread(target=self._run, name='rpc-worker', daemon=True)
                self._threads.append(thread)
                thread.start()
        self._work.put(lambda: work(*arguments))

    def shutdown(self, wait: bool = True) -> None:
        """End the threads when all that was submitted is done; nothing may follow."""
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._work.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                LOG.exception('A message was not handled')
            finally:
                with self._lock:
                    self._unfinished -= 1
