"""Two taskmanagers share the work."""

import signal

from tests import rows, servers
from tests.base import TestCase
from tests.deployment import READY, Deployment
from tests.guarded import wait_until

CLUSTERS = 6
#: Of one taskmanager at once: too few for all the clusters.
WORKERS = 2


class TaskManagersTest(TestCase):
    timeout = 400

    def test_each_cluster_is_one_taskmanagers(self) -> None:
        broker = servers.shared(servers.RabbitMQ)
        # A lease that nobody loses, however slow the machine: a second claim would be right then.
        options = {'taskmanager': {'workers': WORKERS, 'lease': 60}}
        url = broker.new_vhost()
        plane = self.useFixture(Deployment(url, options=options, taskmanagers=2))

        def own_queues() -> int:
            queues = broker.queues(url.rpartition('/')[2])
            return sum(name.startswith('taskmanager.') for name in queues)

        wait_until(lambda: own_queues() == 2, 'both to be there', READY)
        ids = [plane.api.create(1, f'clstr-{n}')['id'] for n in range(CLUSTERS)]
        for cluster_id in ids:
            plane.api.completed(cluster_id)

        operations = rows.select(plane.database, 'operations')
        self.assertEqual(ids, [operation['cluster_id'] for operation in operations])
        # An epoch at its claim, and one at its end.
        epochs = [row['epoch'] for row in rows.select(plane.database, 'clusters')]
        self.assertEqual([2] * CLUSTERS, epochs)
        self.assertEqual({1}, {operation['epoch'] for operation in operations})

        logs = [process.log.read_text() for process in plane.taskmanagers]
        shares = [{o['id'] for o in operations if o['id'] in log} for log in logs]
        self.assertEqual({o['id'] for o in operations}, shares[0] | shares[1])
        self.assertEqual(set(), shares[0] & shares[1])
        self.assertTrue(all(shares), 'one of them did nothing')
        self.assertEqual(CLUSTERS, len(plane.redis_pids()))

        self.assertEqual(2, own_queues())
        plane.taskmanagers[0].signal(signal.SIGTERM)
        plane.taskmanagers[0].wait()
        self.assertEqual(1, own_queues())
