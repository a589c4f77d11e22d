"""Counting, on every database."""

import datetime

from slotwright.domain.states import OperationKind
from tests.contract import databases
from tests.contract.storage_case import StoreCase

EVER = datetime.datetime(2000, 1, 1)
NEVER = datetime.datetime(2999, 1, 1)


class Contract:
    def test_of_nothing(self):
        census = self.store.take_census(EVER)
        self.assertEqual(({}, {}, {}), (census.clusters, census.instances, census.operations))
        self.assertEqual({}, census.pools)

    def test_of_all_projects(self):
        ready = self.create_ready(3)
        self.create_ready(1, 'other')
        self.create(2)
        up, down, _ = ready.instances
        for instance, running in ((up, True), (down, False)):
            self.store.report(
                instance.id, running=running, node_id=None, volume_used=0.1, wiped=False
            )
        gone = self.create_ready(2)
        deleting = self.claim(self.begin(gone, OperationKind.DELETE))
        for instance in gone.instances:
            self.store.drop_instance(deleting, instance.id, tombstone=False)
        self.finish(deleting, delete_cluster=True)

        with self.count_queries() as queries:
            census = self.store.take_census(EVER)
        self.assertEqual(4, len(queries))
        self.assertEqual({'NONE': 2, 'BUILDING': 1}, census.clusters)
        self.assertEqual(
            {
                ('ACTIVE', 'HEALTHY'): 1,
                ('ACTIVE', 'CRASHED'): 1,
                ('ACTIVE', 'UNKNOWN'): 2,
                ('BUILD', 'UNKNOWN'): 2,
            },
            census.instances,
        )
        counts = {key: count for key, (count, _) in census.operations.items()}
        self.assertEqual(
            {('create', 'completed'): 3, ('create', 'pending'): 1, ('delete', 'completed'): 1},
            counts,
        )
        later = self.store.take_census(NEVER)
        self.assertEqual({('ACTIVE', 'UNKNOWN'): 4, ('BUILD', 'UNKNOWN'): 2}, later.instances)


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
