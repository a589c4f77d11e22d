"""The catalogue follows SQL, in every driver of the management store."""

import logging
from functools import partial
from typing import Any, ClassVar

import redis

from slotwright.domain.errors import StorageUnavailable
from slotwright.domain.states import OperationKind
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.catalogue import CatalogueKeeper
from tests import servers
from tests.contract import databases, management_case
from tests.contract.seed_layout import dump
from tests.contract.storage_case import PROJECT, StoreCase, new_id


class Noted:
    """A catalogue that notes what is asked of it, and may be away."""

    def __init__(self, catalogue: Any) -> None:
        self._catalogue = catalogue
        self.calls: list[str] = []
        self.away = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._catalogue, name)

        def noted(*args: Any) -> Any:
            self.calls.append(name)
            if self.away:
                raise StorageUnavailable('It is away.')
            return method(*args)

        return noted


class KeeperCase(StoreCase):
    """SQL in SQLite, the catalogue in ``places``."""

    backend = databases.SQLite()
    places: ClassVar[management_case.Backend]

    def setUp(self):
        super().setUp()
        self.place = self.places.create()
        pool_store = self.places.connect(self.place)
        self.addCleanup(pool_store.close)
        self.addCleanup(lambda: self.assertEqual([], self.places.check(self.place)))
        self.catalogue = pool_store.catalogue
        self.noted = Noted(self.catalogue)
        self.keeper = self.keep(self.store)

    def keep(self, store):
        return CatalogueKeeper(store, self.noted)

    def entries(self, project=PROJECT):
        return {entry.queue: entry.pool for entry in self.catalogue.list(project)}

    def delete(self, cluster):
        self.finish(self.claim(cluster))
        deleting = self.begin(cluster, OperationKind.DELETE)
        self.finish(self.claim(deleting), delete_cluster=True)


class Contract:
    def test_live_instances_in_pools_have_entries(self):
        cluster = self.create_in('local://', 'inventory://a', None)
        other = self.create_in('local://', project_id='other')
        self.keeper.tick()
        self.assertEqual({i.id: i.pool for i in cluster.instances if i.pool}, self.entries())
        self.assertEqual({i.id: i.pool for i in other.instances}, self.entries('other'))
        self.delete(cluster)
        self.keeper.tick()
        self.assertEqual({}, self.entries())
        self.assertEqual(1, len(self.entries('other')))

    def test_where_nobody_uses_pools_nothing_is_read(self):
        self.create(2)
        self.keeper.tick()
        self.assertEqual([], self.noted.calls)

    def test_what_is_right_is_read_and_not_written(self):
        for project in (PROJECT, 'other'):
            self.create_in('local://', 'local://', project_id=project)
        self.create(2, 'without-pools')
        for expected in (['list'] * 3 + ['insert'] * 4, ['list'] * 3):
            self.noted.calls.clear()
            self.keeper.tick()
            self.assertEqual(sorted(expected), sorted(self.noted.calls))

    def test_what_is_lost_or_wrong_is_put_right(self):
        cluster = self.create_in('local://', 'local://', 'local://')
        wanted = {i.id: i.pool for i in cluster.instances}
        self.keeper.tick()
        self.catalogue.drop_all()
        self.keeper.tick()
        self.assertEqual(wanted, self.entries())
        lost, wrong, _ = wanted
        self.catalogue.delete(PROJECT, lost)
        self.catalogue.update(PROJECT, wrong, 'another-pool')
        self.keeper.tick()
        self.assertEqual(wanted, self.entries())

    def test_an_old_dump_comes_right(self):
        """It has entries of what was deleted since, or is another project's."""
        gone = self.create_in('local://')
        self.keeper.tick()
        dump = self.entries()
        self.delete(gone)
        live = self.create_in('local://')
        theirs = self.create_in('local://', project_id='other')
        self.keeper.tick()
        self.catalogue.drop_all()
        for queue, pool in dump.items():
            self.catalogue.insert(PROJECT, queue, pool)
        self.catalogue.insert(PROJECT, theirs.instances[0].id, 'pool-0')
        self.keeper.tick()
        self.assertEqual({i.id: i.pool for i in live.instances}, self.entries())
        self.assertEqual(1, len(self.entries('other')))

    def test_entries_of_others_stay(self):
        self.create_in('local://')
        by_hand = {'orders': 'p', new_id(): 'q'}
        for queue, pool in by_hand.items():
            self.catalogue.insert(PROJECT, queue, pool)
            self.catalogue.insert('elsewhere', queue, pool)
        for _ in range(2):
            self.keeper.tick()
        self.assertEqual(by_hand.items(), self.entries().items() & by_hand.items())
        self.assertEqual(3, len(self.entries()))
        self.assertEqual(by_hand, self.entries('elsewhere'))

    def test_many_keepers_agree(self):
        cluster = self.create_in(*['local://'] * 4)
        gone = self.create_in('local://')
        self.keeper.tick()
        self.delete(gone)
        self.catalogue.delete(PROJECT, cluster.instances[0].id)
        keepers = [self.keep(self.connect()) for _ in range(4)]
        answers = management_case.at_once(*(keeper.tick for keeper in keepers))
        self.assertEqual([None] * 4, answers)
        self.assertEqual({i.id: i.pool for i in cluster.instances}, self.entries())

    def test_what_one_that_is_slow_writes_is_mended(self):
        cluster = self.create_in('local://')
        test = self

        class Slow(SQLAlchemyStore):
            """Between its look and the write, the cluster goes and another keeper sees it."""

            def list_pooled(self):
                found = super().list_pooled()
                test.delete(cluster)
                test.keeper.tick()
                return found

        slow = Slow.connect(self.url)
        self.addCleanup(slow.close)
        self.keep(slow).tick()
        self.assertEqual(1, len(self.entries()))
        self.keeper.tick()
        self.assertEqual({}, self.entries())

    def test_one_that_came_since_is_no_stray(self):
        self.create_in('local://')
        test = self

        class Slow(SQLAlchemyStore):
            def list_pooled(self):
                found = super().list_pooled()
                test.created = test.create_in('local://')
                test.keeper.tick()
                return found

        slow = Slow.connect(self.url)
        self.addCleanup(slow.close)
        self.keep(slow).tick()
        self.assertIn(self.created.instances[0].id, self.entries())

    def test_a_store_that_is_away_is_told_of_once(self):
        self.create_in('local://')
        self.noted.away = True
        with self.assertLogs('taskmanager.catalogue', logging.INFO) as logs:
            for _ in range(3):
                self.keeper.tick()
            self.noted.away = False
            for _ in range(2):
                self.keeper.tick()
        self.assertEqual(['WARNING', 'INFO'], [record.levelname for record in logs.records])
        self.assertEqual(1, len(self.entries()))

    def test_what_is_refused_is_told_once_and_keeps_no_other_out(self):
        clash, fine = self.create_in('local://'), self.create_in('local://')
        # A project named like the entry: refused by every driver.
        self.catalogue.insert(f'{PROJECT}.{clash.instances[0].id}', 'q', 'p')
        self.create_in('local://', project_id=' padded')  # what no catalogue takes
        self.create_in('local://', project_id='zebra')
        with self.assertLogs('taskmanager.catalogue', logging.WARNING) as logs:
            for _ in range(3):
                self.keeper.tick()
        self.assertEqual(2, len(logs.records))
        self.assertEqual({i.id: i.pool for i in fine.instances}, self.entries())
        self.assertEqual(1, len(self.entries('zebra')))


