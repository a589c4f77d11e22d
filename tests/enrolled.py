"""Hosts of the inventory: enrolled agents as processes, on loopback addresses."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import fixtures

from tests import processes, rows, servers
from tests.deployment import READY, Deployment
from tests.guarded import Process, wait_until

GROUP = 'default'


class EnrolledHost(fixtures.Fixture):
    """A machine with one ``slotwright-guestagent --enroll``, for the clusters of ``plane``."""

    def __init__(self, plane: Deployment, number: int) -> None:
        super().__init__()
        self.plane = plane
        self.machine = f'machine-{number}'
        self.ip = plane.network.replace('.0/24', f'.{number}')
        self.port = 0

    def _setUp(self) -> None:
        self.state = Path(self.useFixture(fixtures.TempDir()).path) / 'state'
        while not self.port or self.port > 50000:
            self.port = servers.free_port()
        self.process = self.useFixture(
            Process(self._command(), self.plane.environment, linger=True)
        )

    @property
    def id(self) -> str:
        """Who the host says it is, '' before it knows."""
        identity = self.state / 'host.json'
        return str(json.loads(identity.read_text())['host_id']) if identity.exists() else ''

    @property
    def instances(self) -> list[str]:
        """Those that have something on its disk."""
        place = self.state / 'instances'
        entries = place.iterdir() if place.exists() else []
        return sorted(entry.name for entry in entries if any(entry.iterdir()))

    @property
    def redis_pids(self) -> list[int]:
        return sorted(processes.redis_servers(self.state / 'instances').values())

    def record(self, host_id: str = '') -> dict[str, object]:
        """The host's row, {} without one."""
        found = rows.select(self.plane.database, 'hosts', id=host_id or self.id)
        return found[0] if found else {}

    def await_free(self) -> None:
        """Wait until it is known, nobody has it, and it says that it is clean."""

        def free() -> bool:
            row = self.record()
            return bool(row) and not row['instance_id'] and not row['holds']

        wait_until(free, f'host {self.machine} free', READY)

    def kill(self) -> None:
        """SIGKILL the agent; its redis-server goes on."""
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start the agent again, after a ``kill``; what it left lives on."""
        self.process = self.useFixture(
            Process(self._command(), self.plane.environment, linger=True)
        )

    def lose_disk(self) -> None:
        """Everything on it is gone, and what ran there."""
        self.kill()
        for pid in self.redis_pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.redis_pids, 'end of Redis')
        shutil.rmtree(self.state)

    def _command(self) -> list[str]:
        options = {
            'directory': self.state,
            'address': self.ip,
            'port': self.port,
            'machine': self.machine,
        }
        words = [w for name, value in options.items() for w in (f'--guestagent-{name}', f'{value}')]
        module = [sys.executable, '-m', 'slotwright.cmd.guestagent']
        return [*module, '--config-file', str(self.plane.config), '--enroll', GROUP, *words]
