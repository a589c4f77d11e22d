"""The three daemons over RabbitMQ, on both databases."""

from tests import servers
from tests.base import TestCase
from tests.deployment import Deployment, members


class DaemonsOnSQLiteTest(TestCase):
    timeout = 300

    def database(self) -> str | None:
        return None

    def test_the_life_of_a_cluster(self) -> None:
        broker = servers.shared(servers.RabbitMQ)
        plane = self.useFixture(Deployment(broker.new_vhost(), self.database()))
        api = plane.api
        cluster_id = api.create(3)['id']
        cluster = api.completed(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, [i['status'] for i in cluster['instances']])
        self.assertEqual(3, len(plane.redis_pids()))
        api.action(cluster_id, {'grow': members(1)})
        cluster = api.completed(cluster_id)
        self.assertEqual(4, len(cluster['instances']))
        api.action(cluster_id, {'shrink': [{'id': cluster['instances'][-1]['id']}]})
        cluster = api.completed(cluster_id)
        self.assertEqual(3, len(cluster['instances']))
        self.assertEqual(3, len(plane.redis_pids()))
        self.assertEqual(202, api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(api.settled(cluster_id))
        self.assertEqual(set(), plane.redis_pids())
        self.assertEqual({}, plane.agent_pids())


class DaemonsOnMariaDBTest(DaemonsOnSQLiteTest):
    def database(self) -> str | None:
        return servers.shared(servers.MariaDB).new_database()
