"""Connections that the server closed: nobody notices, and nothing is done twice.

Nothing asks a connection whether it lives, so that each of these has to show at the first
statement that finds it dead.
"""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import sqlalchemy as sa

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.sqlalchemy import engine
from slotwright.storage.sqlalchemy.transactions import Database
from tests import base, servers
from tests.fault_proxy import FaultProxy
from tests.guarded import wait_until

PATIENCE = 60.0
CALLERS = 4
NUMBERS = sa.Table('numbers', sa.MetaData(), sa.Column('number', sa.Integer), mysql_engine='InnoDB')


def add(conn: sa.Connection, number: int) -> None:
    conn.execute(sa.insert(NUMBERS).values(number=number))


def stored(conn: sa.Connection) -> list[int]:
    return list(conn.scalars(sa.select(NUMBERS.c.number).order_by(NUMBERS.c.number)))


class Contract:
    """A server of the class's own, which the tests may stop."""

    kind: ClassVar[type[servers.MariaDB | servers.PostgreSQL]]
    own_id: ClassVar[str]  # SQL: which connection this is
    others: ClassVar[str]  # SQL: which there are to the same database, but for this one
    end: ClassVar[str]  # SQL that ends connection {}
    commit: ClassVar[bytes]  # in the packet that has it, and in no other
    be_impatient: ClassVar[str]  # SQL: have the server close this connection when it rests

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = cls.kind()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def setUp(self) -> None:
        super().setUp()
        self.url = self.server.new_database()
        self.database = self.connect(self.url)
        self.database.write(NUMBERS.create)

    def connect(self, url: str) -> Database:
        database = Database(engine.create(url))
        self.addCleanup(database.close)
        return database

    def ask(self, sql: str) -> list[Any]:
        """Over a connection of its own."""
        made = sa.create_engine(self.url, poolclass=sa.NullPool, isolation_level='AUTOCOMMIT')
        with made.connect() as connection:
            found = connection.exec_driver_sql(sql)
            return list(found.scalars()) if found.returns_rows else []

    def end_all(self) -> None:
        """End the connections of this test; return when the server has forgotten them."""
        for number in self.ask(self.others):
            with contextlib.suppress(sa.exc.DBAPIError):  # it has gone by itself
                self.ask(self.end.format(number))
        wait_until(lambda: not self.ask(self.others), 'the connections to end', PATIENCE)

    def fill_the_pool(self) -> None:
        """Have so many connections rest in it as there are callers."""
        together = threading.Barrier(CALLERS)

        def meet(conn: sa.Connection) -> None:
            conn.execute(sa.select(1))
            together.wait(PATIENCE)

        self.at_once(lambda _: self.database.read(meet))
        self.assertEqual(CALLERS, len(self.ask(self.others)))

    def at_once(self, call: Any) -> list[Any]:
        with ThreadPoolExecutor(CALLERS) as callers:
            return list(callers.map(call, range(CALLERS)))

    def write_and_read(self, number: int) -> list[int]:
        self.database.write(lambda conn: add(conn, number))
        return self.database.read(stored)

    def assert_each_once(self) -> None:
        for found, number in zip(self.at_once(self.write_and_read), range(CALLERS), strict=True):
            self.assertIn(number, found)
        self.assertEqual(list(range(CALLERS)), self.database.read(stored))

    def test_ended_while_they_rest(self) -> None:
        self.fill_the_pool()
        self.end_all()
        self.assert_each_once()

    def test_ended_before_a_read(self) -> None:
        self.fill_the_pool()
        self.end_all()
        self.assertEqual([[]] * CALLERS, self.at_once(lambda _: self.database.read(stored)))

    def test_ended_before_a_transaction_of_nothing(self) -> None:
        self.fill_the_pool()
        self.end_all()
        self.at_once(lambda _: self.database.write(lambda _conn: None))

    def test_closed_by_a_server_that_waited_too_long(self) -> None:
        self.database.write(lambda conn: conn.exec_driver_sql(self.be_impatient))
        wait_until(lambda: not self.ask(self.others), 'the server to lose patience', PATIENCE)
        self.assertEqual([1], self.write_and_read(1))

    def test_a_server_that_was_started_again(self) -> None:
        self.fill_the_pool()
        self.server.stop()
        self.server.start()
        self.assert_each_once()

    def test_ended_in_the_middle_of_a_write(self) -> None:
        self._in_the_middle(lambda number: self.ask(self.end.format(number)))

    def test_started_again_in_the_middle_of_a_write(self) -> None:
        def start_again(_number: int) -> None:
            self.server.stop()
            self.server.start()

        self._in_the_middle(start_again)

    def _in_the_middle(self, fault: Any) -> None:
        attempts = []

        def work(conn: sa.Connection) -> list[int]:
            attempts.append(1)
            add(conn, 1)
            if len(attempts) == 1:
                fault(conn.exec_driver_sql(self.own_id).scalar_one())
            return stored(conn)

        self.assertEqual([1], self.database.write(work))
        self.assertEqual(2, len(attempts))
        self.assertEqual([1], self.database.read(stored))

    def test_ended_in_the_middle_of_a_read(self) -> None:
        attempts = []

        def work(conn: sa.Connection) -> list[int]:
            attempts.append(stored(conn))
            if len(attempts) == 1:
                self.ask(self.end.format(conn.exec_driver_sql(self.own_id).scalar_one()))
            return stored(conn)

        self.assertEqual([], self.database.read(work))
        self.assertEqual(2, len(attempts))

    def through_a_proxy(self) -> tuple[Database, FaultProxy]:
        proxy = self.useFixture(FaultProxy(self.server.port))
        database = self.connect(self.url.replace(f':{self.server.port}/', f':{proxy.port}/'))
        database.read(stored)
        return database, proxy

    def test_a_commit_whose_answer_is_lost_is_told_and_not_repeated(self) -> None:
        database, proxy = self.through_a_proxy()
        attempts = []

        def work(conn: sa.Connection) -> None:
            attempts.append(1)
            add(conn, 1)

        proxy.lose_answers(self.commit)
        with self.assertRaises(StorageUnavailable):
            database.write(work)
        self.assertEqual((0, 1), (proxy.left, len(attempts)))
        wait_until(lambda: self.database.read(stored), 'the commit', PATIENCE)
        database.write(lambda conn: add(conn, 2))
        self.assertEqual([1, 2], database.read(stored))

    def test_a_read_whose_last_answer_is_lost_is_repeated(self) -> None:
        database, proxy = self.through_a_proxy()
        proxy.lose_answers(self.commit)
        self.assertEqual([], database.read(stored))
        self.assertEqual(0, proxy.left)

    def test_what_was_not_committed_is_undone_whoever_did_it(self) -> None:
        def refuse(conn: sa.Connection) -> None:
            add(conn, 2)
            raise ValueError

        self.database.write(lambda conn: add(conn, 1))
        with self.assertRaises(ValueError):
            self.database.write(refuse)
        with self.database.engine.connect() as connection:
            add(connection, 3)
        # One that does not tell SQLAlchemy, either.
        raw = self.database.engine.raw_connection()
        with contextlib.closing(raw.cursor()) as cursor:
            cursor.execute('INSERT INTO numbers (number) VALUES (4)')
        raw.close()
        self.assertEqual([1], self.write_and_read(1)[:1])
        self.assertEqual([1, 1], self.database.read(stored))


