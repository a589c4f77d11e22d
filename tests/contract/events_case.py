"""What the tests of the events drivers share: three back ends, and what can be done to them."""

import atexit
import contextlib
import re
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import fixtures
import redis

from slotwright.events.base import Driver, Subscriber
from slotwright.events.memory import MemoryDriver
from slotwright.events.redis.driver import ClusterDriver, OneServerDriver
from tests import servers
from tests.base import TestCase
from tests.fault_proxy import FaultProxy
from tests.guarded import wait_until
from tests.redis_cluster import RedisCluster

PATIENCE = 60.0  # seconds that anything may take on a busy machine
#: Seconds after which drivers give up a server that is meant to hang.
QUICK = 1.0


class Place(Protocol):
    """A server of a back end, and the proxy before it."""

    server: servers.RedisServer
    proxy: FaultProxy


class Backend(fixtures.Fixture):
    """Where a driver keeps its data; one for a class of tests."""

    def connect(self, timeout: float = PATIENCE) -> Driver:
        """A new driver; a server is given up after ``timeout`` seconds."""
        raise NotImplementedError

    def heal(self) -> None:
        """Undo all faults."""


class Memory(Backend):
    """Memory. Drivers that are to hear one another are one object."""

    def _setUp(self) -> None:
        self._driver = MemoryDriver()

    def connect(self, timeout: float = PATIENCE) -> Driver:
        return self._driver


class RedisBackend(Backend):
    """What Redis has in common."""

    #: Whether another node serves when one is down.
    survives: ClassVar[bool]

    @property
    def places(self) -> list[Any]:
        """All nodes."""
        raise NotImplementedError

    def owner(self, table: str) -> Any:
        """The place of a table."""
        raise NotImplementedError

    def of(self, part: Any) -> Any:
        """The place of a publisher or subscriber."""
        return next(place for place in self.places if place.proxy.port == part._node[1])

    def replacing(self, place: Any) -> contextlib.AbstractContextManager[None]:
        """Meanwhile another node may be given what ``place`` had, which is down or suspended."""
        return contextlib.nullcontext()

    def sync(self, place: Any) -> None:
        """Wait until others have all that this one has."""

    def clients(self) -> int:
        """Connections that clients have, but ours."""
        return sum(_clients(place) for place in self.places)


def _clients(place: Any) -> int:

    with redis.Redis(port=place.server.port) as client:
        own = client.client_id()
        listed = client.client_list()
    return sum(one['id'] != str(own) and not set(one['flags']) & {'M', 'S'} for one in listed)


class _Lone:
    def __init__(self, server: servers.RedisServer, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy


class Single(RedisBackend):
    """One server."""

    survives = False

    def setUp(self) -> None:
        servers.RedisServer.require()
        super().setUp()

    def _setUp(self) -> None:
        server = self.useFixture(servers.RedisServer('--appendonly', 'yes'))
        self._place = _Lone(server, self.useFixture(FaultProxy(server.port)))

    @property
    def places(self) -> list[Any]:
        return [self._place]

    def owner(self, table: str) -> Any:
        return self._place

    def connect(self, timeout: float = PATIENCE) -> Driver:
        return OneServerDriver.at(
            f'redis://127.0.0.1:{self._place.proxy.port}?socket_timeout={timeout}'
        )

    def heal(self) -> None:
        self._place.proxy.heal()
        self._place.server.resume()
        if not self._place.server.process.is_running():
            self._place.server.kill()
            self._place.server.start()


class Clustered(RedisBackend):
    """Three masters with a replica each."""

    survives = True

    def setUp(self) -> None:
        servers.RedisServer.require()
        super().setUp()

    def _setUp(self) -> None:
        self.cluster = self.useFixture(RedisCluster())

    @property
    def places(self) -> list[Any]:
        return list(self.cluster.nodes)

    def owner(self, table: str) -> Any:
        return self.cluster.owner(f'slotwright:{{{table}}}:')

    def replacing(self, place: Any) -> contextlib.AbstractContextManager[None]:
        return self.cluster.replacing(place)

    def sync(self, place: Any) -> None:
        # WAIT knows only what its own connection wrote.
        def is_synced() -> bool:
            found = place.ask('INFO', 'replication')
            (replica,) = (found[name] for name in found if re.fullmatch(r'slave\d+', name))
            return bool(int(replica['offset']) >= offset)

        offset = int(place.ask('INFO', 'replication')['master_repl_offset'])
        wait_until(is_synced, 'a replica that has it all', PATIENCE)

    def connect(self, timeout: float = PATIENCE) -> Driver:
        return ClusterDriver.at(f'{self.cluster.url}?socket_timeout={timeout}', self.cluster.seeds)

    def heal(self) -> None:
        self.cluster.heal()


class Heard:
    """A function for a subscriber, that remembers; also for what tells of losses."""

    def __init__(self) -> None:
        self._all: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, message: Any) -> None:
        with self._changed:
            self._all.append(message)
            self._changed.notify_all()

    @property
    def all(self) -> list[Any]:
        with self._changed:
            return list(self._all)

    def wait_for(self, count: int) -> list[Any]:
        """Wait until there are so many, and answer all there are."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._all) >= count, PATIENCE):
                raise AssertionError(f'only {len(self._all)} of {count}: {self._all[-5:]}')
            return list(self._all)


_running: dict[type[Backend], Backend] = {}


def _shared(kind: type[Backend]) -> Backend:
    """The back end of this process, started by the first who asks.

    :raises unittest.SkipTest: when the program is not installed
    """
    if kind not in _running:
        backend = kind()
        backend.setUp()
        atexit.register(backend.cleanUp)
        _running[kind] = backend
    return _running[kind]


class EventsCase(TestCase):
    """A test with the process's back end, which is whole at the start of each test."""

    backend_class: ClassVar[type[Backend]]
    backend: ClassVar[Any]
    timeout = 300

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.backend = _shared(cls.backend_class)

    def setUp(self) -> None:
        super().setUp()
        self.backend.heal()
        self.name = self.id().rpartition('.')[2]  # for tables and channels: nobody else's

    def driver(self, timeout: float = PATIENCE) -> Driver:
        made: Driver = self.backend.connect(timeout)
        self.addCleanup(made.close)
        return made

    def subscriber(self, driver: Driver) -> tuple[Subscriber, Heard]:
        """A subscriber, and what it is told of losses."""
        told = Heard()
        made = driver.subscriber(told)
        self.addCleanup(made.close)
        return made, told


def eventually(call: Callable[[], Any], *failures: type[Exception]) -> Any:
    """What ``call`` gives once it no longer fails with one of ``failures``."""
    found: list[Any] = []

    def works() -> bool:
        try:
            found.append(call())
        except failures:
            return False
        return True

    wait_until(works, 'an end of the failures', PATIENCE)
    return found[0]
