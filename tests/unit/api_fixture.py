"""The whole REST application on a real store, with agents and taskmanagers that are played."""

import contextlib
import datetime
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from falcon import testing
from oslo_config import cfg

from api import wiring
from api.streams.service import Streams
from slotwright import conf as options
from slotwright.clock import utcnow
from slotwright.domain.errors import SlotwrightError
from slotwright.domain.events import Event
from slotwright.domain.states import InstanceStatus, OperationState
from slotwright.domain.topology import Address
from slotwright.rpc.contract import CommandContext
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from slotwright.storage.sqlalchemy.tables import metadata
from tests.base import TestCase
from tests.openapi import CheckedClient


class PlayedTaskManager:
    """Takes the wake-ups of ``TaskManagerAPI``; ``reaction`` is what one sets off."""

    def __init__(self) -> None:
        self.casts: list[tuple[str, CommandContext, str, list[str]]] = []
        self.reaction: Callable[[str], None] = lambda cluster_id: None

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._take('create', context, cluster_id)

    def grow_cluster(
        self, context: CommandContext, cluster_id: str, new_instance_ids: Sequence[str]
    ) -> None:
        self._take('grow', context, cluster_id, new_instance_ids)

    def shrink_cluster(
        self, context: CommandContext, cluster_id: str, instance_ids: Sequence[str]
    ) -> None:
        self._take('shrink', context, cluster_id, instance_ids)

    def delete_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._take('delete', context, cluster_id)

    def update_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._take('update', context, cluster_id)

    def _take(
        self, kind: str, context: CommandContext, cluster_id: str, ids: Sequence[str] = ()
    ) -> None:
        self.casts.append((kind, context, cluster_id, list(ids)))
        self.reaction(cluster_id)


class PlayedGuests:
    """Agents by instance id: those in ``holding`` own slots, those in ``failing`` raise."""

    def __init__(self) -> None:
        self.holding: set[str] = set()
        self.failing: dict[str, SlotwrightError] = {}
        self.asked: list[str] = []

    def node(self, instance_id: str) -> 'PlayedGuest':
        return PlayedGuest(self, instance_id)


class PlayedGuest:
    def __init__(self, guests: PlayedGuests, instance_id: str) -> None:
        self._guests = guests
        self._id = instance_id

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        self._guests.asked.append(self._id)
        if self._id in self._guests.failing:
            raise self._guests.failing[self._id]
        return None if self._id in self._guests.holding else f'node-of-{self._id}'


class ApiTestCase(TestCase):
    """A client of the application, and hands on everything behind it."""

    project = 'demo'

    def setUp(self) -> None:
        super().setUp()
        self.conf = options.register(cfg.ConfigOpts())
        self.conf([], project='slotwright')
        self.store = SQLAlchemyStore.connect('sqlite://')
        migration.upgrade(self.store)
        self.addCleanup(self.store.close)
        self.pool_store = SQLAlchemyPoolStore(self.store.database)
        self.taskmanager = PlayedTaskManager()
        self.guests = PlayedGuests()
        self.executor = ThreadPoolExecutor(4)
        self.addCleanup(self.executor.shutdown)
        self.pauses: list[float] = []
        self._ports = itertools.count(7000)
        self.now: datetime.datetime | None = None
        self.streams: Streams | None = None
        self.client = self.build()

    def build(self, **overrides: Any) -> testing.TestClient:
        """A client of a new application; ``overrides`` as group_option=value."""
        for name, value in overrides.items():
            group, _, option = name.partition('_')
            self.conf.set_override(option, value, group)
        app = wiring.build(
            self.conf,
            self.store,
            self.pool_store,
            self.taskmanager,
            self.guests,
            self.executor,
            engine_version=lambda: '7.0.15',
            pause=self.pauses.append,
            now=lambda: self.now or utcnow(),
            streams=self.streams,
        )
        return CheckedClient(app, headers={'Host': 'api.example:8779'})

    # Requests.

    def url(self, *parts: str) -> str:
        return '/'.join(('/v1.0', self.project, *parts))

    def call(
        self, method: str, *parts: str, body: Any = None, raw: bytes | None = None, **options: Any
    ) -> testing.Result:
        if body is not None:
            raw = json.dumps(body).encode()  # ASCII only, as the real client sends it
        if raw is not None:
            options['body'] = raw
            options.setdefault('content_type', 'application/json')
        return self.client.simulate_request(method, self.url(*parts), **options)

    def create(self, size: int = 3, name: str = 'redis-clstr') -> dict[str, Any]:
        answer = self.call('POST', 'clusters', body=create_body(size, name=name))
        self.assertEqual(202, answer.status_code, answer.text)
        return answer.json['cluster']

    def create_active(self, size: int = 3, name: str = 'redis-clstr') -> dict[str, Any]:
        """A cluster whose create is over, as ``show`` answers it."""
        cluster = self.create(size, name)
        self.finish(cluster['id'])
        return self.call('GET', 'clusters', cluster['id']).json['cluster']

    # What a taskmanager would do.

    def finish(
        self,
        cluster_id: str,
        state: OperationState = OperationState.COMPLETED,
        reason: str | None = None,
    ) -> None:
        """End the cluster's operation: every member placed, ACTIVE and reporting."""
        cluster = self.store.get_cluster(self.project, cluster_id)
        assert cluster.operation is not None
        claim = self.store.claim(cluster.operation.id, 'test', 60)
        assert claim is not None
        for member in cluster.instances:
            address = Address('127.0.0.1', next(self._ports), next(self._ports) + 10000)
            self.store.place_instance(claim, member.id, 'here', address)
            self.store.report(
                member.id, running=True, node_id=None, volume_used=0.1712, wiped=False
            )
        statuses = {member.id: InstanceStatus.ACTIVE for member in cluster.instances}
        self.store.finish(claim, state, reason=reason, statuses=statuses)

    def relay(self, limit: int = 9999) -> list[Event]:
        """Hand on what happened, as a taskmanager's relay does; answers it."""
        events = list(self.store.take_events('test', 60, limit) or ())
        if events:
            self.store.mark_handed_on('test', events[-1].position or 0)
        return events

    # What is checked again and again.

    def row_counts(self) -> dict[str, int]:
        def count(conn: sa.Connection) -> dict[str, int]:
            return {
                table.name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }

        return self.store.database.read(count)

    @contextlib.contextmanager
    def row(self, name: str) -> Iterator[None]:
        """Name the row of a table that a failure is about."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f'{name}: {error}') from error

    def assert_refused(self, answer: testing.Result, status: int, name: str, message: str) -> None:
        """The answer has that status, envelope and (part of a) message."""
        self.assertEqual(status, answer.status_code, answer.text)
        self.assertEqual([name], list(answer.json))
        self.assertEqual(status, answer.json[name]['code'])
        self.assertIn(message, answer.json[name]['message'])
        self.assertEqual({'code', 'message'}, set(answer.json[name]))
        self.assertRegex(answer.headers['X-Openstack-Request-Id'], '^req-[0-9a-f-]{36}$')


def member_body(flavor: Any = '2', size: Any = 2, **more: Any) -> dict[str, Any]:
    return {'flavorRef': flavor, 'volume': {'size': size}, **more}


def create_body(size: int = 4, **changes: Any) -> dict[str, Any]:
    """The seed's body, with members of the cluster changed; None leaves one out."""
    cluster = {
        'name': 'redis-clstr',
        'datastore': {'type': 'redis', 'version': '3.0'},
        'instances': [member_body() for _ in range(size)],
        **changes,
    }
    return {'cluster': {key: value for key, value in cluster.items() if value is not None}}