class MariaDBTest(Contract, base.TestCase):
    kind = servers.MariaDB
    own_id = 'SELECT connection_id()'
    others = (
        'SELECT id FROM information_schema.processlist '
        'WHERE db = database() AND id <> connection_id()'
    )
    end = 'KILL {}'
    commit = b'\x03COMMIT'
    be_impatient = 'SET SESSION wait_timeout = 1'

    def sent(self) -> dict[str, int]:
        names = ('Com_commit', 'Com_rollback', 'Com_admin_commands', 'Com_select', 'Com_insert')
        with self.server._connect() as connection, connection.cursor() as cursor:
            cursor.execute('SHOW GLOBAL STATUS')
            status = dict(cursor.fetchall())
        return {name: int(status[name]) for name in names}

    def test_nothing_is_sent_but_the_work(self) -> None:
        before = self.sent()
        for number in range(5):
            self.database.write(lambda conn, number=number: add(conn, number))
            self.database.read(stored)
        after = self.sent()
        grown = {name: after[name] - before[name] for name in after}
        self.assertEqual(
            {
                'Com_commit': 10, 'Com_rollback': 0, 'Com_admin_commands': 0,
                'Com_select': 5, 'Com_insert': 5,
            },
            grown,
        )  # fmt: skip


class PostgreSQLTest(Contract, base.TestCase):
    kind = servers.PostgreSQL
    own_id = 'SELECT pg_backend_pid()'
    others = (
        'SELECT pid FROM pg_stat_activity '
        'WHERE datname = current_database() AND pid <> pg_backend_pid()'
    )
    end = 'SELECT pg_terminate_backend({})'
    commit = b'COMMIT\x00'  # not BEGIN ISOLATION LEVEL READ COMMITTED
    be_impatient = "SET idle_session_timeout = '1s'"
