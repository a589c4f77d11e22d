"""Runs guest agents as processes of their own, which outlive the taskmanager."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from slotwright import dirlock
from slotwright.domain.errors import Unavailable

LOG = logging.getLogger(__name__)

#: Seconds an agent has to end after SIGTERM.
STOP_TIMEOUT = 10.0


class ProcessLauncher:
    """See ``taskmanager.ports.Launcher``.

    An agent runs in a session of its own, so that a signal to the taskmanager's group
    does not reach it. Whether one runs is asked of the lock on its directory, which also
    tells of agents that an earlier taskmanager started.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        """``arguments``: what every agent gets on its command line; no secrets."""
        self._arguments = tuple(arguments)
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, instance_id: str, directory: str) -> None:
        with self._lock:
            child = self._children.get(instance_id)
            if child is not None and child.poll() is None:
                return
            try:
                os.makedirs(directory, mode=0o700, exist_ok=True)
                if not dirlock.is_held(directory):
                    self._children[instance_id] = self._spawn(instance_id, directory)
            except OSError as error:
                raise Unavailable(f'The agent cannot be started: {error}') from error

    def stop(self, instance_id: str, directory: str) -> None:
        gone = dirlock.terminate(directory, STOP_TIMEOUT)
        with self._lock:
            child = self._children.pop(instance_id, None)
        if child is not None:
            child.kill()  # where it had no lock yet
            child.wait()
        elif not gone:
            raise Unavailable(f'The agent of instance {instance_id} does not end.')

    def reap(self) -> None:
        with self._lock:
            self._children = {i: c for i, c in self._children.items() if c.poll() is None}

    def close(self) -> None:
        """Agents go on without us; those that ended are reaped."""
        with self._lock:
            for child in self._children.values():
                child.poll()
            self._children.clear()

    def _spawn(self, instance_id: str, directory: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            '-m',
            'slotwright.cmd.guestagent',
            *self._arguments,
            '--guestagent-instance_id',
            instance_id,
            '--guestagent-directory',
            directory,
        ]
        LOG.info('Starting the agent of instance %s', instance_id)
        with open(os.path.join(directory, 'agent.log'), 'ab') as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
