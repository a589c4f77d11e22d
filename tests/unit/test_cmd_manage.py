"""slotwright-manage, as an administrator runs it."""

import pathlib
import subprocess
import sys

import fixtures

from api.auth import userfile
from api.auth.users import Users
from slotwright.domain.backup_model import Client
from slotwright.domain.placement import Placement
from slotwright.domain.states import OperationKind
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.base import TestCase
from tests.servers import free_port


class ManageTest(TestCase):
    timeout = 400  # a table of a dozen commands, each a process of its own

    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.configure(f'[database]\nconnection = sqlite:///{self.directory}/slotwright.db\n')

    def configure(self, text: str) -> None:
        (self.directory / 'slotwright.conf').write_text(text)

    def run_it(self, *arguments: str, said: str = '') -> 'subprocess.CompletedProcess[str]':
        config = str(self.directory / 'slotwright.conf')
        return subprocess.run(
            [sys.executable, '-m', 'slotwright.cmd.manage', '--config-file', config, *arguments],
            check=False,
            capture_output=True,
            input=said,
            text=True,
        )

    def test_users_are_set_listed_and_removed(self) -> None:
        path = self.directory / 'users'
        self.configure(f'[api]\nuser_file = {path}\n')
        # As an editor of Windows, or `echo` there, ends a line.
        done = self.run_it('user', 'set', 'alice', 'lab,acme', 'member', said='a long password\r\n')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIsNotNone(Users(str(path)).verify('alice', 'a long password'))
        self.assertEqual('alice  acme,lab  member\n', self.run_it('user', 'list').stdout)
        for arguments, said, expected in (
            (('set', 'bob', 'acme, lab', 'member'), 'a long password\n', "the project ' lab'"),
            (('remove', 'carol'), '', 'there is no user carol'),
        ):
            done = self.run_it('user', *arguments, said=said)
            self.assertEqual(1, done.returncode, done.stdout)
            self.assertIn(expected, done.stderr)
            self.assertNotIn('Traceback', done.stderr)
        self.assertEqual(0, self.run_it('user', 'remove', 'alice').returncode)
        self.assertEqual({}, userfile.read(str(path)))

    def test_the_database_is_upgraded_and_checked(self) -> None:
        done = self.run_it('db', 'check')
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn('db upgrade', done.stdout)
        self.assertEqual(0, self.run_it('db', 'upgrade').returncode)
        done = self.run_it('db', 'check')
        self.assertEqual(0, done.returncode, done.stdout)
        store = SQLAlchemyStore.connect(f'sqlite:///{self.directory}/slotwright.db')
        self.addCleanup(store.close)
        store.database.write(lambda conn: conn.exec_driver_sql('DROP TABLE action_reports'))
        done = self.run_it('db', 'check')
        self.assertEqual(1, done.returncode)
        self.assertIn('action_reports', done.stdout)

    def test_tables_of_another_version_are_not_purged(self) -> None:
        done = self.run_it('db', 'purge')
        self.assertEqual((1, ''), (done.returncode, done.stdout))
        self.assertIn('db version', done.stderr)

    def test_what_was_deleted_long_ago_is_purged(self) -> None:
        store = SQLAlchemyStore.connect(f'sqlite:///{self.directory}/slotwright.db')
        migration.upgrade(store)
        self.addCleanup(store.close)
        clients = store.backups.clients
        for name in ('kept', 'old', 'older', 'oldest'):
            clients.create(Client(name, 'demo', 'u', ''))
        for name in ('old', 'older', 'oldest'):
            clients.delete('demo', name)
        for name, days in (('old', 5), ('older', 50), ('oldest', 500)):
            store.database.write(
                lambda conn, name=name, days=days: conn.exec_driver_sql(
                    f"UPDATE clients SET deleted_at = datetime('now', '-{days} days') "
                    f"WHERE id = '{name}'"
                )
            )
        for arguments, status, said in (
            (['--days', '0'], 1, '0 days (--days, else [taskmanager] deleted_retention) keep'),
            (['--days', '0.001'], 2, 'argument --days: 0.001 days are neither 0'),
            (['--days', 'nan'], 2, 'argument --days: nan is no number from 0 to 36500'),
            (['--days', '-inf'], 2, 'argument --days'),
            (['--days', ''], 2, 'argument --days: it has no value'),
            (['--days', 'x'], 2, 'argument --days: could not convert'),
            ([], 0, 'operations  0\n'),
            (['--days', '10'], 0, 'clients  1\n1 rows of what was deleted over 10 days ago'),
            (['--days', '10'], 0, 'clients  0\n0 rows'),
        ):
            done = self.run_it('db', 'purge', *arguments)
            self.assertEqual(status, done.returncode, done.stderr)
            self.assertIn(said, done.stdout + done.stderr)
            self.assertNotIn('Traceback', done.stderr)
        count = store.database.read(
            lambda conn: conn.exec_driver_sql('SELECT count(*) FROM clients').scalar_one()
        )
        self.assertEqual(2, count)
        self.configure(
            f'[database]\nconnection = sqlite:///{self.directory}/slotwright.db\n'
            '[taskmanager]\ndeleted_retention = 0\n'
        )
        done = self.run_it('db', 'purge')
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn('deleted_retention', done.stderr)

    def test_a_storage_that_is_none_is_told(self) -> None:
        for option in ('backend = elasticsearch', 'driver = nowhere.Store', 'driver = json.JSON'):
            self.configure(f'[storage]\n{option}\n[api]\nauth_strategy = noauth\n')
            done = self.run_it('config', 'check')
            self.assertEqual(1, done.returncode, done.stdout)
            self.assertIn('[storage]', done.stderr)
            self.assertNotIn('Traceback', done.stderr)

    def test_pools_are_listed_with_what_they_hold(self) -> None:
        store = SQLAlchemyStore.connect(f'sqlite:///{self.directory}/slotwright.db')
        migration.upgrade(store)
        self.addCleanup(store.close)
        pools = SQLAlchemyPoolStore(store.database).pools
        pools.create('blue', 100, 'inventory://blue', options={'instances': 3})
        pools.create('gone', 1, 'local://')
        pools.create('odd', 0, 'nowhere')
        for name in ('blue', 'gone'):
            store.create_cluster(
                NewCluster(f'c-{name}', 'demo', 'c', 'redis', '3.0', 's'),
                [NewInstance(f'i-{name}', '1', 1)],
                NewOperation(f'o-{name}', OperationKind.CREATE, 'req-1', (f'i-{name}',)),
                placement=Placement([pools.get(name)]),
            )
        pools.delete('gone')
        done = self.run_it('pool', 'list')
        self.assertEqual(0, done.returncode, done.stderr)
        blue, odd, why, gone, count = done.stdout.splitlines()
        self.assertEqual(
            'blue  inventory://blue  no flavor  weight 100  1 of 3 instances  512 of any MiB', blue
        )
        self.assertTrue(odd.startswith('odd  nowhere'))
        self.assertIn("takes nothing: uri 'nowhere' must be local://", why)
        self.assertEqual('gone  no such pool  1 instances  512 MiB', gone)
        self.assertEqual('2 pools', count)

    def test_a_database_is_brought_to_the_newest_tables(self) -> None:
        self.assertIn('is at nothing', self.run_it('db', 'version').stdout)
        for _ in range(2):
            done = self.run_it('db', 'sync')
            self.assertEqual(0, done.returncode, done.stderr)
        found, newest = self.run_it('db', 'version').stdout.split(', the newest is ')
        self.assertEqual(f'The database is at {newest.strip().rstrip(".")}', found)

    def test_a_good_configuration_is_fine(self) -> None:
        done = self.run_it('config', 'check')
        self.assertEqual((0, 'The configuration is fine.\n'), (done.returncode, done.stdout))

    def test_the_answer_is_all_that_is_printed(self) -> None:
        self.run_it('db', 'sync')
        done = self.run_it('db', 'check')
        self.assertEqual((1, ''), (done.stdout.count('\n'), done.stderr))

    def test_a_bad_one_is_told_in_one_line(self) -> None:
        for text, expected in (
            ('[redis]\napi_strategy = no.such.Thing\n', '[redis] api_strategy = no.such.Thing'),
            ('[upgrade_levels]\nguestagent = new\n', '[upgrade_levels] guestagent = new'),
            ('[DEFAULT]\ntransport_url = pigeon://loft/\n', 'transport_url'),
            ('[management_store]\ndriver = mongodb\n', '[management_store] driver = mongodb'),
            ('[events]\ndriver = zmq\n', '[events] driver = zmq'),
            (
                '[management_store]\ndriver = redis\n'
                '[drivers:management_store:redis]\nuri = redis://:x@h1,h2\n',
                '[drivers:management_store:redis] uri cannot be used: Sentinel',
            ),
            ('[api]\nthreads = none\n', 'threads'),
            ('no section\n', 'slotwright.conf'),
            ('[api]\nbind_host = 0.0.0.0\n', 'auth_strategy noauth lets in everybody'),
            ('[api]\nauth_strategy = http_basic\nuser_file = /none\n', '/none'),
            ('[oslo_policy]\npolicy_file = /none.yaml\n', 'there is no file /none.yaml'),
        ):
            self.configure(text)
            done = self.run_it('config', 'check')
            self.assertEqual(1, done.returncode, done.stdout)
            self.assertIn(expected, done.stderr)
            self.assertNotIn('Traceback', done.stderr)

    def test_what_an_upgrade_needs_is_checked(self) -> None:
        database = f'[database]\nconnection = sqlite:///{self.directory}/slotwright.db\n'
        local = f'[DEFAULT]\ntransport_url = local://\n{database}'
        self.configure(local)
        done = self.run_it('status', 'check')
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertRegex(done.stdout, 'FAILURE +database .*run slotwright-manage db sync')
        self.run_it('db', 'sync')
        done = self.run_it('status', 'check')
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertEqual(6, done.stdout.count('OK  '), done.stdout)
        self.assertRegex(done.stdout, 'OK +store +sqlalchemy answers')

        self.configure(f'{local}[upgrade_levels]\nguestagent = 1.0\n')
        done = self.run_it('status', 'check')
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertRegex(done.stdout, r'WARNING +configuration +\[upgrade_levels\] guestagent')

        url = f'rabbit://me:s3cret@127.0.0.1:{free_port()}/'
        self.configure(f'[DEFAULT]\ntransport_url = {url}\n{database}')
        done = self.run_it('status', 'check')
        self.assertEqual(2, done.returncode, done.stdout)
        self.assertRegex(done.stdout, 'FAILURE +broker ')
        self.assertNotIn('s3cret', done.stdout + done.stderr)

    def test_the_management_store_on_redis_is_looked_for(self) -> None:
        self.configure(
            f'[DEFAULT]\ntransport_url = local://\n'
            f'[database]\nconnection = sqlite:///{self.directory}/slotwright.db\n'
            '[management_store]\ndriver = redis\n[drivers:management_store:redis]\n'
            f'uri = redis://:s3cret@127.0.0.1:{free_port()}\nmax_reconnect_attempts = 1\n'
            f'[events]\ndriver = redis\nuri = redis://:s3cret@127.0.0.1:{free_port()}\n'
        )
        done = self.run_it('status', 'check')
        self.assertRegex(done.stdout, 'FAILURE +store +The Redis server does not answer now.')
        self.assertRegex(done.stdout, 'FAILURE +events +Redis does not answer, tried 3 times')
        self.assertNotIn('s3cret', done.stdout + done.stderr)

    def test_a_copy_of_the_store_to_itself_is_nothing_new(self) -> None:
        self.run_it('db', 'sync')
        done = self.run_it('store', 'copy')
        said = '0 pools and 0 flavors were missing and are there now.\n'
        self.assertEqual((0, said), (done.returncode, done.stdout), done.stderr)

    def test_a_missing_verb_is_told(self) -> None:
        self.assertEqual(2, self.run_it('db').returncode)
        self.assertEqual(2, self.run_it().returncode)
