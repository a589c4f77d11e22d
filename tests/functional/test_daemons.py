"""The three daemons over RabbitMQ: the life of a cluster, seen by its tenant.

The same life, led by the real client and on MariaDB, is in test_openstack_client.
"""

import os
import signal
from typing import Any

from redis.exceptions import NoPermissionError

from tests import rows, servers
from tests.base import TestCase
from tests.deployment import READY, Deployment, members
from tests.guarded import wait_until
from tests.tenant import Tenant


class DaemonsTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        self.plane = self.useFixture(Deployment(broker.new_vhost()))
        self.api = self.plane.api

    def test_the_life_of_a_cluster(self) -> None:
        cluster_id = self.api.create(3)['id']
        cluster = self.api.completed(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, [i['status'] for i in cluster['instances']])
        self.tenant = Tenant(self.api, cluster_id)
        self.tenant.require_clean()
        self.tenant.write('first')
        self.tenant_is_kept_in()
        self.refused_shrink(403, cluster, cluster['instances'][1])

        self.api.action(cluster_id, {'grow': members(1)})
        cluster = self.api.completed(cluster_id)
        self.tenant.require_clean()
        new = cluster['instances'][-1]
        self.assertEqual(4, len(self.plane.redis_pids()))
        self.silent_member(cluster, new)

        gone = self.node_id(new)
        self.api.action(cluster_id, {'shrink': [{'id': new['id']}]})
        cluster = self.api.completed(cluster_id)
        self.tenant.require_clean()
        self.assertEqual(3, len(cluster['instances']))
        for table in self.tenant.node_tables():
            self.assertNotIn(gone, [node.node_id for node in table])
        self.assertNotIn(new['id'], self.plane.redis_servers())
        self.assertNotIn(new['id'], self.plane.agent_pids())
        self.assertFalse((self.plane.data_dir / new['id']).exists())
        self.assertEqual({'first'}, self.tenant.read())

        self.assertEqual(202, self.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(self.api.settled(cluster_id))
        self.assertEqual(set(), self.plane.redis_pids())
        self.assertEqual({}, self.plane.agent_pids())
        self.assertEqual([], list(self.plane.data_dir.iterdir()))

    def tenant_is_kept_in(self) -> None:
        """It can do nothing that reaches over the edge of its cluster."""
        here, there, _ = self.tenant.addresses()
        with self.tenant.node(here) as client:
            for command in (
                ('CLUSTER', 'MEET', *there),
                ('CLUSTER', 'RESET', 'HARD'),
                ('CONFIG', 'GET', '*'),
            ):
                self.assertRaises(NoPermissionError, client.execute_command, *command)
            self.assertTrue(client.ping())

    def silent_member(self, cluster: Any, member: Any) -> None:
        """While one does not answer, nothing is decided about it."""
        pid = self.plane.agent_pids()[member['id']]
        os.kill(pid, signal.SIGSTOP)
        try:
            message = self.refused_shrink(503, cluster, member)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertIn(member['id'], message)

    def refused_shrink(self, status: int, cluster: Any, member: Any) -> str:
        """Ask for it; answers why it was refused."""
        # What a heartbeat says for the first time is an event.
        wait_until(self.all_have_said_that_they_run, 'heartbeats', READY)
        before = rows.counts(self.plane.database)
        path = f'/clusters/{cluster["id"]}/action'
        answer, body = self.api('POST', path, {'shrink': [{'id': member['id']}]})
        self.assertEqual(status, answer, body)
        self.assertEqual(before, rows.counts(self.plane.database))
        after = self.api.cluster(cluster['id'])
        self.assertEqual('NONE', after['task']['name'])
        self.assertEqual({'ACTIVE'}, {i['status'] for i in after['instances']})
        (envelope,) = body.values()
        return str(envelope['message'])

    def all_have_said_that_they_run(self) -> bool:
        members = rows.select(self.plane.database, 'instances', status='ACTIVE')
        return all(member['running'] and member['node_id'] for member in members)

    def node_id(self, member: Any) -> str:
        (row,) = rows.select(self.plane.database, 'instances', id=member['id'])
        return str(row['node_id'])
