"""Tell the taskmanager how the instance is, and ask it what the instance is for."""

import logging
from typing import Any, Protocol

from guestagent import gauges
from guestagent.directory import InstanceDirectory
from guestagent.state import StateStore
from guestagent.supervisor import Supervisor
from slotwright.domain.errors import NotPrepared
from slotwright.outage import Outage
from slotwright.rpc.contract import CommandContext, Wire

LOG = logging.getLogger(__name__)


class TaskManagerClient(Protocol):
    """The part of ``TaskManagerAPI`` that an agent speaks."""

    def report(self, context: CommandContext, instance_id: str, report: Wire) -> None: ...

    def assignment(self, context: CommandContext, instance_id: str) -> Wire: ...


class Reporter:
    """Sends heartbeats. A broker that is away is logged once, not at every beat."""

    def __init__(
        self,
        instance_id: str,
        taskmanager: TaskManagerClient,
        directory: InstanceDirectory,
        store: StateStore,
        supervisor: Supervisor,
    ) -> None:
        self._instance_id = instance_id
        self._taskmanager = taskmanager
        self._directory = directory
        self._store = store
        self._supervisor = supervisor
        self._outage = Outage(
            LOG, 'The taskmanager is out of reach', 'The taskmanager is in reach again'
        )
        self._gauges: Wire | None = None

    def report(self) -> bool:
        """Send one heartbeat; answer whether it was taken."""
        running = self._supervisor.running()
        report: dict[str, Any] = {
            'running': running,
            'node_id': self._supervisor.node_id,
            'volume_used': self._directory.used(),
            'wiped': self._store.wiped,
            'fault': self._store.damage or None,
        }
        if running and self._gauges:
            report['gauges'] = self._gauges
        try:
            self._taskmanager.report(self._context(), self._instance_id, report)
        except Exception as e:  # noqa: BLE001 - whatever the transport raises
            self._outage.goes_on(f'report: {e}')
            return False
        self._outage.is_over()
        # For the next one: a Redis that hangs must not hold back this one.
        self._gauges = self._look() if running else None
        return True

    def _look(self) -> Wire | None:
        try:
            return gauges.look(self._supervisor.node)
        except NotPrepared:
            return None

    def assignment(self) -> Wire | None:
        """Ask what the instance is for; None when nobody answers."""
        try:
            answer = self._taskmanager.assignment(self._context(), self._instance_id)
        except Exception as e:  # noqa: BLE001 - whatever the transport raises
            self._outage.goes_on(f'assignment: {e}')
            return None
        self._outage.is_over()
        return answer

    def _context(self) -> CommandContext:
        return CommandContext(cluster_id=self._store.state.cluster_id)
