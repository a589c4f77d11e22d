"""What the tests of the storage's contract share."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from slotwright.domain.clusters import Cluster
from slotwright.domain.placement import Placement
from slotwright.domain.pools import Pool
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.storage.base import Claim, NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from slotwright.storage.sqlalchemy.tables import metadata
from tests import base
from tests.contract import databases

PROJECT = 'demo'
LEASE = 60.0


def new_id() -> str:
    return str(uuid.uuid4())


class Hands:
    """A clock that goes only when told; the storage's ``now``."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


class StoreCase(base.TestCase):
    """A store on an upgraded database without clusters; ``backend`` says which."""

    backend: databases.Backend
    url: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.url = cls.backend.create()
        migration.upgrade(cls.url)

    def setUp(self) -> None:
        super().setUp()
        self.store = self.connect()
        self.store.database.write(_empty)

    def connect(self, now: Callable[[], float] | None = None) -> SQLAlchemyStore:
        store = SQLAlchemyStore.connect(self.url, now=now)
        self.addCleanup(store.close)
        return store

    def create(self, members: int = 3, project_id: str = PROJECT, name: str = 'c') -> Cluster:
        """A cluster that is being built."""
        return self.store.create_cluster(
            NewCluster(new_id(), project_id, name, 'redis', '3.0', 'secret'),
            self.new_members(members),
            self.new_operation(OperationKind.CREATE),
        )

    def create_in(self, *uris: str | None, project_id: str = PROJECT) -> Cluster:
        """A cluster with a member in a pool at each uri, named ``pool-<n>``; None: in no pool."""
        new = NewCluster(new_id(), project_id, 'c', 'redis', '3.0', 'secret')
        pools = [
            Pool(f'pool-{n}', uri, 1, options={'failure_domain': str(n)})
            for n, uri in enumerate(uris)
            if uri is not None
        ]
        creation = self.new_operation(OperationKind.CREATE)
        members = self.new_members(len(pools))
        # Members are spread over failure domains, so each gets a pool of its own.
        cluster = self.store.create_cluster(new, members, creation, placement=Placement(pools))
        if len(pools) == len(uris):
            return cluster
        self.finish(self.claim(cluster))
        homeless = self.new_members(len(uris) - len(pools))
        return self.begin(cluster, OperationKind.GROW, *(m.id for m in homeless), members=homeless)

    def create_ready(self, members: int = 3, project_id: str = PROJECT) -> Cluster:
        """A cluster that no operation has."""
        cluster = self.create(members, project_id)
        self.finish(
            self.claim(cluster), statuses={i.id: InstanceStatus.ACTIVE for i in cluster.instances}
        )
        return self.store.get_cluster(project_id, cluster.id)

    def new_members(self, count: int) -> list[NewInstance]:
        return [NewInstance(new_id(), '2', 2) for _ in range(count)]

    def new_operation(self, kind: OperationKind, *instance_ids: str) -> NewOperation:
        return NewOperation(new_id(), kind, 'req-1', instance_ids)

    def begin(self, cluster: Cluster, kind: OperationKind, *ids: str, **more: Any) -> Cluster:
        operation = self.new_operation(kind, *ids)
        return self.store.begin_operation(PROJECT, cluster.id, operation, **more)

    def claim(self, cluster: Cluster, owner: str = 'worker') -> Claim:
        assert cluster.operation is not None
        claim = self.store.claim(cluster.operation.id, owner, LEASE)
        assert claim is not None
        return claim

    def finish(
        self, claim: Claim, state: OperationState = OperationState.COMPLETED, **more: Any
    ) -> None:
        self.store.finish(claim, state, **more)

    def row(self, table: str, row_id: str) -> sa.RowMapping:
        """A row as it lies in the database."""
        columns = metadata.tables[table]
        query = sa.select(columns).where(columns.c.id == row_id)
        return self.store.database.read(lambda conn: conn.execute(query).mappings().one())

    def everything(self) -> dict[str, list[sa.Row[Any]]]:
        """All rows of all tables, to see that nothing changed."""
        return self.store.database.read(
            lambda conn: {
                table.name: list(conn.execute(sa.select(table).order_by(*table.primary_key)))
                for table in metadata.sorted_tables
            }
        )

    @contextlib.contextmanager
    def assert_unchanged(self) -> Iterator[None]:
        before = self.everything()
        yield
        self.assertEqual(before, self.everything())

    @contextlib.contextmanager
    def count_queries(self) -> Iterator[list[str]]:
        """The statements that the store sends meanwhile, but for BEGIN."""
        sent: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith('BEGIN'):
                sent.append(statement)

        engine = self.store.database.engine
        sa.event.listen(engine, 'before_cursor_execute', note)
        try:
            yield sent
        finally:
            sa.event.remove(engine, 'before_cursor_execute', note)


def _empty(conn: sa.Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        if table.name not in ('flavors', 'event_relay'):
            conn.execute(sa.delete(table))
    first = {'owner': None, 'lease_until': None, 'position': 0, 'handed_on': 0}
    conn.execute(sa.update(metadata.tables['event_relay']).values(first))
