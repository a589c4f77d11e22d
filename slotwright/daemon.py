"""The runner of every daemon: services, periodic work and signals.

SIGTERM and SIGINT drain: services stop in reverse order, what they have taken is
finished, and the exit code is 0. A second one leaves at once. SIGHUP reads the
configuration files again and takes over options that are marked mutable.

Only the standard library's ``threading`` and ``socket`` are used, so a patched standard
library turns all of this green without a second code path.
"""

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Protocol

from oslo_config import cfg

LOG = logging.getLogger(__name__)

#: Seconds that periodic work under way may take to end while draining.
PERIODIC_GRACE = 10.0

_DRAIN = (signal.SIGTERM, signal.SIGINT)


class Service(Protocol):
    """Something that runs until it is told to stop."""

    def start(self) -> None:
        """Begin, and return."""

    def stop(self) -> None:
        """Take no more work. Also called when ``start`` failed half way."""

    def wait(self) -> object:
        """Return when the work taken is finished."""


class Daemon:
    """Runs services until a signal ends them.

    :param services: started in this order and stopped in reverse.
    :param periodics: (callable, seconds between its end and its next start), a thread
        each. What one raises is logged, and it is called again.
    :param ended: returns when the work is over without a signal; then the daemon drains.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        services: Sequence[Service] = (),
        periodics: Sequence[tuple[Callable[[], object], float]] = (),
        ended: Callable[[], object] | None = None,
    ) -> None:
        self._conf = conf
        self._services = services
        self._periodics = periodics
        self._ended = ended
        # Numbers of signals, a byte each. A socket, because it may be written to from a signal
        # handler, whatever the thread holds, and because that wakes eventlet's hub too.
        self._ear, self._mouth = socket.socketpair()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._draining = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; answer the exit code. For the main thread only.

        :raises Exception: what a service's ``start`` raises, after the others stopped.
        """
        before = {
            number: signal.signal(number, self._on_signal) for number in (*_DRAIN, signal.SIGHUP)
        }
        try:
            self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._ear.close()
            self._mouth.close()
        return 0

    def stop(self) -> None:
        """Drain, as SIGTERM does; from any thread."""
        self._tell(signal.SIGTERM)

    def _run(self) -> None:
        started: list[Service] = []
        try:
            for service in self._services:
                started.append(service)
                service.start()
            self._start_periodics()
            if self._ended is not None:
                threading.Thread(target=self._watch, args=(self._ended,), daemon=True).start()
            LOG.info('Running')
            while self._ear.recv(1)[0] == signal.SIGHUP:
                self._mutate()
            LOG.info('Draining')
        finally:
            self._drain(started)
        LOG.info('Stopped')

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in _DRAIN:
            if self._draining:
                # Not sys.exit(): that would wait for the very threads being left behind.
                os._exit(1)
            self._draining = True
        self._tell(number)

    def _tell(self, number: int) -> None:
        with contextlib.suppress(OSError):  # the daemon has ended
            self._mouth.send(bytes([number]))

    def _start_periodics(self) -> None:
        for work, spacing in self._periodics:
            thread = threading.Thread(
                target=self._repeat,
                args=(work, spacing),
                name=f'periodic-{getattr(work, "__name__", "work")}',
                daemon=True,
            )
            self._threads.append(thread)
            thread.start()

    def _repeat(self, work: Callable[[], object], spacing: float) -> None:
        while not self._stopping.wait(spacing):
            try:
                work()
            except Exception:
                LOG.exception('%s failed', threading.current_thread().name)

    def _watch(self, ended: Callable[[], object]) -> None:
        ended()
        self.stop()

    def _mutate(self) -> None:
        try:
            self._conf.mutate_config_files()
        except cfg.Error as error:
            LOG.error('The configuration stays as it was: %s', error)
        else:
            LOG.info('Configuration read again')

    def _drain(self, services: Sequence[Service]) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PERIODIC_GRACE)
        for service in reversed(services):
            for step in (service.stop, service.wait):
                try:
                    step()
                except Exception:
                    LOG.exception('%s of %s failed', step.__name__, type(service).__name__)
