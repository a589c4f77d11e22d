"""The catalogue: what every driver of the management store promises."""

from slotwright.domain.errors import InvalidRequest, NameCollision, QueueNotMapped
from slotwright.domain.pools import CatalogueEntry
from tests.contract import management_case as case
from tests.contract.test_management_pools import NAMES


class Contract:
    def test_what_is_inserted_is_read_back(self):
        self.catalogue.insert('p', 'q', 'pool')
        entry = CatalogueEntry('p', 'q', 'pool')
        self.assertEqual(entry, self.catalogue.get('p', 'q'))
        self.assertEqual([entry], list(self.catalogue.list('p')))
        self.assertIs(True, self.catalogue.exists('p', 'q'))
        self.assertEqual([], list(self.catalogue.list('q')))
        self.assertIs(False, self.catalogue.exists('q', 'p'))

    def test_without_a_project(self):
        """Bug 3: None cannot be stored."""
        self.catalogue.insert(None, 'q', 'pool')
        self.assertEqual(CatalogueEntry(None, 'q', 'pool'), self.catalogue.get(None, 'q'))
        self.assertEqual(1, len(self.catalogue.list(None)))
        self.assertEqual([], list(self.catalogue.list('p')))

    def test_insert_also_updates(self):
        """Bug 5: it looked for the project and the queue the wrong way round."""
        self.catalogue.insert('q', 'p', 'other')
        for pool in ('one', 'two'):
            self.catalogue.insert('p', 'q', pool)
            self.assertEqual(pool, self.catalogue.get('p', 'q').pool)
        self.assertEqual('other', self.catalogue.get('q', 'p').pool)

    def test_update(self):
        """Bug 4: it wrote another field, so nothing changed."""
        self.catalogue.insert('p', 'q', 'one')
        self.catalogue.update('p', 'q', 'two')
        self.assertEqual([CatalogueEntry('p', 'q', 'two')], list(self.catalogue.list('p')))

    def test_what_is_missing(self):
        for call in (
            lambda: self.catalogue.get('p', 'q'),
            lambda: self.catalogue.update('p', 'q', 'pool'),
        ):
            said = self.refused(QueueNotMapped, call)
            self.assertEqual('No pool found for queue q for project p', said)
        self.catalogue.delete('p', 'q')

    def test_delete(self):
        self.catalogue.insert('p', 'q', 'pool')
        self.catalogue.insert('p', 'r', 'pool')
        self.catalogue.delete('p', 'q')
        self.assertIs(False, self.catalogue.exists('p', 'q'))
        self.assertEqual(['r'], [entry.queue for entry in self.catalogue.list('p')])

    def test_lists_are_whole_and_in_the_order_of_queues(self):
        for name in reversed(NAMES):
            self.catalogue.insert('p', name, 'pool')
        for number in range(30):
            self.catalogue.insert('q', f'{number:02}', 'pool')
        self.assertEqual(NAMES, [entry.queue for entry in self.catalogue.list('p')])
        self.assertEqual(30, len(self.catalogue.list('q')))

    def test_drop_all(self):
        for project in (None, 'p', 'a'):
            self.catalogue.insert(project, 'q', 'pool')
        self.catalogue.drop_all()
        for project in (None, 'p', 'a'):
            self.assertEqual([], list(self.catalogue.list(project)))
        self.catalogue.drop_all()

    def test_names_that_collide_are_refused(self):
        """Bug 8: what a dot joins, another dot joins too."""
        for held, wanted in (
            (('a.b', 'c'), ('a', 'b.c')),
            (('a', 'b.c'), ('a.b', 'c')),
            (('a', 'b'), ('a.b', 'c')),
            (('a.b', 'c'), ('a', 'b')),
            ((None, 'b.c'), ('.b', 'c')),
        ):
            self.catalogue.drop_all()
            self.catalogue.insert(*held, 'pool')
            self.refused(NameCollision, lambda w=wanted: self.catalogue.insert(*w, 'other'))
            self.assertIs(False, self.catalogue.exists(*wanted))
            self.refused(QueueNotMapped, lambda w=wanted: self.catalogue.get(*w))
            self.refused(QueueNotMapped, lambda w=wanted: self.catalogue.update(*w, 'other'))
            before = self.everything()
            self.catalogue.delete(*wanted)
            self.assertEqual(before, self.everything())
            self.catalogue.delete(*held)
            self.catalogue.insert(*wanted, 'other')

    def test_dots_that_do_not_collide(self):
        for project, queue in (('a', 'b.c'), ('a', 'b.d'), ('a.c', 'd'), (None, 'a.b')):
            self.catalogue.insert(project, queue, 'pool')
        self.assertEqual(['b.c', 'b.d'], [entry.queue for entry in self.catalogue.list('a')])

    def test_what_cannot_be_stored_is_refused(self):
        for name in ('', ' a', 'a\n', 'x' * 256):
            self.refused(InvalidRequest, lambda n=name: self.catalogue.insert(n, 'q', 'pool'))
            self.refused(InvalidRequest, lambda n=name: self.catalogue.insert('p', n, 'pool'))
            self.refused(InvalidRequest, lambda n=name: self.catalogue.insert('p', 'q', n))
        longest = 'x' * 255
        self.catalogue.insert(longest, longest, longest)
        self.assertEqual(longest, self.catalogue.get(longest, longest).pool)


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
