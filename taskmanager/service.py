"""The running taskmanager: its threads, and how they start and end."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from slotwright.rpc.server import RpcServer
from taskmanager.ports import Provisioner
from taskmanager.worker import Worker

LOG = logging.getLogger(__name__)

T = TypeVar('T')


class ThreadFanout:
    """``taskmanager.ports.Fanout`` on a pool of threads."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix='fanout')

    def __call__(self, calls: Mapping[str, Callable[[], T]]) -> Mapping[str, T | Exception]:
        futures = {key: self._pool.submit(call) for key, call in calls.items()}
        outcomes: dict[str, T | Exception] = {}
        for key, future in futures.items():
            error = future.exception()
            if error is None:
                outcomes[key] = future.result()
            elif isinstance(error, Exception):
                outcomes[key] = error
            else:
                raise error
        return outcomes

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class ReportWaiter:
    """``taskmanager.ports.Waiter``: any report ends all waits.

    A report that comes while a thread looks at its nodes, and so may have missed what is
    reported, ends its next wait at once.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._reports = 0
        self._seen = threading.local()

    def wait(self, seconds: float) -> None:
        with self._news:
            seen = getattr(self._seen, 'reports', 0)
            self._news.wait_for(lambda: self._reports != seen, seconds)
            self._seen.reports = self._reports

    def notify(self) -> None:
        with self._news:
            self._reports += 1
            self._news.notify_all()


class Beat:
    """Calls a function at a steady beat, and at once when woken, in one thread.

    Between two calls there are ``interval`` seconds, or fewer when woken, but never fewer
    than ``rest``.
    """

    def __init__(
        self, name: str, interval: float, function: Callable[[], None], rest: float = 0.0
    ) -> None:
        self._interval = interval
        self._rest = rest
        self._function = function
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    def wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._function()
            except Exception:
                LOG.exception('%s stumbled', self._thread.name)  # and goes on
            self._stopping.wait(self._rest)
            self._woken.wait(max(0.0, self._interval - self._rest))
            self._woken.clear()  # before the look whether to stop: a stop wakes, too


class TaskManagerService:
    """A running taskmanager: RPC server, worker and the care for local agents."""

    def __init__(
        self,
        server: RpcServer,
        worker: Worker,
        beats: Mapping[str, Beat],
        provisioner: Provisioner,
        operations: ThreadPoolExecutor,
        fanout: ThreadFanout,
    ) -> None:
        self._server = server
        self._worker = worker
        self._beats = beats
        self._provisioner = provisioner
        self._operations = operations
        self._fanout = fanout

    def start(self) -> None:
        self._server.start()
        for beat in self._beats.values():
            beat.start()

    def stop(self) -> None:
        """Take nothing new; operations under way end their round and are given back."""
        self._worker.stop()
        self._server.stop()
        for name in ('tend', 'catalogue', 'board', 'tidy', 'purge', 'gauges'):
            self._beats[name].stop()

    def wait(self) -> None:
        """Return when all has ended. Leases are renewed until then."""
        self._server.wait()
        self._server.remove()  # the next one has another name
        self._operations.shutdown(wait=True)
        for beat in self._beats.values():
            beat.stop()
            beat.wait()
        self._fanout.close()
        self._provisioner.close()
