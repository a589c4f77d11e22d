"""Migrations on every database, and what happens when there is none."""

import concurrent.futures
import contextlib
import datetime
import itertools

import sqlalchemy as sa

from slotwright.domain.errors import StorageUnavailable
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.backup_tables import action_attachments, action_reports
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import base
from tests.contract import databases


def _fill(conn):
    """A cluster with a member, in the columns that 0001 has and every later one keeps."""
    tables = sa.MetaData()
    tables.reflect(conn)
    when = datetime.datetime(2026, 1, 2)
    both = {'project_id': 'demo', 'created': when, 'updated': when}
    conn.execute(
        tables.tables['clusters'].insert(),
        both
        | {
            'id': 'c-1', 'name': 'kept', 'datastore': 'redis', 'datastore_version': '3.0',
            'task_id': 1, 'epoch': 3, 'member_seq': 1, 'extended_properties': '{}',
            'secret': 's', 'tenant_hash': '',
        },
    )  # fmt: skip
    rows = tables.tables['instances']
    conn.execute(
        rows.insert(),
        both
        | ({'ram': 512} if 'ram' in rows.c else {})
        | {
            'id': 'i-1', 'cluster_id': 'c-1', 'name': 'kept-member-1', 'ordinal': 1,
            'flavor_id': '1', 'volume_size': 1, 'status': 'ACTIVE', 'tombstone': False,
            'host': 'here', 'ip': '127.0.0.9', 'port': 6379, 'bus_port': 16379,
        },
    )  # fmt: skip


def _fill_reports(conn):
    """At 0007, a report of a job's run and one of an action that ran by itself."""
    tables = sa.MetaData()
    tables.reflect(conn)

    def insert(name, *values):
        conn.execute(
            tables.tables[name].insert(), [{'project_id': 'demo', **row} for row in values]
        )

    thing = {'user_id': 'u', 'version': 1, 'created_at': datetime.datetime(2026, 1, 2)}
    # Numbers that tell jobs from actions.
    insert('jobs', {**thing, 'seq': 7, 'id': 'j-1', 'scheduling': '{}', 'description': ''})
    insert(
        'actions',
        {
            **thing, 'seq': 5, 'id': 'a-1', 'action': 'backup', 'max_retries': 1,
            'max_retries_interval': 1, 'mandatory': False, 'backup_metadata': '{}', 'inline': False,
        },
    )  # fmt: skip
    insert('action_attachments', {'id': 'at-1', 'action': 5, 'job': 7, 'priority': 0})
    report = {'action': 5, 'result': 'success', 'time_elapsed': 1.5, 'metadata': '{}'}
    insert(
        'action_reports',
        {**report, 'id': 'r-1', 'action_attachment': 'at-1', 'report_date': 1},
        {**report, 'id': 'r-2', 'action_attachment': None, 'report_date': 2},
    )


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@contextlib.contextmanager
def killed_after(*numbers):
    """End upgrades after so many CREATE, ALTER and DROP, in turns; yields those there were."""
    done = []
    turns = itertools.cycle(numbers)
    left = next(turns)

    def kill(_conn, _cursor, statement, *_):
        nonlocal left
        if statement.split()[0] not in ('CREATE', 'ALTER', 'DROP'):
            return
        done.append(statement)
        left -= 1
        if not left:
            left = next(turns)
            raise Killed

    sa.event.listen(sa.Engine, 'after_cursor_execute', kill)
    try:
        yield done
    finally:
        sa.event.remove(sa.Engine, 'after_cursor_execute', kill)


