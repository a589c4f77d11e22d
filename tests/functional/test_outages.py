"""The broker, or the database, is away."""

import json
import urllib.request
from typing import Any

from tests import servers
from tests.base import TestCase
from tests.deployment import READY, Deployment, cluster_body
from tests.guarded import wait_until


class OutageTest(TestCase):
    """With servers of its own, which it may stop."""

    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.broker = self.useFixture(servers.RabbitMQ())
        self.database = self.useFixture(servers.MariaDB())
        plane = Deployment(self.broker.url, self.database.new_database())
        self.api = self.useFixture(plane).api
        self.url = f'http://127.0.0.1:{plane.port}'

    def test_nothing_accepted_is_lost(self) -> None:
        cluster_id = self.without_broker()
        self.without_database(cluster_id)

    def without_broker(self) -> str:
        """A request is accepted, and done when the broker is back."""
        self.broker.stop()
        cluster_id: str = self.api.create(1)['id']
        self.assertEqual('BUILDING', self.api.cluster(cluster_id)['task']['name'])
        wait_until(lambda: self.health() == ('DEGRADED', 'DOWN'), 'the broker to be missed', READY)
        self.broker.start()
        wait_until(lambda: self.health() == ('OK', 'OK'), 'the broker to be seen', READY)
        cluster = self.api.completed(cluster_id)
        self.assertEqual(['ACTIVE'], [i['status'] for i in cluster['instances']])
        return cluster_id

    def health(self) -> tuple[str, str]:
        with urllib.request.urlopen(f'{self.url}/healthcheck', timeout=100) as answer:
            found = json.loads(answer.read())
        return found['status'], found['broker']

    def without_database(self, cluster_id: str) -> None:
        """Requests are refused, and nothing of them is done; then all goes on."""
        self.database.stop()
        requests: tuple[tuple[str, str, Any], ...] = (
            ('GET', f'/clusters/{cluster_id}', None),
            ('POST', '/clusters', {'cluster': cluster_body(1)}),
            ('DELETE', f'/clusters/{cluster_id}', None),
        )
        for request in requests:
            status, body = self.api(*request)
            self.assertEqual((503, 503), (status, body['serviceUnavailable']['code']))
        self.database.start()
        wait_until(lambda: self.api('GET', '/clusters')[0] == 200, 'the API to answer', READY)
        (cluster,) = self.api('GET', '/clusters')[1]['clusters']
        self.assertEqual((cluster_id, 'NONE'), (cluster['id'], cluster['task']['name']))
        self.assertEqual(202, self.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(self.api.settled(cluster_id))
