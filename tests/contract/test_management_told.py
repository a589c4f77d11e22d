"""Changes in a management store outside of SQL become events."""

from collections.abc import Sequence

from slotwright.domain.errors import StorageUnavailable
from slotwright.domain.events import NewEvent
from slotwright.storage import told_pools
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.told_pools import ToldPoolStore
from tests import servers
from tests.base import TestCase
from tests.contract import pool_news


class ToldPoolStoreTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        server = self.useFixture(servers.RedisServer())
        self.told: list[NewEvent] = []
        self.store = ToldPoolStore(RedisPoolStore.connect(server.url), self.told.extend)
        self.addCleanup(self.store.close)

    def test_each_change_is_told(self) -> None:
        pool_news.change(self.store)
        self.assertEqual(pool_news.TOLD, [event.message for event in self.told])
        self.assertEqual({'ram': 9}, self.told[0].state['options'])
        self.assertEqual({'ram': 64}, self.told[6].state['capabilities'])

    def test_a_database_that_is_away_keeps_no_change_from_happening(self) -> None:
        def away(_told: Sequence[NewEvent]) -> None:
            raise StorageUnavailable('not now')

        store = ToldPoolStore(self.store, away)
        with self.assertLogs(told_pools.LOG, 'WARNING') as log:
            store.pools.create('a', 10, 'local://')
        self.assertIn("pools ['a']", log.output[0])
        self.assertTrue(store.pools.exists('a'))
        self.assertEqual([], list(store.catalogue.list(None)))
        self.assertEqual((), tuple(store.pools.capabilities()))
        self.assertEqual(['a'], [pool.name for pool in store.pools.get_pools_by_flavor()])
        self.assertEqual([], list(store.flavors.list()))
        self.assertFalse(store.flavors.exists('a'))
