"""What the tests of the management store's contract share: its five back ends, and clients."""

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import redis

from slotwright.domain.errors import SlotwrightError, StorageUnavailable
from slotwright.storage.management import PoolStore
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from tests import servers
from tests.base import TestCase
from tests.contract import databases, seed_layout

URI = 'local://'


def offered(scheme: str) -> Sequence[str]:
    """What the provisioners of these tests can do."""
    return {'local': ('slots', 'volumes'), 'inventory': ('hosts',)}.get(scheme, ())


class Backend(Protocol):
    """Something that a store keeps its data in."""

    def create(self) -> str:
        """Have one with nothing in it, and answer where it is.

        :raises unittest.SkipTest: naming the package of a server that is not installed.
        """

    def connect(self, place: str) -> PoolStore:
        """One more client of it."""

    def check(self, place: str) -> list[str]:
        """What is wrong with the data as they lie there; [] for nothing."""


class SQL:
    """Tables in a database."""

    def __init__(self, database: databases.Backend) -> None:
        self._database = database

    def create(self) -> str:
        url = self._database.create()
        migration.upgrade(url)
        return url

    def connect(self, place: str) -> PoolStore:
        return SQLAlchemyPoolStore.connect(place, capabilities=offered)

    def check(self, place: str) -> list[str]:
        return []  # the tables' keys see to it


class Redis:
    """A database of a server that the test process has for all of them."""

    def __init__(self, kind: type[servers.RedisServer] = servers.RedisServer) -> None:
        self._kind = kind

    def create(self) -> str:
        url = servers.shared(self._kind).url
        with redis.Redis.from_url(url) as client:
            client.flushall()
        return url

    def connect(self, place: str) -> PoolStore:
        return RedisPoolStore.connect(f'{place}?socket_timeout=30', capabilities=offered)

    def check(self, place: str) -> list[str]:
        with redis.Redis.from_url(place, decode_responses=True) as client:
            return seed_layout.faults(client)


SQLITE = SQL(databases.SQLite())
MARIADB = SQL(databases.MariaDB())
POSTGRESQL = SQL(databases.PostgreSQL())
REDIS = Redis()
VALKEY = Redis(servers.ValkeyServer)


class ManagementCase(TestCase):
    """A store without anything in it; ``backend`` says which. The data are checked after."""

    backend: ClassVar[Backend]
    place: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.place = cls.backend.create()

    def setUp(self) -> None:
        super().setUp()
        self.store = self.connect()
        self.pools = self.store.pools
        self.flavors = self.store.flavors
        self.catalogue = self.store.catalogue
        self.empty()
        self.addCleanup(lambda: self.assertEqual([], self.backend.check(self.place)))

    def connect(self) -> PoolStore:
        """One more client of the same store."""
        store = self.backend.connect(self.place)
        self.addCleanup(store.close)
        return store

    def empty(self) -> None:
        self.catalogue.drop_all()
        self.flavors.drop_all()
        self.pools.drop_all()

    def pool(self, name: str, flavor: str | None = None, weight: int = 1, **more: Any) -> None:
        self.pools.create(name, weight, more.pop('uri', URI), flavor, **more)

    def pool_names(self, flavor: str | None = None) -> list[str]:
        found = self.pools.list(limit=0) if flavor is None else self.by_flavor(flavor)
        return [pool.name for pool in found]

    def by_flavor(self, flavor: str) -> Sequence[Any]:
        return self.pools.get_pools_by_flavor(flavor)

    def everything(self) -> Any:
        """All there is, to see that nothing changed."""
        return (
            self.pools.list(limit=0),
            self.flavors.list(limit=0),
            [self.catalogue.list(project) for project in (None, 'a', 'a.b', 'a.b.c', 'p')],
        )

    def refused(self, kind: type[SlotwrightError], call: Callable[[], object]) -> str:
        """Call, see that it is refused and changes nothing, and answer the words."""
        before = self.everything()
        error = self.assertRaises(kind, call)
        self.assertIs(kind, type(error))
        self.assertEqual(before, self.everything())
        return str(error)


def outcome(call: Callable[[], object]) -> object:
    """What it gives, or how the store refused it."""
    try:
        return call()
    except StorageUnavailable:
        raise
    except SlotwrightError as error:
        return error


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run all in as many threads, and answer the outcome of each."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        barrier.wait()
        return outcome(call)

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as executor:
        return list(executor.map(run, calls))
