"""One set of flavors: those of the management store size the instances of the Trove API."""

from slotwright.domain.clusters import Flavor
from slotwright.domain.errors import NotFound
from slotwright.domain.quotas import NO_LIMITS
from slotwright.domain.states import OperationKind
from slotwright.storage import transfer
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.flavor_view import FlavorView
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.base import TestCase
from tests.contract import databases
from tests.contract import management_case as case
from tests.contract.storage_case import PROJECT, new_id

MEDIUM = {'ram': 2048, 'vcpus': 2, 'disk': 20, 'ephemeral': 10}


class Contract:
    """``store`` has the clusters, ``view`` the Trove flavors, ``flavors`` the set of them."""

    def ids(self):
        return {flavor.id: flavor.name for flavor in self.view.list_flavors()}

    def create(self, flavor_id):
        self.store.record_flavor(self.view.get_flavor(flavor_id))
        return self.store.create_cluster(
            NewCluster(new_id(), PROJECT, 'c', 'redis', '3.0', 'secret'),
            [NewInstance(new_id(), flavor_id, 1)],
            NewOperation(new_id(), OperationKind.CREATE, 'req-1'),
        )

    def test_the_default_ones_keep_their_ids(self):
        self.assertEqual({'1': 'small', '2': 'medium', '3': 'large'}, self.ids())
        self.assertEqual(Flavor('2', 'medium', **MEDIUM), self.view.get_flavor('2'))
        self.assertEqual(MEDIUM, self.flavors.get('medium').capabilities)

    def test_one_with_a_size_is_there_and_one_without_is_not(self):
        self.flavors.create('tiny', PROJECT, {'ram': 64, 'tier': 'x'})
        self.flavors.create('a group of pools')
        self.assertEqual(Flavor('tiny', 'tiny', 64, 1, 0, 0), self.view.get_flavor('tiny'))
        self.assertEqual(['1', '2', '3', 'tiny'], list(self.ids()))
        self.flavors.update('a group of pools', capabilities={'ram': 1})
        (added,) = [f for f in self.view.list_flavors() if f.name == 'a group of pools']
        self.assertEqual(added, self.view.get_flavor(added.id))
        self.assertRegex(added.id, '^[0-9a-f-]{36}$')
        self.flavors.update('tiny', capabilities={})
        self.assertRaises(NotFound, self.view.get_flavor, 'tiny')
        self.assertNotIn('tiny', self.ids())

    def test_a_name_that_is_an_id_gets_another(self):
        self.flavors.create('2', None, {'ram': 1})
        self.assertEqual('medium', self.view.get_flavor('2').name)
        self.assertEqual({'small', 'medium', 'large', '2'}, set(self.ids().values()))

    def test_a_deleted_one_is_gone_and_its_id_comes_back_with_it(self):
        before = self.create('2')
        self.flavors.delete('medium')
        said = str(self.assertRaises(NotFound, self.view.get_flavor, '2'))
        self.assertEqual('Flavor 2 cannot be found.', said)
        self.assertEqual(['1', '3'], list(self.ids()))
        self.assertEqual(before, self.store.get_cluster(PROJECT, before.id))
        self.flavors.create('2', None, {'ram': 1})
        self.assertNotIn('2', self.ids())
        self.flavors.create('medium', None, {'ram': 1024})
        self.assertEqual(1024, self.view.get_flavor('2').ram)

    def test_instances_keep_what_they_were_made_with(self):
        first = self.create('1')
        self.flavors.update('small', capabilities={'ram': 100})
        second = self.create('1')
        self.assertEqual(
            [512, 100],
            [self.store.get_cluster(PROJECT, c.id).instances[0].ram for c in (first, second)],
        )
        self.assertEqual(612, self.store.get_usage(PROJECT, NO_LIMITS).in_use.ram)

    def test_drop_all(self):
        self.create('1')
        self.flavors.drop_all()
        self.assertEqual({}, self.ids())


class SQLCase(TestCase):
    database: databases.Backend

    def setUp(self):
        super().setUp()
        url = self.database.create()
        migration.upgrade(url)
        self.store = SQLAlchemyStore.connect(url)
        self.addCleanup(self.store.close)
        self.flavors = SQLAlchemyPoolStore(self.store.database).flavors
        self.view = self.store


class SQLiteTest(Contract, SQLCase):
    database = databases.SQLite()


class MariaDBTest(Contract, SQLCase):
    database = databases.MariaDB()


class PostgreSQLTest(Contract, SQLCase):
    database = databases.PostgreSQL()


class RedisTest(Contract, SQLCase):
    """Flavors in Redis, clusters in SQL."""

    database = databases.SQLite()

    def setUp(self):
        super().setUp()
        store = case.REDIS.connect(case.REDIS.create())
        self.addCleanup(store.close)
        self.flavors = store.flavors
        self.view = FlavorView(self.flavors, self.store)
        transfer.copy_missing(SQLAlchemyPoolStore(self.store.database), store)
