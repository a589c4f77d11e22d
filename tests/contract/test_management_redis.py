"""The management store on Redis: seed 000's keys to the letter, and nobody else's touched."""

import threading

import redis

from slotwright.domain.errors import NameCollision
from slotwright.storage import transfer
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from tests.contract import databases
from tests.contract import management_case as case
from tests.contract.seed_layout import FLAVOR_OF, dump, faults

#: Every operation, as (name, what it calls with the store).
OPERATIONS = (
    ('pools.create', lambda s: s.pools.create('new', 1, 'u', 'f', {'a': 1})),
    ('pools.create again', lambda s: s.pools.create('new', 2, 'u')),
    ('pools.get', lambda s: s.pools.get('new')),
    ('pools.exists', lambda s: s.pools.exists('new')),
    ('pools.update', lambda s: s.pools.update('new', weight=3, flavor='f')),
    ('pools.list', lambda s: s.pools.list(limit=0)),
    ('pools.list a page', lambda s: s.pools.list('pool-2', 20)),
    ('pools.get_pools_by_flavor', lambda s: s.pools.get_pools_by_flavor('f')),
    ('pools.get_pools_by_flavor None', lambda s: s.pools.get_pools_by_flavor()),
    ('pools.find_serving', lambda s: s.pools.find_serving('f')),
    ('pools.find_serving others', lambda s: s.pools.find_serving('g')),
    ('pools.capabilities', lambda s: s.pools.capabilities('f')),
    ('flavors.create', lambda s: s.flavors.create('f', 'p', {'ram': 1}, ['new', 'pool-1'])),
    ('flavors.get', lambda s: s.flavors.get('f', 'p')),
    ('flavors.exists', lambda s: s.flavors.exists('f')),
    ('flavors.update', lambda s: s.flavors.update('f', pools=['new'])),
    ('flavors.list', lambda s: s.flavors.list('p')),
    ('flavors.delete', lambda s: s.flavors.delete('f', release=True)),
    ('flavors.drop_all', lambda s: s.flavors.drop_all()),
    ('catalogue.insert', lambda s: s.catalogue.insert('p', 'q', 'new')),
    ('catalogue.get', lambda s: s.catalogue.get('p', 'q')),
    ('catalogue.exists', lambda s: s.catalogue.exists('p', 'q')),
    ('catalogue.update', lambda s: s.catalogue.update('p', 'q', 'pool-1')),
    ('catalogue.list', lambda s: s.catalogue.list('p')),
    ('catalogue.delete', lambda s: s.catalogue.delete('p', 'q')),
    ('catalogue.drop_all', lambda s: s.catalogue.drop_all()),
    ('pools.delete', lambda s: s.pools.delete('new')),
    ('pools.drop_all', lambda s: s.pools.drop_all()),
)


