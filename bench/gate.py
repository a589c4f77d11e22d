"""Holds a taskmanager at the first round that forms a cluster, until told to go on.

So nodes can run for a while before they are formed, as they do when somebody else's tool is
measured on them. The bench listens on a Unix socket; the taskmanager runs
``GatedStrategy``, which finds the socket by the environment.
"""

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from slotwright.domain.actions import AddSlots, Plan
from slotwright.domain.desired import Desired
from slotwright.domain.observed import Observed
from slotwright.domain.slots import SlotRange
from taskmanager.strategy import RedisTaskManagerStrategy

ENVIRONMENT = 'SLOTWRIGHT_BENCH_GATE'
STRATEGY = 'bench.gate.GatedStrategy'


class GatedStrategy:
    """The default strategy, but that each cluster waits once at the gate."""

    def __init__(self) -> None:
        self._inner = RedisTaskManagerStrategy()
        self._path = os.environ[ENVIRONMENT]
        self._passed: set[str] = set()

    def layout(self, masters: int) -> Sequence[SlotRange]:
        return self._inner.layout(masters)

    def plan(self, desired: Desired, observed: Observed) -> Plan:
        decided = self._inner.plan(desired, observed)
        first = desired.members[0].instance_id if desired.members else ''
        if first not in self._passed and any(isinstance(a, AddSlots) for a in decided.actions):
            self._passed.add(first)
            self._wait()
        return decided

    def _wait(self) -> None:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(self._path)
            link.recv(1)
            link.sendall(str(time.monotonic()).encode())


class Gate:
    """The bench's side."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / 'gate'
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._listener.settimeout(120.0)
        self._waiting: socket.socket | None = None

    def wait(self) -> None:
        """Return when a taskmanager stands at the gate.

        :raises TimeoutError: after two minutes.
        """
        self._waiting, _ = self._listener.accept()

    def open(self) -> float:
        """Let it pass; answers when it went on, in seconds of CLOCK_MONOTONIC."""
        assert self._waiting is not None
        with self._waiting as link:
            link.sendall(b'1')
            return float(link.recv(64))

    def close(self) -> None:
        self._listener.close()
