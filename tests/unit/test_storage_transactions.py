"""When a transaction is tried again, and when its failure is told."""

import concurrent.futures
import os
import sqlite3
import tempfile

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exception
from sqlalchemy import dialects

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.sqlalchemy import engine, options, transactions
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import base

NUMBERS = sa.Table('numbers', sa.MetaData(), sa.Column('number', sa.Integer))


class Theirs(sa.CreateEnginePlugin):
    """What an operator may name in the URL."""

    def update_url(self, url):
        return url

    def engine_created(self, engine):
        engine.theirs = True


class DatabaseTest(base.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = f'{directory.name}/data.sqlite'
        self.database = transactions.Database(engine.create(f'sqlite:///{self.path}'))
        self.addCleanup(self.database.close)
        self.database.write(NUMBERS.create)

    def stored(self):
        query = sa.select(NUMBERS.c.number)
        return self.database.read(lambda conn: list(conn.execute(query).scalars()))

    def insert_then(self, *errors):
        """Work that inserts its attempt's number, then raises the next of ``errors``."""
        remaining = list(errors)
        self.attempts = 0

        def work(conn):
            self.attempts += 1
            conn.execute(sa.insert(NUMBERS).values(number=self.attempts))
            if remaining:
                raise remaining.pop(0)
            return self.attempts

        return work

    def test_a_deadlock_is_tried_again(self):
        lost = [db_exception.DBDeadlock(), db_exception.DBConsistencyError()]
        self.assertEqual(3, self.database.write(self.insert_then(*lost)))
        self.assertEqual([3], self.stored())

    def test_a_connection_lost_before_commit_is_tried_again(self):
        work = self.insert_then(db_exception.DBConnectionError())
        self.assertEqual(2, self.database.write(work))
        self.assertEqual([2], self.stored())

    def test_attempts_end(self):
        for error, attempts in (
            (db_exception.DBConnectionError(), transactions.CONNECT_ATTEMPTS),
            (db_exception.DBDeadlock(), transactions.CONFLICT_ATTEMPTS),
        ):
            with self.assertRaises(StorageUnavailable):
                self.database.write(self.insert_then(*[error] * 99))
            self.assertEqual(attempts, self.attempts)
        self.assertEqual([], self.stored())

    def test_a_connection_lost_within_commit_is_told_and_not_tried_again(self):
        def lose(_conn):
            raise db_exception.DBConnectionError()

        sa.event.listen(self.database.engine, 'commit', lose)
        with self.assertRaises(StorageUnavailable):
            self.database.write(self.insert_then())
        self.assertEqual(1, self.attempts)

    def test_other_errors_undo_and_pass(self):
        for error in (ValueError('no'), db_exception.DBDuplicateEntry()):
            with self.assertRaises(type(error)):
                self.database.write(self.insert_then(error))
            self.assertEqual(1, self.attempts)
        self.assertEqual([], self.stored())

    def test_a_mistake_in_the_sql_is_no_outage(self):
        with self.assertRaises(sa.exc.OperationalError):
            self.database.read(lambda conn: conn.exec_driver_sql('SELECT nothing'))

    def test_a_file_that_is_no_database(self):
        self.database.close()
        with open(self.path, 'wb') as file:
            file.write(b'no database at all' * 1000)
        with self.assertRaises(StorageUnavailable):
            self.stored()

    def test_a_database_that_nobody_has_migrated(self):
        with self.assertRaisesRegex(StorageUnavailable, 'slotwright-manage db sync'):
            self.database.read(lambda conn: conn.exec_driver_sql('SELECT id FROM clusters'))

    def test_others_on_the_host_cannot_read_the_file(self):
        for suffix in ('', '-wal', '-shm'):
            self.assertEqual(0o600, os.stat(self.path + suffix).st_mode & 0o777, suffix)

    def test_a_locked_file_is_an_outage(self):
        def hurry(connection, _record):
            connection.execute('PRAGMA busy_timeout=1')

        self.database.close()
        sa.event.listen(self.database.engine, 'connect', hurry)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute('BEGIN IMMEDIATE')
        with self.assertRaises(StorageUnavailable):
            self.database.write(self.insert_then())
        self.assertEqual([], self.stored())
        other.execute('ROLLBACK')
        self.assertEqual(1, self.database.write(self.insert_then()))

    def test_writers_wait_for_their_turn_and_never_have_to_try_again(self):
        attempts = []

        def add_one(conn):
            attempts.append(1)
            highest = conn.execute(sa.select(sa.func.max(NUMBERS.c.number))).scalar() or 0
            conn.execute(sa.insert(NUMBERS).values(number=highest + 1))

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.database.write(add_one), range(40)))
        self.assertEqual(list(range(1, 41)), sorted(self.stored()))
        self.assertEqual(40, len(attempts))

    def test_sqlite_is_set_up(self):
        def ask(conn):
            names = ('journal_mode', 'foreign_keys', 'busy_timeout')
            return [conn.exec_driver_sql(f'PRAGMA {name}').scalar() for name in names]

        self.assertEqual(['wal', 1, engine.SQLITE_BUSY_TIMEOUT], self.database.read(ask))


class EngineTest(base.TestCase):
    def test_mysql_is_spoken_in_utf8mb4_by_the_driver_that_is_installed(self):
        for url in ('mysql://u:p@h/d', 'mariadb+pymysql://u:p@h/d', 'mysql+pymysql://u:p@h/d'):
            made = engine.create(url)
            self.assertEqual(('mysql', 'pymysql'), (made.dialect.name, made.dialect.driver))
            self.assertEqual('utf8mb4', made.url.query['charset'])
            self.assertEqual('60', made.url.query['read_timeout'])

    def test_what_the_url_says_stays(self):
        made = engine.create('mysql+pymysql://u:p@h/d?charset=utf8mb3&read_timeout=7')
        self.assertEqual(
            ('utf8mb3', '7'), tuple(made.url.query[k] for k in ('charset', 'read_timeout'))
        )

    def test_a_plugin_of_the_url_is_loaded_too(self):
        dialects.plugins.register('theirs', __name__, Theirs.__name__)
        self.addCleanup(dialects.plugins.deregister, 'theirs')
        made = engine.create('mysql+pymysql://u@127.0.0.1/x?plugin=theirs')
        self.addCleanup(made.dispose)
        self.assertTrue(made.theirs)
        self.assertNotIn('plugin', made.url.query)
        self.assertFalse(made.pool._pre_ping)


class ConfigTest(base.TestCase):
    def test_the_store_that_the_configuration_names(self):
        conf = cfg.ConfigOpts()
        options.register_options(conf)
        conf([])
        self.assertEqual(
            'sqlite:////var/lib/slotwright/slotwright.sqlite', conf.database.connection
        )
        conf.set_override('connection', 'mysql+pymysql://u:p@h/d', 'database')
        conf.set_override('max_pool_size', 9, 'database')
        conf.set_override('max_retries', 0, 'database')
        store = SQLAlchemyStore.from_config(conf)
        self.assertEqual(
            ('h', 9), (store.database.engine.url.host, store.database.engine.pool.size())
        )