class Contract:
    def setUp(self):
        super().setUp()
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

    def test_each_revision_is_upgraded_with_what_is_in_it(self):
        for revision in migration.revisions()[:-1]:
            url = self.backend.create()
            migration.upgrade(url, revision)
            store = SQLAlchemyStore.connect(url)
            self.addCleanup(store.close)
            store.database.write(_fill)
            migration.upgrade(store)
            self.assertEqual([], migration.check(store))
            cluster = store.get_cluster('demo', 'c-1')
            self.assertEqual('kept', cluster.name)
            (member,) = cluster.instances
            self.assertEqual(Address('127.0.0.9', 6379, 16379), member.address)
            self.assertEqual(512, member.ram)
            flavors = SQLAlchemyPoolStore(store.database).flavors.list()
            self.assertEqual(['large', 'medium', 'small'], [flavor.name for flavor in flavors])
            self.assertEqual(
                {'ram': 512, 'vcpus': 1, 'disk': 5, 'ephemeral': 0}, flavors[-1].capabilities
            )

    def _upgraded_with_reports(self):
        migration.upgrade(self.url, '0007')
        store = SQLAlchemyStore.connect(self.url)
        self.addCleanup(store.close)
        store.database.write(_fill_reports)
        migration.upgrade(store)
        return store

    def test_reports_get_the_job_that_they_are_of(self):
        store = self._upgraded_with_reports()
        reports = store.backups.reports
        found = reports.list_of_action('demo', 'a-1')
        self.assertEqual([('r-2', None), ('r-1', 'j-1')], [(r.id, r.job_id) for r in found])
        self.assertEqual(found[1:], reports.list_of_job('demo', 'j-1'))

    def test_reports_keep_what_they_are_of_when_it_goes(self):
        store = self._upgraded_with_reports()
        store.backups.jobs.delete('demo', 'j-1')
        store.database.write(lambda conn: conn.execute(sa.delete(action_attachments)))
        query = sa.select(action_reports.c.action_attachment).order_by(action_reports.c.id)
        found = store.database.read(lambda conn: conn.scalars(query).all())
        self.assertEqual(['at-1', None], found)
        self.assertEqual(2, len(store.backups.reports.list_of_action('demo', 'a-1')))

    def test_a_newer_database_is_left_alone(self):
        store = SQLAlchemyStore.connect(self.url)
        self.addCleanup(store.close)
        migration.upgrade(store)
        newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
        store.database.write(lambda conn: conn.execute(newer))
        with self.assertRaises(migration.NewerDatabase) as caught:
            migration.upgrade(store)
        self.assertIn('at 9999', str(caught.exception))
        self.assertEqual('9999', migration.version(store))

    def test_upgrades_at_the_same_time_wait_for_one_another(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(migration.upgrade, [self.url] * 4))
        self.assertEqual([], migration.check(self.url))


class SQLiteTest(Contract, base.TestCase):
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


class MariaDBTest(ServerContract, base.TestCase):
    backend = databases.MariaDB()

    def upgrade_killed(self, revision, *numbers):
        """Upgrade until it is not killed any more, with no step taken twice."""
        with killed_after(*numbers) as steps:
            while True:
                try:
                    migration.upgrade(self.url, revision)
                except Killed:
                    continue
                break
        self.assertEqual(sorted(set(steps)), sorted(steps))

    def test_an_upgrade_that_is_killed_between_steps_is_begun_again(self):
        # All steps, killed after each, would take a minute.
        self.upgrade_killed('0007', 2, 1, 5)
        store = SQLAlchemyStore.connect(self.url)
        self.addCleanup(store.close)
        store.database.write(_fill)
        store.database.write(_fill_reports)
        self.upgrade_killed('head', 1)
        self.assertEqual([], migration.check(store))
        self.assertEqual(migration.head(), migration.version(store))
        self.assertEqual(3, len(store.list_flavors()))
        self.assertEqual('kept', store.get_cluster('demo', 'c-1').name)
        found = store.backups.reports.list_of_job('demo', 'j-1')
        self.assertEqual(['r-1'], [report.id for report in found])

    def test_an_upgrade_whose_connection_is_lost_goes_on_over_another(self):
        ended = []

        def end(conn, _cursor, statement, *_):
            if 'CREATE TABLE instances' in statement and not ended:
                ended.append(conn.connection.dbapi_connection.thread_id())
                other = sa.create_engine(self.url, poolclass=sa.NullPool)
                with other.connect() as connection:
                    connection.exec_driver_sql(f'KILL {ended[0]}')

        sa.event.listen(sa.Engine, 'after_cursor_execute', end)
        self.addCleanup(sa.event.remove, sa.Engine, 'after_cursor_execute', end)
        migration.upgrade(self.url)
        self.assertEqual(1, len(ended))
        self.assertEqual([], migration.check(self.url))

    def test_a_table_of_somebody_else_is_not_taken_for_a_step(self):
        store = SQLAlchemyStore.connect(self.url)
        self.addCleanup(store.close)
        theirs = sa.Table('flavors', sa.MetaData(), sa.Column('taste', sa.Integer))
        store.database.write(theirs.create)
        with self.assertRaises(sa.exc.OperationalError):
            migration.upgrade(store)


class PostgreSQLTest(ServerContract, base.TestCase):
    backend = databases.PostgreSQL()
