"""Everything in one process: SQLite, the ``local://`` transport, agents as objects.

For a laptop, a demo and tests. Redis servers are processes of their own as everywhere:
they go on when this process ends, however it ends, and are found again by the next.
"""

import logging
import os
import threading
from collections.abc import Callable

from oslo_config import cfg

import api.wiring
import guestagent.wiring
import taskmanager.wiring
from guestagent.service import AgentService
from slotwright import dirlock
from slotwright.domain.errors import Unavailable
from slotwright.events import drivers
from slotwright.rpc.clients import taskmanager_client
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import Transport, get_transport
from slotwright.storage import pool_stores
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.service import TaskManagerService

LOG = logging.getLogger(__name__)

#: A killed standalone has no other taskmanager to take over from: a short lease lets the
#: next one go on soon.
LEASE = 2.0

#: A laptop may be called something else tomorrow; its data directory is what counts.
HOST = 'standalone'


class AlreadyRunning(Unavailable):
    """Another standalone uses the data directory."""


class InProcessLauncher:
    """Runs guest agents as objects of this process; see ``taskmanager.ports.Launcher``."""

    def __init__(self, make: Callable[[str, str], AgentService]) -> None:
        """``make(instance_id, directory)`` builds an agent that is not started yet."""
        self._make = make
        self._lock = threading.Lock()
        self._agents: dict[str, AgentService] = {}

    def warm_up(self) -> None:
        """Everything is imported already."""

    def start(self, instance_id: str, directory: str) -> None:
        with self._lock:
            agent = self._agents.get(instance_id)
            if agent is not None:
                if not agent.wait(0):
                    return
                agent.stop()
                del self._agents[instance_id]
            try:
                os.makedirs(directory, mode=0o700, exist_ok=True)
                agent = self._make(instance_id, directory)
                agent.start()
            except OSError as error:  # no space
                raise Unavailable(f'The agent cannot start: {error}') from error
            self._agents[instance_id] = agent

    def stop(self, instance_id: str, directory: str) -> None:
        with self._lock:
            agent = self._agents.pop(instance_id, None)
        if agent is not None:
            agent.stop()

    def reap(self) -> None:
        with self._lock:
            ended = [i for i, agent in self._agents.items() if agent.wait(0)]
            for instance_id in ended:
                self._agents.pop(instance_id).stop()

    def close(self) -> None:
        with self._lock:
            agents = list(self._agents.values())
            self._agents.clear()
        for agent in agents:
            agent.stop()


def configure(conf: cfg.ConfigOpts, data_dir: str, host: str, port: int) -> None:
    """Set what makes a standalone; everything else stays as configured."""
    data_dir = os.path.abspath(data_dir)
    conf.set_override('transport_url', 'local://')
    conf.set_override('connection', f'sqlite:///{data_dir}/slotwright.sqlite', group='database')
    conf.set_override('data_dir', os.path.join(data_dir, 'instances'), group='local')
    conf.set_override('provisioner', 'local', group='taskmanager')
    conf.set_override('host', HOST, group='taskmanager')
    conf.set_default('lease', LEASE, group='taskmanager')
    conf.set_override('bind_host', host, group='api')
    conf.set_override('bind_port', port, group='api')


class Standalone:
    """All three daemons on one data directory, as one service."""

    def __init__(self, conf: cfg.ConfigOpts, data_dir: str) -> None:
        """:raises AlreadyRunning: when another process has the data directory."""
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        self._lock = _lock(data_dir)
        self._store = SQLAlchemyStore.from_config(conf)
        migration.upgrade(self._store)
        self._transport = get_transport(conf)
        self._pool_store = pool_stores.from_config(conf, self._store.database)
        self._events = drivers.from_config(conf)
        self._taskmanager = self._wire_taskmanager(conf)
        self._api = api.wiring.build_service(
            conf, self._transport, self._store, self._pool_store, self._events
        )

    @property
    def url(self) -> str:
        """Where the API listens; known once started."""
        return self._api.url

    def start(self) -> None:
        self._taskmanager.start()
        self._api.start()
        LOG.info('The API is at %s/v1.0/<project>', self.url)

    def stop(self) -> None:
        self._api.stop()
        self._taskmanager.stop()

    def wait(self) -> None:
        self._api.wait()
        self._taskmanager.wait()
        self._transport.cleanup()
        self._events.close()
        self._pool_store.close()
        self._store.close()
        os.close(self._lock)

    def _wire_taskmanager(self, conf: cfg.ConfigOpts) -> TaskManagerService:
        launcher = InProcessLauncher(_agent_maker(conf, self._transport))
        return taskmanager.wiring.build(
            conf,
            self._transport,
            self._store,
            self._pool_store,
            self._events,
            launcher,
        )


def _agent_maker(conf: cfg.ConfigOpts, transport: Transport) -> Callable[[str, str], AgentService]:
    client = taskmanager_client(conf, transport)

    def make(instance_id: str, directory: str) -> AgentService:
        options = guestagent.wiring.options_from_conf(conf, instance_id, directory)
        return guestagent.wiring.build_agent(options, transport, client, RpcServer)

    return make


def _lock(data_dir: str) -> int:
    try:
        return dirlock.acquire(data_dir)
    except dirlock.Held:
        raise AlreadyRunning(f'another standalone runs on {data_dir}') from None
