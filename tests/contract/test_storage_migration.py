"""Migrations on every database, and what happens when there is none."""

import concurrent.futures
import unittest

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.contract import databases


class Contract:
    def setUp(self):
        self.url = self.backend.create()

    def test_upgrade_of_an_empty_database(self):
        self.assertIsNone(migration.version(self.url))
        self.assertNotEqual([], migration.check(self.url))
        migration.upgrade(self.url)
        self.assertEqual(migration.head(), migration.version(self.url))
        self.assertEqual([], migration.check(self.url))

    def test_upgrading_again_changes_nothing(self):
        store = SQLAlchemyStore.connect(self.url)
        self.addCleanup(store.close)
        for _ in range(2):
            migration.upgrade(store)
            self.assertEqual(3, len(store.list_flavors()))

    def test_upgrades_at_the_same_time_wait_for_one_another(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(migration.upgrade, [self.url] * 4))
        self.assertEqual([], migration.check(self.url))


class SQLiteTest(Contract, unittest.TestCase):
    backend = databases.SQLite()

    def test_a_database_in_memory(self):
        store = SQLAlchemyStore.connect('sqlite://')
        self.addCleanup(store.close)
        migration.upgrade(store)
        self.assertEqual([], migration.check(store))

    def test_a_file_that_cannot_be_made(self):
        store = SQLAlchemyStore.connect('sqlite:////nonexistent/slotwright.sqlite')
        with self.assertRaises(StorageUnavailable):
            store.list_flavors()


class ServerContract(Contract):
    def test_a_server_that_goes_and_comes_back(self):
        server = self.backend.kind()
        server.setUp()
        self.addCleanup(server.cleanUp)
        url = server.new_database()
        store = SQLAlchemyStore.connect(url)
        self.addCleanup(store.close)
        migration.upgrade(store)
        server.stop()
        for call in (
            store.list_flavors,
            lambda: store.claim('x', 'me', 1.0),
            lambda: migration.upgrade(store),
            lambda: migration.version(url),
        ):
            with self.assertRaises(StorageUnavailable):
                call()
        server.start()
        self.assertEqual(3, len(store.list_flavors()))

    def test_a_database_that_is_not_there(self):
        with self.assertRaises(StorageUnavailable):
            migration.version(self.url.replace('test_', 'nowhere_'))

    def test_tries_at_the_start_end(self):
        with self.assertRaises(StorageUnavailable):
            SQLAlchemyStore.connect(
                self.url.replace('test_', 'nowhere_'), max_retries=2, retry_interval=0
            )


class MariaDBTest(ServerContract, unittest.TestCase):
    backend = databases.MariaDB()


class PostgreSQLTest(ServerContract, unittest.TestCase):
    backend = databases.PostgreSQL()
