"""The six races that the real store loses, and a crowd: clients with connections of their own.

How often the real one was left broken stands in each test, of 300 rounds.
"""

import random

from slotwright.domain.errors import (
    NameCollision,
    PoolDoesNotExist,
    PoolInUseByFlavor,
    QueueNotMapped,
)
from tests.contract import management_case as case
from tests.contract.management_case import at_once, outcome


class Contract:
    rounds = 25

    def setUp(self):
        super().setUp()
        self.one, self.two = self.connect(), self.connect()

    def flavors_of(self, name):
        """In whose lists the pool stands."""
        return [flavor for flavor in ('f1', 'f2') if name in self.pool_names(flavor)]

    def test_two_flavors_at_once(self):
        """295 of 300: the pool was in both."""
        for _ in range(self.rounds):
            self.pool('x')
            at_once(
                lambda: self.one.pools.update('x', flavor='f1'),
                lambda: self.two.pools.update('x', flavor='f2'),
            )
            self.assertEqual([self.pools.get('x').flavor], self.flavors_of('x'))

    def test_two_creates_at_once(self):
        """268 of 300: the pool was in both flavors."""
        for _ in range(self.rounds):
            self.pools.drop_all()
            at_once(
                lambda: self.one.pools.create('x', 1, 'one://', 'f1', {'by': 1}),
                lambda: self.two.pools.create('x', 2, 'two://', 'f2', {'by': 2}),
            )
            pool = self.pools.get('x')
            self.assertEqual([pool.flavor], self.flavors_of('x'))
            self.assertIn(
                (pool.weight, pool.uri, pool.flavor, pool.options),
                [(1, 'one://', 'f1', {'by': 1}), (2, 'two://', 'f2', {'by': 2})],
            )

    def test_the_last_two_pools_deleted_at_once(self):
        """292 of 300: the flavor had none left."""
        self.flavors.create('f1')
        for _ in range(self.rounds):
            self.pool('x', 'f1')
            self.pool('y', 'f1')
            answers = at_once(
                lambda: self.one.pools.delete('x'), lambda: self.two.pools.delete('y')
            )
            self.assertEqual(1, len(self.pool_names('f1')))
            (refusal,) = [answer for answer in answers if answer is not None]
            self.assertIsInstance(refusal, PoolInUseByFlavor)

    def test_a_weight_changed_while_the_pool_is_deleted(self):
        """4 of 300: a phantom without name and uri was left."""
        self.after_update_and_delete(weight=9)

    def test_a_flavor_changed_while_the_pool_is_deleted(self):
        """67 of 300: the flavor listed a pool that was not there."""
        self.after_update_and_delete(flavor='f2')

    def after_update_and_delete(self, **change):
        for _ in range(self.rounds):
            self.pool('x', 'f1')
            updated, deleted = at_once(
                lambda: self.one.pools.update('x', **change), lambda: self.two.pools.delete('x')
            )
            self.assertIsNone(deleted)
            self.assertTrue(isinstance(updated, PoolDoesNotExist) or updated.name == 'x')
            self.assertEqual(([], []), (self.pool_names(), self.flavors_of('x')))
            self.assertFalse(self.pools.exists('x'))

    def test_an_entry_updated_while_it_is_deleted(self):
        """288 of 300: an orphan was left."""
        for _ in range(self.rounds):
            self.catalogue.insert('p', 'q', 'pool')
            updated, deleted = at_once(
                lambda: self.one.catalogue.update('p', 'q', 'other'),
                lambda: self.two.catalogue.delete('p', 'q'),
            )
            self.assertIsNone(deleted)
            self.assertIsInstance(updated, QueueNotMapped | None)
            self.assertFalse(self.catalogue.exists('p', 'q'))
            self.assertEqual([], list(self.catalogue.list('p')))

    def test_of_two_names_that_collide_one_is_there(self):
        pairs = (
            (lambda s: s.pools.create('x', 1, 'u'), lambda s: s.flavors.create('x')),
            (lambda s: s.pools.create('x', 1, 'u'), lambda s: s.pools.create('y', 1, 'u', 'x')),
            (lambda s: s.flavors.create('x', 'p'), lambda s: s.flavors.create('x', 'q')),
            (lambda s: s.flavors.create('x', 'p'), lambda s: s.flavors.create('p', 'q')),
            (
                lambda s: s.catalogue.insert('a.b', 'c', 'pool'),
                lambda s: s.catalogue.insert('a', 'b.c', 'pool'),
            ),
            (
                lambda s: s.catalogue.insert('a.b', 'c', 'pool'),
                lambda s: s.catalogue.insert('a', 'b', 'pool'),
            ),
        )
        for first, second in pairs:
            for _ in range(5):
                self.empty()
                answers = at_once(lambda f=first: f(self.one), lambda s=second: s(self.two))
                self.assertEqual(1, answers.count(None), answers)
                self.assertEqual(1, sum(isinstance(a, NameCollision) for a in answers))

    def test_flavors_that_take_one_another_s_pools(self):
        for name in 'abcd':
            self.pool(name)
        self.flavors.create('f1')
        self.flavors.create('f2')
        for _ in range(self.rounds):
            at_once(
                lambda: self.one.flavors.update('f1', pools=['a', 'b', 'c']),
                lambda: self.two.flavors.update('f2', pools=['b', 'c', 'd']),
            )
            owners = {pool.name: pool.flavor for pool in self.pools.list()}
            # Whoever was last has all of its pools, the other one what is left.
            self.assertIn(''.join(owners[name] for name in 'bc'), ('f1f1', 'f2f2'))
            self.assertEqual(('f1', 'f2'), (owners['a'], owners['d']))

    def test_a_crowd(self):
        """Whatever many do with few names, the data agree (and lie as the seed has them)."""

        def visitor(seed):
            store, chance = self.connect(), random.Random(seed)
            moves = (
                lambda n, f: store.pools.create(n, 1, 'u', f),
                lambda n, f: store.pools.update(n, flavor=f),
                lambda n, f: store.pools.delete(n),
                lambda n, f: store.flavors.create(f, chance.choice('pq'), pools=[n]),
                lambda n, f: store.flavors.delete(f, release=chance.random() < 0.5),
                lambda n, f: store.catalogue.insert(n, f, n),
                store.catalogue.delete,
            )
            for _ in range(self.rounds):
                move, name = chance.choice(moves), chance.choice('abc')
                flavor = chance.choice(['f', 'g', 'b.c'])
                outcome(lambda m=move, n=name, f=flavor: m(n, f))

        at_once(*(lambda s=seed: visitor(s) for seed in range(4)))
        for pool in self.pools.list(limit=0):
            if pool.flavor is not None:
                self.assertIn(pool, self.by_flavor(pool.flavor))
        for flavor in self.flavors.list(limit=0):
            self.assertEqual(list(flavor.pools), self.pool_names(flavor.name))


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
