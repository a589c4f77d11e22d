"""Flavors: what every driver of the management store promises."""

from slotwright.domain.errors import (
    FlavorDoesNotExist,
    InvalidRequest,
    NameCollision,
    PoolDoesNotExist,
)
from slotwright.domain.pools import PoolFlavor
from tests.contract import management_case as case
from tests.contract.test_management_pools import NAMES

SIZE = {'ram': 512, 'vcpus': 2, 'disk': 5, 'ephemeral': 0}


class Contract:
    def names(self, project=None, marker=None, limit=0):
        return [flavor.name for flavor in self.flavors.list(project, marker, limit)]

    def test_what_is_created_is_read_back(self):
        self.pool('b', 'f')
        self.pool('a', 'f')
        self.flavors.create('f', 'p', {**SIZE, 'tier': ['é', None]})
        flavor = PoolFlavor('f', 'p', {**SIZE, 'tier': ['é', None]}, ('a', 'b'))
        self.assertEqual(flavor, self.flavors.get('f'))
        self.assertEqual(flavor, self.flavors.get('f', 'p'))
        self.assertEqual([flavor], list(self.flavors.list()))
        self.assertEqual([flavor], list(self.flavors.list('p')))
        self.assertIs(True, self.flavors.exists('f', 'p'))

    def test_without_a_project_or_capabilities(self):
        """Bug 3: None cannot be stored."""
        self.flavors.create('f')
        self.flavors.create('g', None, {})
        self.assertEqual(PoolFlavor('f'), self.flavors.get('f'))
        self.assertEqual(['f', 'g'], self.names())
        self.assertEqual([], self.names('p'))

    def test_create_over_a_flavor_changes_what_is_given(self):
        """Also the size stays, when somebody only gives it pools."""
        self.pool('a', 'f')
        self.flavors.create('f', 'p', SIZE)
        self.flavors.create('f', 'p', {'tier': 'gold'})
        self.assertEqual(PoolFlavor('f', 'p', {'tier': 'gold'}, ('a',)), self.flavors.get('f'))
        self.flavors.create('f', 'p', pools=[])
        self.assertEqual(PoolFlavor('f', 'p', {'tier': 'gold'}), self.flavors.get('f'))
        self.flavors.create('f', 'p', {})
        self.assertEqual(PoolFlavor('f', 'p'), self.flavors.get('f'))

    def test_one_that_is_made_again_is_new(self):
        self.flavors.create('f', 'p', SIZE)
        self.flavors.delete('f')
        self.flavors.create('f')
        self.assertEqual(PoolFlavor('f'), self.flavors.get('f'))

    def test_what_is_missing(self):
        self.assertIs(False, self.flavors.exists('f'))
        said = self.refused(FlavorDoesNotExist, lambda: self.flavors.get('f'))
        self.assertEqual('Flavor f does not exist.', said)
        self.flavors.delete('f')
        self.flavors.delete('f', 'p')

    def test_an_update_changes_what_is_given(self):
        self.pool('a')
        self.flavors.create('f', 'p', SIZE)
        changed = PoolFlavor('f', 'p', {'ram': 9}, ())
        self.assertEqual(changed, self.flavors.update('f', 'p', capabilities={'ram': 9}))
        changed = PoolFlavor('f', 'p', {'ram': 9}, ('a',))
        self.assertEqual(changed, self.flavors.update('f', pools=['a']))
        self.assertEqual(changed, self.flavors.get('f'))
        self.assertEqual({}, self.flavors.update('f', capabilities={}).capabilities)

    def test_an_update_of_nothing_or_nobody(self):
        """Bug 7: it made a phantom."""
        for project in (None, 'p'):
            said = self.refused(
                FlavorDoesNotExist,
                lambda p=project: self.flavors.update('f', p, capabilities=SIZE),
            )
            self.assertEqual('Flavor f does not exist.', said)
        self.flavors.create('f')
        self.refused(InvalidRequest, lambda: self.flavors.update('f'))

    def test_pools_are_given_in_one_step(self):
        for name in 'abcd':
            self.pool(name)
        self.pools.update('d', flavor='g')
        self.flavors.create('f', pools=['b', 'a', 'b'])
        self.assertEqual(('a', 'b'), self.flavors.get('f').pools)
        # 'a' is dropped from the list, 'd' leaves the flavor that it was in.
        self.assertEqual(('b', 'd'), self.flavors.update('f', pools=['d', 'b']).pools)
        self.assertEqual([], self.pool_names('g'))
        self.assertIsNone(self.pools.get('a').flavor)
        self.flavors.create('f', pools=['c'])
        self.assertEqual(['c'], self.pool_names('f'))
        self.assertEqual((), self.flavors.update('f', pools=[]).pools)

    def test_an_unknown_pool_changes_nothing(self):
        self.pool('a')
        self.pool('b', 'f')
        create = self.refused(
            PoolDoesNotExist, lambda: self.flavors.create('f', pools=['a', 'zz', 'yy'])
        )
        self.assertEqual('Pool zz does not exist.', create)
        self.flavors.create('f', None, SIZE)
        self.refused(
            PoolDoesNotExist,
            lambda: self.flavors.update('f', capabilities={}, pools=['a', 'zz']),
        )

    def test_lists_are_in_the_order_of_names(self):
        for number, name in enumerate(reversed(NAMES)):
            self.flavors.create(name, 'yz'[number % 2])
        self.assertEqual(NAMES, self.names())
        self.assertEqual(NAMES[::-2][::-1], self.names('y'))

    def test_pages(self):
        names = [f'f{number:02}' for number in range(12)]
        for number, name in enumerate(names):
            self.flavors.create(name, 'pq'[number % 2])
        for project, marker, limit, expected in (
            (None, None, 3, names[:3]),
            (None, 'f02', 0, names[3:]),
            ('p', 'f02', 2, ['f04', 'f06']),
            ('q', 'f02', 2, ['f03', 'f05']),
            ('q', 'f11', 2, []),
            ('r', None, 0, []),
            (None, 'e', 1, names[:1]),
        ):
            self.assertEqual(expected, self.names(project, marker, limit))
        self.assertEqual(10, len(self.flavors.list()))
        self.refused(InvalidRequest, lambda: self.flavors.list(limit=-1))

    def test_a_flavor_belongs_to_one_project(self):
        """Bug 9: get and exists ignored the project, create stole the flavor of another."""
        self.pool('a', 'f')
        self.flavors.create('f', 'p', SIZE)
        self.assertIs(False, self.flavors.exists('f', 'q'))
        self.refused(FlavorDoesNotExist, lambda: self.flavors.get('f', 'q'))
        self.refused(FlavorDoesNotExist, lambda: self.flavors.update('f', 'q', capabilities={}))
        said = self.refused(NameCollision, lambda: self.flavors.create('f', 'q'))
        self.assertIn('named f', said)
        self.refused(NameCollision, lambda: self.flavors.create('f'))
        before = self.everything()
        self.flavors.delete('f', 'q', release=True)
        self.assertEqual(before, self.everything())
        self.flavors.delete('f', 'p')
        self.flavors.create('f', 'q')
        self.assertEqual((['f'], []), (self.names('q'), self.names('p')))

    def test_delete_keeps_or_releases_its_pools(self):
        for name in 'ab':
            self.pool(name, 'f')
        self.flavors.create('f')
        self.flavors.delete('f')
        self.assertEqual(['a', 'b'], self.pool_names('f'))
        self.flavors.create('f')
        self.flavors.delete('f', release=True)
        self.assertEqual([], self.pool_names('f'))
        self.assertEqual(['a', 'b'], self.pool_names())

    def test_drop_all(self):
        self.pool('a', 'f')
        self.flavors.create('f', 'p')
        self.flavors.create('g')
        self.flavors.drop_all()
        self.assertEqual(([], []), (self.names(), self.names('p')))
        self.assertEqual(['a'], self.pool_names('f'))
        self.flavors.create('p', 'g')

    def test_names_that_collide_are_refused(self):
        """Bug 8: <name>.flavors would be a hash and a set."""
        self.flavors.create('f', 'p')
        self.pool('a')
        for call in (
            lambda: self.flavors.create('p'),
            lambda: self.flavors.create('p', 'q'),
            lambda: self.flavors.create('g', 'f'),
            lambda: self.flavors.create('g', 'g'),
            lambda: self.flavors.create('a', 'p'),
        ):
            self.assertIn('named', self.refused(NameCollision, call))
        self.flavors.delete('f')
        self.flavors.create('p', 'f')

    def test_what_cannot_be_stored_is_refused(self):
        for name in ('', ' a', 'a\n', 'x' * 256, 7):
            self.refused(InvalidRequest, lambda n=name: self.flavors.create(n))
            self.refused(InvalidRequest, lambda n=name: self.flavors.create('f', n))
            self.refused(InvalidRequest, lambda n=name: self.flavors.create('f', pools=[n]))
        self.flavors.create('f', None, SIZE)
        for capabilities in ([], [1, 2], 'x', '', 0, {'a': {1}}):
            self.refused(InvalidRequest, lambda c=capabilities: self.flavors.create('f', None, c))
        for name in SIZE:
            for value in ('1', -1, 1.5, True, None, 2**31, {}):
                capabilities = {**SIZE, name: value}
                said = self.refused(
                    InvalidRequest,
                    lambda c=capabilities: self.flavors.update('f', capabilities=c),
                )
                self.assertIn(f'{name} in capabilities', said)
                self.refused(
                    InvalidRequest, lambda c=capabilities: self.flavors.create('f', None, c)
                )


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
