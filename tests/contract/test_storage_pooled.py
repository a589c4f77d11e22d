"""Which instances are in pools, on every database."""

from slotwright.domain.states import OperationKind
from tests.contract import databases
from tests.contract.storage_case import PROJECT, StoreCase, new_id


class Contract:
    def pooled(self):
        return {project: dict(pools) for project, pools in self.store.list_pooled().items()}

    def delete(self, cluster):
        self.finish(self.claim(cluster))
        project_id = cluster.project_id
        operation = self.new_operation(OperationKind.DELETE)
        deleting = self.store.begin_operation(project_id, cluster.id, operation)
        self.finish(self.claim(deleting), delete_cluster=True)

    def test_of_nothing(self):
        self.create(2)  # in no pools
        self.assertEqual({}, self.pooled())
        self.assertEqual([], list(self.store.find_unpooled(PROJECT, [])))

    def test_those_in_pools_by_project(self):
        one = self.create_in('local://', 'inventory://a', None)
        two = self.create_in('local://', project_id='other')
        self.assertEqual(
            {
                PROJECT: {i.id: i.pool for i in one.instances if i.pool},
                'other': {i.id: 'pool-0' for i in two.instances},
            },
            self.pooled(),
        )
        self.delete(two)
        with self.count_queries() as queries:
            self.assertEqual({}, self.pooled()['other'])
        self.assertEqual(3, len(queries))

    def test_instances_that_are_in_no_pool_there(self):
        here = self.create_in('local://', None)
        there = self.create_in('local://', project_id='other')
        gone = self.create_in('local://')
        self.delete(gone)
        poolless = next(i.id for i in here.instances if i.pool is None)
        (moved,), (deleted,) = there.instances, gone.instances
        # Nobody's: not told, however many there are.
        ids = [i.id for i in here.instances] + [moved.id, deleted.id, 'q', 'x' * 255]
        ids += [new_id() for _ in range(1200)]
        self.assertEqual(
            {poolless, moved.id, deleted.id}, set(self.store.find_unpooled(PROJECT, ids))
        )


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
