"""Runs guest agents as processes of their own, which outlive the taskmanager."""

import logging
import os
import sys
import threading
from collections.abc import Sequence

from slotwright import dirlock
from slotwright.domain.errors import Unavailable
from taskmanager.provisioners.nursery import Agent, Nursery

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
        self._nursery = Nursery()
        self._agents: dict[str, Agent] = {}

    def warm_up(self) -> None:
        self._nursery.warm_up()

    def start(self, instance_id: str, directory: str) -> None:
        with self._lock:
            agent = self._agents.get(instance_id)
            if agent is not None:
                if not agent.ended():
                    return
                self._agents.pop(instance_id).close()
            try:
                os.makedirs(directory, mode=0o700, exist_ok=True)
                if not dirlock.is_held(directory):
                    self._agents[instance_id] = self._spawn(instance_id, directory)
            except OSError as error:
                raise Unavailable(f'The agent cannot be started: {error}') from error

    def stop(self, instance_id: str, directory: str) -> None:
        gone = dirlock.terminate(directory, STOP_TIMEOUT)
        with self._lock:
            agent = self._agents.pop(instance_id, None)
        if agent is not None:
            agent.kill()  # where it had no lock yet
            gone = agent.ended(STOP_TIMEOUT)
            agent.close()
        if not gone:
            raise Unavailable(f'The agent of instance {instance_id} does not end.')

    def reap(self) -> None:
        with self._lock:
            ended = [i for i, agent in self._agents.items() if agent.ended()]
            for instance_id in ended:
                self._agents.pop(instance_id).close()

    def close(self) -> None:
        """Agents go on without us."""
        with self._lock:
            for agent in self._agents.values():
                agent.close()
            self._agents.clear()
        self._nursery.close()

    def _spawn(self, instance_id: str, directory: str) -> Agent:
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
            return self._nursery.spawn(command, log.fileno())