class SQLiteTest(Contract, KeeperCase):
    places = management_case.SQLITE


class MariaDBTest(Contract, KeeperCase):
    places = management_case.MARIADB


class PostgreSQLTest(Contract, KeeperCase):
    places = management_case.POSTGRESQL


class RedisContract(Contract):
    def test_any_key_or_member_that_is_lost_comes_back(self):
        self.create_in('local://', 'local://', 'local://')
        self.keeper.tick()
        with redis.Redis.from_url(self.place, decode_responses=True) as raw:
            whole = dump(raw)
            keys = [key for key in whole if key.endswith('catalogue')]
            losses = [partial(raw.delete, key) for key in keys]
            losses += [
                partial(raw.zrem, key, member)
                for key in keys
                if isinstance(whole[key], list)
                for member in whole[key]
            ]
            self.assertEqual(5 + 6, len(losses))
            for lose in losses:
                with self.subTest(lost=lose.args):
                    lose()
                    self.assertNotEqual(whole, dump(raw))
                    self.keeper.tick()
                    self.assertEqual(whole, dump(raw))


class RedisTest(RedisContract, KeeperCase):
    places = management_case.REDIS


class ValkeyTest(RedisContract, KeeperCase):
    places = management_case.VALKEY


class OutageTest(StoreCase):
    """A Redis server of its own, which dies."""

    backend = databases.SQLite()

    def test_a_server_that_comes_back_empty_is_filled_again(self):
        server = self.useFixture(servers.RedisServer())
        pool_store = RedisPoolStore.connect(server.url, max_reconnect_attempts=1)
        self.addCleanup(pool_store.close)
        keeper = CatalogueKeeper(self.store, pool_store.catalogue)
        cluster = self.create_in('local://', 'local://')
        wanted = {i.id: i.pool for i in cluster.instances}
        keeper.tick()
        with redis.Redis.from_url(server.url) as client:
            client.flushall()
        keeper.tick()
        self.assertEqual(wanted, {e.queue: e.pool for e in pool_store.catalogue.list(PROJECT)})
        server.kill()
        with self.assertLogs('taskmanager.catalogue', logging.INFO) as logs:
            for _ in range(2):
                keeper.tick()
            server.start()
            keeper.tick()
        self.assertEqual(['WARNING', 'INFO'], [record.levelname for record in logs.records])
        self.assertEqual(wanted, {e.queue: e.pool for e in pool_store.catalogue.list(PROJECT)})
