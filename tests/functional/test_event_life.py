"""A live stream through the life of a cluster, and through the deaths of what carries it."""

import signal
import threading
from typing import Any

from tests import servers
from tests.base import TestCase
from tests.deployment import PROJECT, READY, Deployment, members
from tests.event_reader import EventReader
from tests.guarded import wait_until

ALL = 200


class Following:
    """Reads a stream until it ends; ``events`` is what came."""

    def __init__(self, reader: EventReader) -> None:
        self.events: list[Any] = []
        self._reader = reader
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (event := self._reader.next()) is not None:
            self.events.append(event[1])

    def ended(self) -> bool:
        return not self._thread.is_alive()


class EventLifeTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.redis = self.useFixture(servers.RedisServer())
        self.plane = self.useFixture(
            Deployment(
                servers.shared(servers.RabbitMQ).new_vhost(),
                options={'events': {'driver': 'redis', 'uri': self.redis.url}},
            )
        )
        self.api = self.plane.api
        url = f'http://127.0.0.1:{self.plane.port}'
        self.project = self.follow(url, f'/v1.0/{PROJECT}/events')
        self.cluster_id = self.api.create(2)['id']
        self.cluster = self.follow(
            url, f'/v1.0/{PROJECT}/clusters/{self.cluster_id}/events?marker=0'
        )

    def follow(self, url: str, path: str) -> Following:
        reader = EventReader(url, path).begin()
        self.assertEqual(200, reader.status)
        self.addCleanup(reader.close)
        return Following(reader)

    def history(self, path: str) -> list[Any]:
        found: list[Any] = []
        while True:
            marker = found[-1]['id'] if found else 0
            status, body = self.api('GET', f'{path}?marker={marker}&limit=20')
            assert status == 200, body
            if not body['events']:
                return found
            found += body['events']

    def test_nothing_is_missed(self) -> None:
        self.api.completed(self.cluster_id)

        self.redis.stop()  # where events are published; the database has them
        self.api.action(self.cluster_id, {'grow': members(1)})
        self.api.completed(self.cluster_id)
        self.redis.start()

        (taskmanager,) = self.plane.taskmanagers
        taskmanager.signal(signal.SIGKILL)
        taskmanager.wait()
        self.assertEqual(202, self.api('DELETE', f'/clusters/{self.cluster_id}')[0])
        self.plane.start_taskmanager()  # committed, and not handed on before
        self.assertIsNone(self.api.settled(self.cluster_id))

        told = self.history(f'/clusters/{self.cluster_id}/events')
        self.assertEqual([*range(1, len(told) + 1)], [event['id'] for event in told])
        kinds = [event['kind'] for event in told]
        self.assertEqual('cluster.created', kinds[0])
        self.assertEqual('cluster.deleted', kinds[-1])
        self.assertEqual(3, kinds.count('operation.completed'))
        self.assertEqual(3, kinds.count('instance.placed'))
        self.assertEqual(3, kinds.count('instance.deleted'))
        for followed in (self.project, self.cluster):
            wait_until(
                lambda f=followed: len(f.events) >= len(told),  # type: ignore[misc]
                'the stream to have it all',
                READY,
            )
        self.assertEqual(told, self.cluster.events)
        everything = self.history('/events')
        self.assertEqual([event['id'] for event in everything], [*range(1, len(told) + 1)])
        self.assertEqual(everything, self.project.events)
        self.assertEqual([e['message'] for e in told], [e['message'] for e in everything])

        self.plane.api_process.signal(signal.SIGTERM)
        for followed in (self.project, self.cluster):
            wait_until(followed.ended, 'the stream to end with the daemon', READY)