class Contract:
    def setUp(self):
        super().setUp()
        self.raw = redis.Redis.from_url(self.place, decode_responses=True)
        self.addCleanup(self.raw.close)
        self.addCleanup(self.raw.flushdb)
        self.raw.ping()  # connected from now on

    def test_the_keys_are_those_of_the_seed(self):
        self.pools.create('one', 100, 'local://', 'gold', {'zone': 'a'})
        self.pools.create('two', 50, 'inventory://rack', 'gold')
        self.pools.create('three', 0, 'local://')
        self.flavors.create('gold', 'demo', {'ram': 512, 'vcpus': 1})
        self.flavors.create('plain')
        self.catalogue.insert('demo', 'orders', 'one')
        self.catalogue.insert('demo', 'logs', 'two')
        self.catalogue.insert(None, 'logs', 'two')
        self.assertEqual(
            {
                'pools': ['one', 'three', 'two'],
                'gold.pools': ['one', 'two'],
                'one.pools': {'p': 'one', 'u': 'local://', 'w': '100', 'o': '{"zone":"a"}'},
                'two.pools': {'p': 'two', 'u': 'inventory://rack', 'w': '50', 'o': '{}'},
                'three.pools': {'p': 'three', 'u': 'local://', 'w': '0', 'o': '{}'},
                'flavors': ['gold', 'plain'],
                'demo.flavors': ['gold'],
                '.flavors': ['plain'],
                'gold.flavors': {'f': 'gold', 'p': 'demo', 'c': '{"ram":512,"vcpus":1}'},
                'plain.flavors': {'f': 'plain', 'p': '', 'c': '{}'},
                'catalogue': ['.logs', 'demo.logs', 'demo.orders'],
                'demo.catalogue': ['demo.logs', 'demo.orders'],
                '.catalogue': ['.logs'],
                'demo.orders.catalogue': {'p': 'demo', 'p_q': 'orders', 'p_p': 'one'},
                'demo.logs.catalogue': {'p': 'demo', 'p_q': 'logs', 'p_p': 'two'},
                '.logs.catalogue': {'p': '', 'p_q': 'logs', 'p_p': 'two'},
                FLAVOR_OF: {'one': 'gold', 'two': 'gold'},
            },
            dump(self.raw),
        )
        self.assertEqual([], faults(self.raw))
        self.assertEqual(
            {0.0}, {score for _, score in self.raw.zrange('pools', 0, -1, False, True)}
        )

    def test_nothing_is_left_when_all_is_deleted(self):
        self.pools.create('one', 1, 'u', 'gold')
        self.flavors.create('gold', 'demo')
        self.catalogue.insert('demo', 'orders', 'one')
        self.catalogue.delete('demo', 'orders')
        self.flavors.delete('gold', 'demo')
        self.pools.delete('one')
        self.assertEqual({}, dump(self.raw))

    def foreign(self):
        """What others may keep in the same database; bug 6 took most of it away."""
        self.raw.set('carpools', 'KEYS *pools')
        self.raw.rpush('x.catalog', 'KEYS *catalog')
        self.raw.zadd('demo.pools', {'message': 1})  # of a message queue named pools
        self.raw.hset('other.pools', mapping={'pl': 'other', 'u': 'u', 'w': '1', 'o': 'msgpack'})
        self.raw.hset('other.flavors', 'name', 'other')
        self.raw.set('text.flavors', 'x')
        self.raw.zadd('list.flavors', {'x': 1})
        self.raw.hset('demo.q.catalogue', 'a', 'b')
        self.raw.zadd('list.catalogue', {'x': 1})
        return dump(self.raw)

    def test_foreign_keys_are_neither_read_nor_changed(self):
        found = self.foreign()
        # As real Zaqar names its members, should it share the database.
        for index, member in (('pools', 'other'), ('flavors', 'other'), ('catalogue', 'demo.q')):
            self.raw.zadd(index, {member: 1})
        self.assertEqual(([], []), (list(self.pools.list()), list(self.flavors.list())))
        self.assertIs(False, self.pools.exists('other'))
        self.assertIs(False, self.flavors.exists('other'))
        self.assertIs(False, self.catalogue.exists('demo', 'q'))
        for call in (
            lambda: self.pools.create('other', 1, 'u'),
            lambda: self.pools.create('demo', 1, 'u'),
            lambda: self.pools.create('p', 1, 'u', 'demo'),
            lambda: self.pools.create('p', 1, 'u', 'other'),
            lambda: self.flavors.create('demo', 'p'),
            lambda: self.flavors.create('other', 'p'),
            lambda: self.flavors.create('text', 'p'),
            lambda: self.flavors.create('f', 'other'),
            lambda: self.flavors.create('f', 'list'),
            lambda: self.catalogue.insert('demo', 'q', 'pool'),
            lambda: self.catalogue.insert('list', 'q', 'pool'),
        ):
            self.assertIn('foreign data', str(self.assertRaises(NameCollision, call)))
        self.pools.create('one', 1, 'u', 'gold')
        self.flavors.create('gold', 'p')
        self.catalogue.insert('p', 'q', 'one')
        for delete in (self.pools.delete, self.flavors.delete):
            for name in ('other', 'demo', 'text', 'list'):
                delete(name)
        self.catalogue.delete('demo', 'q')
        self.empty()
        for index in ('pools', 'flavors', 'catalogue'):
            self.assertEqual(1, self.raw.delete(index))
        self.assertEqual(found, dump(self.raw))

    def test_what_somebody_else_damaged_is_passed_over(self):
        self.pools.create('good', 7, 'local://', options={'instances': 1})
        self.flavors.create('whole', capabilities={'ram': 1})
        for field, value in (
            ('w', 'many'), ('w', '1.5'), ('w', '-3'), ('w', '4294967296'), ('w', '9' * 5000),
            ('w', None), ('o', None),
            ('o', 'nope'), ('o', '[1]'), ('o', '{"x":NaN}'), ('o', b'\x81\xa3ram\xff'),
            ('o', '[' * 100_000),
        ):  # fmt: skip
            with self.subTest(field=field, value=value and value[:20]):
                self.pools.create('bad', 5, 'local://', options={'instances': 1})
                if value is None:
                    self.raw.hdel('bad.pools', field)
                else:
                    self.raw.hset('bad.pools', field, value)
                pools = {pool.name: pool for pool in self.pools.list()}
                self.assertEqual(7, pools['good'].weight)
                self.assertEqual(0, pools['bad'].weight)
                self.assertEqual(pools['bad'], self.pools.get('bad'))
                mended = self.pools.update('bad', weight=5, uri='local://', options={})
                self.assertEqual((5, 'local://'), (mended.weight, mended.uri))
        for value in (None, 'nope', '[1]', '{"ram":Infinity}', b'\xff'):
            with self.subTest(capabilities=value):
                self.flavors.create('broken', capabilities={'ram': 1})
                if value is None:
                    self.raw.hdel('broken.flavors', 'c')
                else:
                    self.raw.hset('broken.flavors', 'c', value)
                found = {flavor.name: flavor.capabilities for flavor in self.flavors.list()}
                self.assertEqual({'whole': {'ram': 1}, 'broken': {}}, found)

    def test_a_flavor_whose_hash_is_lost_can_be_made_again(self):
        for project in (None, 'demo'):
            with self.subTest(project=project):
                for name in ('first', 'second'):
                    self.flavors.create(f'{name} of {project}', project, {'ram': 1})
                found = dump(self.raw)
                self.raw.delete(f'first of {project}.flavors')
                self.flavors.create(f'third of {project}', project)
                self.flavors.delete(f'third of {project}', project)
                self.flavors.create(f'first of {project}', project, {'ram': 1})
                self.assertEqual(found, dump(self.raw))

    def test_an_index_that_is_something_else_stops_every_write(self):
        for key in ('pools', 'flavors', 'catalogue', FLAVOR_OF):
            self.raw.set(key, 'x')
        found = dump(self.raw)
        for call in (
            lambda: self.pools.create('p', 1, 'u', 'f'),
            self.pools.list,
            lambda: self.flavors.create('f', 'p'),
            lambda: self.catalogue.insert('p', 'q', 'pool'),
            self.pools.drop_all,
            self.flavors.drop_all,
            self.catalogue.drop_all,
        ):
            self.assertIn('foreign data', str(self.assertRaises(NameCollision, call)))
        self.assertEqual(found, dump(self.raw))

    def test_every_operation_is_one_round_trip(self):
        """Bugs 10 and 13: a page asked for each pool, a create for all 1000 of them."""
        self.some_pools(300)
        for name, operation in OPERATIONS:
            operation(self.store)  # the script is there from now on
            sent = self.sent_by(lambda o=operation: o(self.store))
            self.assertEqual(['EVALSHA'], sent, name)

    def some_pools(self, count):
        for number in range(count):
            self.pools.create(f'pool-{number}', 1, 'u', 'f' if number % 2 else None)

    def sent_by(self, call):
        """The commands that come over connections while it runs."""
        with redis.Redis.from_url(self.place) as client, client.monitor() as monitor:
            call()
            self.raw.echo('that was all')
            sent = []
            while True:
                line = monitor.next_command()
                if line['command'].startswith('ECHO'):
                    return sent
                if line['client_type'] != 'lua':
                    sent.append(line['command'].split()[0])

    def test_keys_are_never_searched_for(self):
        self.foreign()
        self.some_pools(3)
        self.raw.config_resetstat()
        for _, operation in OPERATIONS:
            operation(self.store)
        used = {name.lower() for name in self.raw.info('commandstats')}
        self.assertIn('cmdstat_zadd', used)
        for command in ('keys', 'scan', 'hscan', 'zscan', 'sscan', 'flushdb', 'flushall'):
            self.assertNotIn(f'cmdstat_{command}', used)

    def test_scripts_that_the_server_forgot_are_sent_again(self):
        self.some_pools(3)
        for _, operation in OPERATIONS:
            self.raw.script_flush()
            operation(self.store)

    def test_scripts_forgotten_all_the_time(self):
        done = threading.Event()

        def forget():
            with redis.Redis.from_url(self.place) as client:
                while not done.is_set():
                    client.script_flush()

        thread = threading.Thread(target=forget)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(done.set)
        for number in range(20):
            self.pools.create(f'p{number}', 1, 'u')
        self.assertEqual(20, len(self.pools.list(limit=0)))

    def test_a_copy_of_what_is_in_sql(self):
        url = databases.SQLite().create()
        migration.upgrade(url)
        source = SQLAlchemyPoolStore.connect(url)
        self.addCleanup(source.close)
        source.pools.create('a', 3, 'local://', 'large', {'zone': 'x'})
        source.pools.create('b', 4, 'local://')
        self.pools.create('b', 9, 'other://')
        self.flavors.create('small', 'p', {'ram': 7})
        self.assertEqual((1, 2), transfer.copy_missing(source, self.store))
        self.assertEqual((0, 0), transfer.copy_missing(source, self.store))
        self.assertEqual(source.pools.get('a'), self.pools.get('a'))
        self.assertEqual('other://', self.pools.get('b').uri)
        self.assertEqual(source.flavors.get('large'), self.flavors.get('large'))
        self.assertEqual({'ram': 7}, self.flavors.get('small').capabilities)


class RedisTest(Contract, case.ManagementCase):
    backend = case.REDIS


class ValkeyTest(Contract, case.ManagementCase):
    backend = case.VALKEY
