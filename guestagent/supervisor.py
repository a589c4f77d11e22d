"""Keeps the instance's redis-server the way it is meant to be: up, or down."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from guestagent.budget import RestartBudget
from guestagent.directory import InstanceDirectory, write_private
from guestagent.node import Node, accepted, info_fields
from guestagent.process import ServerProcess
from guestagent.redisconf import render
from guestagent.state import Spec, StateStore
from slotwright.domain.errors import CommandRefused, EngineFailed, GuestError, NotPrepared
from slotwright.engine import Engine, EngineFinder

LOG = logging.getLogger(__name__)

#: Seconds a server that is to be stopped may take to write out its data.
STOP_GRACE = 20.0
#: A master says cluster_state:fail for so long after its start, whatever its cluster is
#: (CLUSTER_WRITABLE_DELAY of cluster.c).
WRITABLE_DELAY = 2.0
_LOG_TAIL = 2000  # characters


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What a start depends on beside the spec."""

    timeout: float  # seconds a started server has to answer, loading included
    headroom: float  # part of the ram that maxmemory leaves free


class Supervisor:
    """Starts, adopts, revives and stops redis-server; one at a time.

    ``changed`` is called after each start, adoption and stop.
    """

    def __init__(
        self,
        *,
        directory: InstanceDirectory,
        store: StateStore,
        engines: EngineFinder,
        process: ServerProcess,
        budget: RestartBudget,
        options: StartOptions,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._directory = directory
        self._store = store
        self._engines = engines
        self._process = process
        self._budget = budget
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.RLock()
        self._node: Node | None = None
        self._started: float | None = None
        self._closing = False
        self.changed: Callable[[], None] = lambda: None

    @property
    def node(self) -> Node:
        """The link to our Redis.

        :raises NotPrepared: when there is none, or none that runs.
        """
        node = self._node
        if node is None:
            raise NotPrepared('redis-server does not run here')
        return node

    @property
    def node_id(self) -> str | None:
        record = self._process.record
        return record.node_id if record else None

    @property
    def major(self) -> int:
        """Major version of the engine that runs."""
        record = self._process.record
        if record is None:
            raise NotPrepared('redis-server does not run here')
        return Engine(record.binary, record.version).major

    @property
    def writable_at(self) -> float:
        """Clock time before which a master cannot say cluster_state:ok."""
        return 0.0 if self._started is None else self._started + WRITABLE_DELAY

    def running(self) -> bool:
        """Whether the process lives; does not wait for a start under way."""
        return self._process.alive()

    def adopt(self) -> bool:
        """Take over a running server of an earlier agent, without touching it.

        :raises EngineFailed: when what runs in our directory is another Redis node.
        """
        with self._lock:
            spec = self._store.state.spec
            if self._store.damage:
                # To tell how it is, and to stop it should the instance be unwanted.
                return self._process.find_any()
            if self._process.alive() or spec is None:
                return self._process.alive()
            if not self._process.find(self._engine_or_none(spec)):
                return False
            self._node = Node(spec.address, spec.secret)
            expected = self.node_id
            try:
                node_id = self._identify()
            except GuestError as e:
                # Loading or hung. The other three marks agree: it is ours.
                LOG.warning('Adopted a redis-server that does not answer now: %s', e.message)
            else:
                if expected and node_id != expected:
                    self._process.release()
                    self._node = None
                    raise EngineFailed(f'{self._directory.path} is used by Redis node {node_id}')
                self._process.name_node(node_id)
            LOG.info('Adopted redis-server %s', self._process.record)
        self.changed()
        return True

    def check(self, spec: Spec) -> Engine:
        """The engine that can run this spec.

        :raises EngineNotFound: when there is no binary for it.
        :raises CommandRefused: when the engine cannot do what the spec asks for.
        """
        engine = self._engine(spec)
        if engine.major < 7 and spec.address.bus_port != spec.address.port + 10000:
            raise CommandRefused(f'version {engine.version} cannot choose its bus port')
        return engine

    def start(self) -> None:
        """Start redis-server unless it runs; return when it answers.

        :raises EngineNotFound: when there is no binary for it.
        :raises EngineFailed: when it does not come up in time.
        """
        with self._lock:
            if self._closing:
                raise NotPrepared('the guest agent is stopping')
            self._budget.reset()
            if not self._process.alive() and not self.adopt():
                self._launch()
            self._await_answer()
        self.changed()

    def revive(self) -> float | None:
        """Restart a server that died; called whenever one may have.

        Answers the seconds after which to call again, None when there is nothing to wait
        for: it runs, it is meant to be down, or it died too often.
        """
        with self._lock:
            state = self._store.state
            if self._process.alive() or self._closing or state.spec is None or state.stopped:
                return None
            if self._process.record is None:
                return None  # never started, or left down
            wait = self._budget.wait()
            if wait:
                return wait
            if wait is None:
                LOG.error('redis-server died too often and is left down')
                self._let_go()
            else:
                self._restart()
        self.changed()  # and so looked at again
        return None

    def stop(self, grace: float = STOP_GRACE) -> None:
        """Stop redis-server, the hard way after ``grace`` seconds."""
        with self._lock:
            spec = self._store.state.spec
            if self._process.record is None:
                if spec is not None:
                    self._process.find(self._engine_or_none(spec))
                elif self._store.damage:
                    self._process.find_any()
            self._process.stop(grace)
            self._let_go()
        self.changed()

    def release(self) -> None:
        """The agent ends; its redis-server goes on."""
        with self._lock:
            self._closing = True
            self._process.release()
            if self._node is not None:
                self._node.close()
            self._node = None

    def write_conf(self, tenant_hash: str) -> None:
        """Write redis.conf for the server that runs, so that a restart obeys it too."""
        spec, record = self._store.state.spec, self._process.record
        if spec is None or record is None:
            raise NotPrepared('redis-server does not run here')
        self._render(spec, tenant_hash, Engine(record.binary, record.version))

    def exit_descriptor(self) -> int | None:
        """See ``ServerProcess.exit_descriptor``."""
        with self._lock:
            return self._process.exit_descriptor()

    def _restart(self) -> None:
        self._budget.spend()
        record = self._process.record
        LOG.warning('redis-server %s died; starting it again', record.pid if record else '')
        try:
            self._launch()
            self._await_answer()
        except GuestError as e:
            LOG.error('redis-server does not come back: %s', e.message)

    def _launch(self) -> None:
        spec = self._require_spec()
        engine = self.check(spec)
        self._directory.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._render(spec, '' if self._store.state.retired else spec.tenant_hash, engine)
        self._started = self._clock()
        self._process.start(engine)
        if self._node is not None:
            self._node.close()
        self._node = Node(spec.address, spec.secret)

    def _await_answer(self) -> None:
        deadline = self._clock() + self._options.timeout
        pause = 0.005
        while True:
            try:
                self._process.name_node(self._identify())
                return
            except GuestError as e:
                if not self._process.alive():
                    raise EngineFailed(f'redis-server ended: {self._log_tail()}') from e
                if self._clock() >= deadline:
                    raise EngineFailed(
                        f'redis-server does not answer after {self._options.timeout:g} s: '
                        f'{e.message}'
                    ) from e
            self._sleep(pause)
            pause = min(0.1, pause * 1.5)

    def _identify(self) -> str:
        """The node id of our very process.

        :raises GuestError: when it does not answer, or another process does: ours may be
            about to fail because the address is taken, by a node of the same cluster even.
        """
        commands = ('CLUSTER', 'MYID'), ('INFO', 'server')
        node_id, info = map(accepted, self.node.run(*commands), commands)
        record = self._process.record
        if record is None or info_fields(info)['process_id'] != str(record.pid):
            raise GuestError('another process answers at the address')
        return str(node_id)

    def _render(self, spec: Spec, tenant_hash: str, engine: Engine) -> None:
        text = render(spec, tenant_hash, self._directory, engine, self._options.headroom)
        write_private(self._directory.redis_conf, text)

    def _let_go(self) -> None:
        self._process.forget()
        if self._node is not None:
            self._node.close()
        self._node = None
        self._started = None

    def _require_spec(self) -> Spec:
        spec = self._store.state.spec
        if spec is None:
            raise NotPrepared('the instance is not prepared')
        return spec

    def _engine(self, spec: Spec) -> Engine:
        if spec.datastore_binary:
            return self._engines.named(spec.datastore_binary)
        return self._engines.find(spec.datastore_version)

    def _engine_or_none(self, spec: Spec) -> Engine | None:
        try:
            return self._engine(spec)
        except GuestError:
            return None

    def _log_tail(self) -> str:
        """The end of redis.log. Redis repeats bad lines of redis.conf: no secret of those."""
        spec = self._require_spec()
        try:
            text = self._directory.redis_log.read_text('utf-8', 'replace')[-_LOG_TAIL:]
        except OSError:
            return 'it left no log'
        for secret in filter(None, (spec.secret, spec.tenant_hash)):
            text = text.replace(secret, '***')
        return ' | '.join(text.strip().splitlines()[-6:])
