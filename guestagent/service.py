"""The life of a guest agent: lock, serve, ask what it is for, report, end."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from guestagent.agent import GuestAgent
from guestagent.answers import AnswerCache
from guestagent.directory import InstanceDirectory
from guestagent.heartbeat import Reporter
from guestagent.state import StateStore
from guestagent.supervisor import Supervisor
from guestagent.watcher import Watcher
from slotwright.domain.errors import GuestError

LOG = logging.getLogger(__name__)

_FIRST_RETRY, _LONGEST_RETRY = 0.2, 5.0  # seconds between two questions for the assignment
#: Seconds from the first report of an agent without a Redis to its question.
_LATER = 1.0
#: Heartbeats after which an agent asks again what its instance is for: it may have been
#: suspended, or cut off, while the instance was given up.
ASK_EVERY = 6
#: Seconds an agent whose instance was wiped on command stays to answer a repeated command.
LINGER = 30.0


class RpcServer(Protocol):
    """What serves the endpoint: ``slotwright.rpc.server.RpcServer`` or a test's own."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait(self) -> None: ...

    def remove(self) -> None: ...


class AgentService:
    """One agent in this process; there may be many.

    Two threads beside the RPC server's: the watcher must not wait for a broker that is
    away, or a dead redis-server would.
    """

    def __init__(
        self,
        *,
        agent: GuestAgent,
        directory: InstanceDirectory,
        store: StateStore,
        answers: AnswerCache,
        supervisor: Supervisor,
        reporter: Reporter,
        rpc_server: RpcServer,
        serial: threading.Lock,
        heartbeat_interval: float,
        clock: Callable[[], float],
        random: Callable[[], float],
        name: str,
    ) -> None:
        self._agent = agent
        self._directory = directory
        self._store = store
        self._answers = answers
        self._supervisor = supervisor
        self._reporter = reporter
        self._rpc_server = rpc_server
        self._serial = serial
        self._interval = heartbeat_interval
        self._clock = clock
        self._random = random
        self._stopping = threading.Event()
        self._serving = threading.Event()
        self._poke = threading.Event()
        self._ended = threading.Event()
        self._watcher = Watcher(supervisor, self._poke.set, f'watcher-{name}')
        self._thread = threading.Thread(target=self._run, name=f'agent-{name}', daemon=True)

    @property
    def wiped(self) -> bool:
        """Whether nothing of the instance is left on this host."""
        return self._store.wiped

    def start(self) -> None:
        """Lock the directory, adopt what runs, serve.

        :raises guestagent.directory.DirectoryInUse: when another agent serves it.
        :raises EngineFailed: when a foreign Redis node runs in the directory.
        """
        self._directory.lock()
        try:
            self._store.load()
            self._answers.load()
            self._supervisor.adopt()
        except BaseException:
            self._supervisor.release()
            self._directory.unlock()
            raise
        if self._store.damage:
            LOG.error('%s: hands off Redis', self._store.damage)
        self._supervisor.changed = self._on_change
        self._watcher.start()
        self._thread.start()
        try:
            # Last: it may wait for a broker, and Redis is not to wait with it.
            self._rpc_server.start()
        except BaseException:
            self.stop()
            raise
        self._serving.set()

    def stop(self) -> None:
        """End the agent; its redis-server goes on."""
        self._agent.hurry()
        self._stopping.set()
        self._serving.set()
        self._poke.set()
        self._rpc_server.stop()
        self._rpc_server.wait()
        self._thread.join()
        self._supervisor.changed = lambda: None
        self._watcher.stop()
        self._supervisor.release()
        if self._store.wiped:  # nothing of the instance stays, here or at the broker
            self._rpc_server.remove()
            self._directory.remove()
        self._directory.unlock()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the agent ended, by ``stop`` or because its instance is gone.

        Call ``stop`` afterwards in either case.
        """
        return self._ended.wait(timeout)

    def _on_change(self) -> None:
        self._watcher.wake()
        self._poke.set()

    def _run(self) -> None:
        try:
            if self._settle():
                self._beat()
        except Exception:
            LOG.exception('The guest agent met an error and ends')
        finally:
            self._ended.set()

    def _settle(self) -> bool:
        """Find out what the instance is for, and obey; False when it is for nothing."""
        if self._store.state.spec is None:
            # There is no Redis to care for. Ready to be prepared, once there is a queue for
            # commands: one sent before would be lost, and its sender would wait for an
            # answer. The question can wait until the agents of a new cluster are up.
            self._serving.wait()
            self._reporter.report()
            self._pause(_LATER * (0.5 + self._random()))
        wanted = self._ask()
        if wanted is None:
            return False
        if not wanted:
            self._remove()
            return False
        if self._store.damage:
            return True  # whatever runs goes on, and dies when it dies
        try:
            with self._serial:
                self._agent.resume()
        except GuestError as e:
            LOG.error('redis-server is not up: %s', e.message)
        self._watcher.arm()
        return True

    def _ask(self) -> bool | None:
        """Ask until somebody who knows answers; None when the agent is stopped meanwhile.

        Until then no redis-server is started: the instance may be long gone from the
        books. One that runs is left to run.
        """
        pause = _FIRST_RETRY
        while not self._stopping.is_set():
            answer = self._reporter.assignment()
            if answer is not None:
                return bool(answer['wanted'])
            # Spread, or all agents of a site would ask at once when the broker returns.
            self._pause(pause * (0.5 + self._random()))
            pause = min(_LONGEST_RETRY, pause * 2)
        return None

    def _remove(self) -> None:
        LOG.info('The instance is not wanted any more: removing it')
        with self._serial:
            self._agent.wipe()
        while not self._reporter.report() and not self._stopping.is_set():
            self._pause(self._interval)

    def _beat(self) -> None:
        wiped_at: float | None = None
        asked_at = self._clock()
        while not self._stopping.is_set():
            self._poke.clear()
            if self._stopping.is_set():
                return
            reported = self._reporter.report()
            if self._store.wiped:
                wiped_at = self._clock() if wiped_at is None else wiped_at
                if reported and self._clock() - wiped_at > LINGER and self._is_unwanted():
                    return
            elif reported and self._clock() - asked_at >= ASK_EVERY * self._interval:
                if self._is_unwanted():
                    self._remove()
                    return
                asked_at = self._clock()
            self._poke.wait(self._interval)

    def _is_unwanted(self) -> bool:
        answer = self._reporter.assignment()
        return answer is not None and not answer['wanted']

    def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        deadline = self._clock() + seconds
        while not self._stopping.is_set() and (left := deadline - self._clock()) > 0:
            self._poke.wait(left)
            if not self._stopping.is_set():
                self._poke.clear()
