"""An enrolled host: waits for an instance, serves it, is clean again, waits for the next.

The state directory holds who the host is (``host.json``) and ``instances/``, with the
directory of the instance it serves. An instance that lies there is served before anything
else, so an agent killed at any time goes on where it was; and a host is announced as clean
only when nothing lies there.
"""

import contextlib
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from guestagent.directory import DirectoryInUse, write_private
from guestagent.service import AgentService
from slotwright import dirlock
from slotwright.domain.errors import SlotwrightError
from slotwright.domain.hosts import Announcement
from slotwright.rpc.contract import CommandContext, Wire

LOG = logging.getLogger(__name__)

#: Seconds between two announcements of a host that waits for work, and between looks
#: whether its instance is gone.
_LOOK_EVERY = 1.0


class TaskManagerClient(Protocol):
    """The part of ``TaskManagerAPI`` that an enrolled host speaks."""

    def announce(self, context: CommandContext, host_id: str, announcement: Wire) -> Wire: ...


class StateDirectory:
    """What an enrolled host keeps; one agent serves it at a time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._identity = self._path / 'host.json'
        self._instances = self._path / 'instances'
        self._lock: int | None = None

    def lock(self) -> None:
        """:raises DirectoryInUse: another enrolled agent has it."""
        self._instances.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock = dirlock.acquire(self._path)
        except dirlock.Held as e:
            raise DirectoryInUse(f'another guest agent serves {self._path}') from e

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def host_id(self) -> str:
        """Who the host is; made at the first time, on disk before it is told anybody.

        :raises ValueError: the file is damaged; nobody else is made up meanwhile.
        """
        try:
            return str(uuid.UUID(json.loads(self._identity.read_text('utf-8'))['host_id']))
        except FileNotFoundError:
            host_id = str(uuid.uuid4())
            write_private(self._identity, json.dumps({'host_id': host_id}), durable=True)
            return host_id
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            raise ValueError(
                f'{self._identity} is damaged: put it back, or remove {self._path} for a new host'
            ) from e

    def instance(self) -> str:
        """The instance that lies here, '' when there is none."""
        for name in sorted(os.listdir(self._instances)):
            with contextlib.suppress(ValueError):
                return str(uuid.UUID(name))
        return ''

    def instance_directory(self, instance_id: str) -> str:
        """:raises ValueError: for what is no instance id, and so no name of a directory."""
        return str(self._instances / str(uuid.UUID(instance_id)))


class EnrolledHost:
    """Announces the host and runs the agent of the instance it was given, if any."""

    def __init__(
        self,
        directory: StateDirectory,
        describe: Callable[[str, str], Announcement],
        make_agent: Callable[[str, str], AgentService],
        taskmanager: TaskManagerClient,
        heartbeat_interval: float,
        clock: Callable[[], float],
    ) -> None:
        """``describe(host_id, holds)``; ``make_agent(instance_id, directory)``, not started."""
        self._directory = directory
        self._describe = describe
        self._make_agent = make_agent
        self._taskmanager = taskmanager
        self._interval = heartbeat_interval
        self._clock = clock
        self._host_id = ''
        self._agent: AgentService | None = None
        self._instance_id = ''
        self._said = ''  # what was logged last, so that it is not said at every beat
        self._announced_at: float | None = None
        self._announced = ''
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='enrolment', daemon=True)

    def start(self) -> None:
        """Find out who the host is and begin.

        :raises DirectoryInUse: another agent serves the state directory.
        :raises ValueError: the identity is damaged.
        """
        self._directory.lock()
        try:
            self._host_id = self._directory.host_id()
        except BaseException:
            self._directory.unlock()
            raise
        LOG.info('This is host %s', self._host_id)
        self._thread.start()

    def stop(self) -> None:
        """End; the instance's redis-server goes on."""
        self._stopping.set()

    def wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
        self._end_agent()
        self._directory.unlock()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except (SlotwrightError, OSError, ValueError) as error:
                self._say(logging.WARNING, str(error))
            except Exception:
                LOG.exception('The enrolled host met an error')  # and goes on
            self._stopping.wait(min(_LOOK_EVERY, self._interval))

    def _look(self) -> None:
        """One look at the instance, if there is one, and what is announced of it."""
        if self._agent is not None and self._agent.wait(0):
            self._end_agent()
        if self._agent is None and (left := self._directory.instance()):
            self._begin_agent(left)
        holds = '' if self._agent is None or self._agent.wiped else self._instance_id
        if holds and not self._is_due(holds):
            return
        given = self._announce(holds)
        if not given or given == self._instance_id:
            return
        if holds:
            self._say(
                logging.ERROR, f'Given instance {given}, but {holds} lies here: taking no other'
            )
            return
        self._end_agent()  # one that has wiped its instance and stayed to say so
        self._begin_agent(given)

    def _is_due(self, holds: str) -> bool:
        return (
            self._announced_at is None
            or holds != self._announced
            or self._clock() - self._announced_at >= self._interval
        )

    def _announce(self, holds: str) -> str:
        """Say how the host is; answer the instance it was given to, '' for none."""
        said = self._describe(self._host_id, holds)
        wire = {
            'group': said.group,
            'machine': said.machine,
            'address': said.address.to_wire(),
            'ram': said.ram,
            'holds': said.holds,
        }
        answer = self._taskmanager.announce(CommandContext(), self._host_id, wire)
        self._announced_at, self._announced = self._clock(), holds
        self._say(logging.INFO, f'Enrolled at {said.address}, {holds or "clean"}')
        return str(answer.get('instance_id') or '')

    def _begin_agent(self, instance_id: str) -> None:
        directory = self._directory.instance_directory(instance_id)
        LOG.info('Serving instance %s', instance_id)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        agent = self._make_agent(instance_id, directory)
        agent.start()
        self._agent, self._instance_id = agent, instance_id

    def _end_agent(self) -> None:
        agent, self._agent, self._instance_id = self._agent, None, ''
        if agent is not None:
            agent.stop()

    def _say(self, level: int, text: str) -> None:
        if text != self._said:
            LOG.log(level, '%s', text)
        self._said = text
