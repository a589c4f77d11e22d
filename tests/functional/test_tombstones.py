"""A cluster is deleted while agents of it are away."""

import os
import signal
from typing import Any

from slotwright.domain.topology import Address
from taskmanager.provisioners.local import can_bind
from tests import rows, servers
from tests.base import TestCase
from tests.deployment import IMPATIENT, READY, Deployment
from tests.guarded import wait_until


class TombstoneTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.broker = servers.shared(servers.RabbitMQ)
        url = self.broker.new_vhost()
        self.vhost = url.rpartition('/')[2]
        self.plane = self.useFixture(Deployment(url, options=IMPATIENT))
        self.api = self.plane.api

    def test_an_agent_that_returns_wipes_its_instance(self) -> None:
        cluster_id = self.api.create(3)['id']
        cluster = self.api.completed(cluster_id)
        here, suspended, killed = (i['id'] for i in cluster['instances'])
        self.assertIn(f'guestagent.{here}', self.broker.queues(self.vhost))
        for absent in (suspended, killed):
            os.kill(self.agents()[absent], signal.SIGSTOP)
        self.assertEqual(202, self.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(self.api.settled(cluster_id))
        self.assertEqual([], self.api('GET', '/clusters')[1]['clusters'])
        self.assertIsNone(self.row(here)['ip'])
        places = {i: self.tombstone(i) for i in (suspended, killed)}
        self.assertEqual({suspended, killed}, set(self.plane.redis_servers()))

        os.kill(self.agents()[suspended], signal.SIGCONT)
        self.await_wiped(suspended, places[suspended])
        self.assertTrue(self.row(killed)['tombstone'])

        # The other's agent never returns; the next taskmanager starts one in its place.
        (taskmanager,) = self.plane.taskmanagers
        taskmanager.signal(signal.SIGKILL)
        os.kill(self.agents()[killed], signal.SIGKILL)
        taskmanager.wait()
        self.plane.start_taskmanager()
        self.await_wiped(killed, places[killed])
        self.assertEqual([], list(self.plane.data_dir.iterdir()))
        queues = self.broker.queues(self.vhost)
        bindings = self.broker.control('list_bindings', '--vhost', self.vhost)
        for instance_id in (here, suspended, killed):
            self.assertNotIn(f'guestagent.{instance_id}', queues)
            self.assertNotIn(instance_id, bindings)
        self.expiring()

    def expiring(self) -> None:
        """What a killed process leaves else, queues of its own for answers, expires."""
        listed = self.broker.control(
            'list_queues', '--vhost', self.vhost, '--no-table-headers', 'name', 'arguments'
        )
        transient = [line for line in listed.splitlines() if 'reply_' in line or '_fanout_' in line]
        self.assertTrue(transient)
        for line in transient:
            self.assertIn('"x-expires",300000', line)

    def agents(self) -> dict[str, int]:
        return self.plane.agent_pids()

    def row(self, instance_id: str) -> dict[str, Any]:
        (row,) = rows.select(self.plane.database, 'instances', id=instance_id)
        return row

    def tombstone(self, instance_id: str) -> Address:
        """It is nobody's any more, and its address is not given to anybody else."""
        row = self.row(instance_id)
        self.assertTrue(row['tombstone'])
        address = Address(row['ip'], row['port'], row['bus_port'])
        self.assertFalse(can_bind(address))
        return address

    def await_wiped(self, instance_id: str, address: Address) -> None:
        wait_until(lambda: self.row(instance_id)['ip'] is None, 'the address given back', READY)
        self.assertFalse(self.row(instance_id)['tombstone'])
        wait_until(lambda: instance_id not in self.agents(), 'end of the agent', READY)
        self.assertNotIn(instance_id, self.plane.redis_servers())
        self.assertFalse((self.plane.data_dir / instance_id).exists())
        self.assertTrue(can_bind(address))
