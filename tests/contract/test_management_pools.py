"""Pools: what every driver of the management store promises."""

from slotwright.domain.errors import (
    InvalidRequest,
    NameCollision,
    PoolDoesNotExist,
    PoolInUseByFlavor,
)
from slotwright.domain.pools import HEAVIEST, Pool
from tests.contract import management_case as case

#: In the order of their UTF-8 bytes: '-' before '.', capitals before small letters.
NAMES = ['B', 'a', 'a-b', 'a.b', 'a b!', 'ab', 'b', 'é', '☃', '𝄞']
NAMES.sort(key=str.encode)


class Contract:
    def test_what_is_created_is_read_back(self):
        self.pools.create('p', 7, 'local://x', 'f', {'capacity': {'ram': 9}, 'zone': 'é'})
        pool = Pool('p', 'local://x', 7, 'f', {'capacity': {'ram': 9}, 'zone': 'é'})
        self.assertEqual(pool, self.pools.get('p'))
        self.assertEqual([pool], list(self.pools.list()))
        self.assertEqual([pool], list(self.by_flavor('f')))
        self.assertIs(True, self.pools.exists('p'))

    def test_every_optional_argument_may_be_left_out_or_empty(self):
        """Bugs 1 and 3 of the real one: options {} and a missing flavor cannot be stored."""
        for number, (flavor, options) in enumerate(
            [(None, None), (None, {}), ('f', None), ('f', {}), ('', {'a': None})]
        ):
            name = f'p{number}'
            self.pools.create(name, 0, 'bare', flavor, options)
            self.assertEqual(
                Pool(name, 'bare', 0, flavor or None, options or {}), self.pools.get(name)
            )
        self.assertEqual(['p2', 'p3'], self.pool_names('f'))
        unflavored = self.pools.get_pools_by_flavor()
        self.assertEqual(['p0', 'p1', 'p4'], [pool.name for pool in unflavored])

    def serving(self, flavor: str | None) -> list[str] | None:
        found = self.pools.find_serving(flavor)
        return None if found is None else [pool.name for pool in found]

    def test_the_pools_that_serve_a_flavor(self):
        for flavor in ('f', None):
            self.assertIsNone(self.serving(flavor), 'there are no pools')
        self.pool('b', 'g')
        self.assertEqual([[], [], ['b']], [self.serving(flavor) for flavor in ('f', None, 'g')])
        self.pool('d')
        self.pool('c')
        for flavor, names in (('f', ['c', 'd']), (None, ['c', 'd']), ('g', ['b'])):
            self.assertEqual(names, self.serving(flavor), flavor)
        self.pool('a', 'g', 5, options={'instances': 2})
        self.assertEqual(self.pools.get_pools_by_flavor('g'), self.pools.find_serving('g'))
        self.pools.drop_all()
        self.assertIsNone(self.serving('g'))
        self.refused(InvalidRequest, lambda: self.pools.find_serving(''))

    def test_create_over_a_pool_replaces_all_of_it(self):
        """Bug 12: options were reset and the flavor was not."""
        self.pool('p', 'f', 5, options={'a': 1})
        self.pools.create('p', 6, 'other://')
        self.assertEqual(Pool('p', 'other://', 6), self.pools.get('p'))
        self.assertEqual([], self.pool_names('f'))
        self.pool('p', 'g')
        self.assertEqual(['p'], self.pool_names('g'))
        self.assertEqual(['p'], self.pool_names())

    def test_what_is_missing(self):
        self.assertIs(False, self.pools.exists('p'))
        self.assertEqual(
            'Pool p does not exist.', self.refused(PoolDoesNotExist, lambda: self.pools.get('p'))
        )
        self.pools.delete('p')
        self.assertEqual([], self.pool_names('f'))

    def test_an_update_changes_what_is_given(self):
        self.pool('p', 'f', 5, options={'a': 1})
        for change, expected in (
            ({'weight': 0}, Pool('p', case.URI, 0, 'f', {'a': 1})),
            ({'uri': 'x://'}, Pool('p', 'x://', 0, 'f', {'a': 1})),
            ({'options': {}}, Pool('p', 'x://', 0, 'f', {})),
            ({'flavor': 'g'}, Pool('p', 'x://', 0, 'g', {})),
            ({'weight': 1, 'options': {'b': 2}}, Pool('p', 'x://', 1, 'g', {'b': 2})),
        ):
            self.assertEqual(expected, self.pools.update('p', **change))
            self.assertEqual(expected, self.pools.get('p'))
        self.assertEqual([], self.pool_names('f'))
        self.assertEqual(['p'], self.pool_names('g'))

    def test_an_empty_flavor_takes_the_pool_out(self):
        """Bug 11: it went into a flavor of the name ''."""
        self.pool('p', 'f')
        self.assertIsNone(self.pools.update('p', flavor='').flavor)
        self.assertEqual([], self.pool_names('f'))
        self.assertEqual(['p'], [pool.name for pool in self.pools.get_pools_by_flavor()])
        self.assertIsNone(self.pools.update('p', flavor='').flavor)

    def test_an_update_of_nothing_or_nobody(self):
        """Bug 7: it made a hash without name and uri, which broke every later read."""
        said = self.refused(PoolDoesNotExist, lambda: self.pools.update('p', weight=3))
        self.assertEqual('Pool p does not exist.', said)
        self.refused(PoolDoesNotExist, lambda: self.pools.update('p', flavor='f'))
        self.pool('p')
        self.refused(InvalidRequest, lambda: self.pools.update('p'))

    def test_lists_are_in_the_order_of_names(self):
        for name in reversed(NAMES):
            self.pool(name, 'flavor')
        self.assertEqual(NAMES, self.pool_names())
        self.assertEqual(NAMES, self.pool_names('flavor'))

    def test_pages(self):
        """Bug 10: unknown markers began again, 0 after a marker was empty, -1 lost the last."""
        names = [f'p{number:02}' for number in range(25)]
        for name in names:
            self.pool(name)
        for marker, limit, expected in (
            (None, 0, names),
            ('', 3, names[:3]),
            ('p02', 3, names[3:6]),
            ('p02', 0, names[3:]),
            ('p02x', 2, names[3:5]),
            ('a', 1, names[:1]),
            ('p24', 5, []),
            ('z', 0, []),
            ('p20', 100, names[21:]),
        ):
            found = self.pools.list(marker, limit)
            self.assertEqual(expected, [pool.name for pool in found], (marker, limit))
        self.assertEqual(names[:10], [pool.name for pool in self.pools.list()])
        for limit in (-1, 2**32, True, '1', 1.0):
            self.refused(InvalidRequest, lambda n=limit: self.pools.list(limit=n))
        self.refused(InvalidRequest, lambda: self.pools.list('a\n'))

    def test_the_last_pool_of_a_flavor_stays(self):
        self.pool('a', 'f')
        self.pool('b', 'f')
        self.flavors.create('f')
        self.pools.delete('a')
        said = self.refused(PoolInUseByFlavor, lambda: self.pools.delete('b'))
        self.assertIn('last one of flavor f', said)
        self.flavors.delete('f')
        self.pools.delete('b')
        self.assertEqual([], self.pool_names())

    def test_a_pool_of_a_flavor_that_does_not_exist_may_go(self):
        self.pool('a', 'nobody')
        self.pools.delete('a')
        self.assertEqual([], self.pool_names())

    def test_drop_all(self):
        self.flavors.create('f')
        for name in 'abc':
            self.pool(name, 'f')
        self.pool('d')
        self.pools.drop_all()
        self.assertEqual(([], []), (self.pool_names(), self.pool_names('f')))
        self.assertTrue(self.flavors.exists('f'))
        self.pools.drop_all()

    def test_names_that_collide_are_refused(self):
        """Bug 8: <name>.pools would be a hash and a set."""
        self.pool('a', 'f')
        self.flavors.create('g')
        for call in (
            lambda: self.pool('f'),  # a pool says that it has such a flavor
            lambda: self.pool('g'),  # there is such a flavor
            lambda: self.pool('b', 'a'),
            lambda: self.pool('b', 'b'),
            lambda: self.pool('a', 'a'),
            lambda: self.pools.update('a', flavor='a'),
            lambda: self.flavors.create('a'),
        ):
            self.assertIn('named', self.refused(NameCollision, call))
        self.pool('b')
        self.refused(NameCollision, lambda: self.pools.update('a', flavor='b'))
        self.pools.delete('a')
        self.pool('f')

    def test_what_cannot_be_stored_is_refused(self):
        for name in ('', ' a', 'a ', 'a\n', 'a\x00b', 'x' * 256, '\ud800', 7):
            self.refused(InvalidRequest, lambda n=name: self.pool(n))
            self.refused(InvalidRequest, lambda n=name: self.pools.get(n))
            if name:
                self.refused(InvalidRequest, lambda n=name: self.pool('p', n))
                self.refused(InvalidRequest, lambda n=name: self.pool('p', uri=n))
        for weight in (-1, HEAVIEST + 1, 1.0, True, '1', None):
            self.refused(InvalidRequest, lambda w=weight: self.pool('p', weight=w))
        for options in ({'a': float('nan')}, {'a': object()}, ['a'], [], '', 0):
            self.refused(InvalidRequest, lambda o=options: self.pool('p', options=o))
        longest = 'x' * 255
        self.pool(longest, weight=HEAVIEST, uri=longest, options={'k': 'v' * 100_000})
        self.assertEqual(HEAVIEST, self.pools.get(longest).weight)

    def test_capabilities_are_those_of_the_first_pool(self):
        self.assertEqual((), self.pools.capabilities())
        self.pool('b', 'f', uri='inventory://rack')
        self.pool('a', uri='local://')
        self.pool('c', uri='bare')
        self.assertEqual(('slots', 'volumes'), self.pools.capabilities())
        self.assertEqual(('hosts',), self.pools.capabilities(flavor='f'))
        self.assertEqual(('hosts',), self.pools.capabilities(name='b'))
        self.assertEqual((), self.pools.capabilities(name='c'))
        self.assertEqual((), self.pools.capabilities(name='zz'))
        self.assertEqual((), self.pools.capabilities(flavor='zz'))


class SQLiteTest(Contract, case.ManagementCase):
    backend = case.SQLITE


class MariaDBTest(Contract, case.ManagementCase):
    backend = case.MARIADB


class PostgreSQLTest(Contract, case.ManagementCase):
    backend = case.POSTGRESQL


class RedisTest(Contract, case.ManagementCase):
    backend = case.REDIS


class ValkeyTest(Contract, case.ManagementCase):
    backend = case.VALKEY
