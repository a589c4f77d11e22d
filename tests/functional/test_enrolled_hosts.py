"""The inventory: clusters on hosts that enrolled over RabbitMQ."""

import signal
import subprocess
import sys
from typing import Any

from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import rows, servers
from tests.base import TestCase
from tests.deployment import READY, Deployment
from tests.enrolled import EnrolledHost
from tests.guarded import wait_until
from tests.tenant import Tenant

SILENCE = 8.0  # seconds
OPTIONS = {
    'taskmanager': {'provisioner': 'inventory', 'patience': 3},
    'inventory': {'silence': SILENCE},
}


class EnrolledHostsTest(TestCase):
    timeout = 600

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        url = broker.new_vhost()
        self.vhost = url.rpartition('/')[2]
        self.plane = self.useFixture(Deployment(url, options=OPTIONS))
        self.api = self.plane.api
        self.store = SQLAlchemyStore.connect(self.plane.database)
        self.addCleanup(self.store.close)
        self.hosts = [self.useFixture(EnrolledHost(self.plane, n)) for n in (1, 2, 3)]
        self.await_free()

    def test_hosts_are_taken_and_given_back_clean(self) -> None:
        cluster = self.api.completed(self.api.create(3)['id'])
        self.assertEqual(
            sorted(f'{host.ip}:{host.port}' for host in self.hosts),
            sorted(i['address'] for i in cluster['instances']),
        )
        tenant = Tenant(self.api, cluster['id'])
        tenant.write('first')
        self.assertEqual({'first'}, tenant.read())
        tenant.require_clean()

        self.assertIn('free: 0', self.refused(3))

        self.delete(cluster['id'])
        self.await_free()
        for host in self.hosts:
            self.assertEqual([], host.redis_pids)

        # One that is silent is not taken, and those that are there are not held.
        silent = self.hosts[0]
        silent.process.signal(signal.SIGSTOP)
        self.await_silent(silent.id)
        reason = self.refused(3)
        self.assertIn('free: 2 (also: 1 silent)', reason)
        self.assertEqual([None] * 3, [host.record()['instance_id'] for host in self.hosts])
        silent.process.signal(signal.SIGCONT)
        self.await_heard(silent.id)

        cluster = self.api.completed(self.api.create(3)['id'])
        tenant = Tenant(self.api, cluster['id'])
        self.assertEqual({None}, tenant.read())
        self.delete(cluster['id'])
        self.await_free()

    def test_what_is_killed_goes_on_and_what_is_lost_is_new(self) -> None:
        # The taskmanager dies while hosts are taken; the next one goes on with the same.
        (taskmanager,) = self.plane.taskmanagers
        cluster_id = self.api.create(3)['id']
        wait_until(lambda: any(h.record()['instance_id'] for h in self.hosts), 'taken', READY)
        taskmanager.signal(signal.SIGKILL)
        taskmanager.wait()
        self.plane.start_taskmanager()
        self.api.completed(cluster_id)
        tenant = Tenant(self.api, cluster_id)
        tenant.write('kept')

        killed, lost, _ = self.hosts
        before = killed.redis_pids
        killed.kill()
        self.assertEqual({'kept'}, tenant.read())
        killed.restart()
        self.await_reported(killed)
        self.assertEqual(before, killed.redis_pids)
        self.assertEqual(killed.instances, [killed.record()['instance_id']])

        old, (away,) = lost.id, lost.instances
        lost.lose_disk()
        lost.restart()
        wait_until(lambda: lost.id not in ('', old) and bool(lost.record()), 'a new host', READY)
        self.assertEqual([], lost.instances)
        # Its cluster has an instance there still, as far as anybody knows.
        self.await_silent(old)
        self.assertRegex(self.manage('host', 'list'), f'{old}  default  machine-2 .* silent for')
        self.assertIn('cluster that lives', self.manage('host', 'remove', old, status=1))

        members = {i['id'] for i in self.api.cluster(cluster_id)['instances']}
        self.delete(cluster_id)
        # A Redis that nobody hears of may run on the old host and know all three addresses.
        self.assertIn('3 at an address that another cluster may still know', self.refused(3))
        # The other agents remove their queues when they are done with the instance.
        wait_until(lambda: self.agents_asked() & members == {away}, 'one queue left', READY)
        before = self.agents_asked()
        self.manage('host', 'remove', old)
        self.assertEqual({away}, before - self.agents_asked())
        self.await_free()
        cluster = self.api.completed(self.api.create(3)['id'])
        self.delete(cluster['id'])
        self.await_free()

    def agents_asked(self) -> set[str]:
        """The instances, and hosts, whose agents have queues."""
        queues = servers.shared(servers.RabbitMQ).queues(self.vhost)
        parts = (queue.partition('.') for queue in queues)
        return {name for topic, _, name in parts if topic == 'guestagent'}

    def await_free(self) -> None:
        for host in self.hosts:
            host.await_free()
            self.assertEqual([], host.instances)

    def await_silent(self, host_id: str) -> None:
        wait_until(lambda: self.age(host_id) > SILENCE, f'host {host_id} silent', READY)

    def await_heard(self, host_id: str) -> None:
        wait_until(lambda: self.age(host_id) < SILENCE, f'host {host_id} heard of', READY)

    def age(self, host_id: str) -> float:
        return next(host.age for host in self.store.list_hosts() if host.id == host_id)

    def await_reported(self, host: EnrolledHost) -> None:
        """The agent started last has told how its instance is."""
        instance_id = host.record()['instance_id']

        def reported() -> Any:
            return rows.select(self.plane.database, 'instances', id=instance_id)[0]['reported']

        before = reported()
        wait_until(lambda: reported() > before, f'a report from {host.machine}', READY)

    def delete(self, cluster_id: str) -> None:
        self.assertEqual(202, self.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(self.api.settled(cluster_id))

    def refused(self, masters: int) -> str:
        """Ask for a cluster that there are no hosts for; answers why there is none."""
        cluster = self.api.settled(self.api.create(masters, 'too-large')['id'])
        self.assertEqual('failed', cluster['operation']['state'])
        self.assertEqual({'ERROR'}, {i['status'] for i in cluster['instances']})
        self.delete(cluster['id'])
        return str(cluster['operation']['reason'])

    def manage(self, *arguments: str, status: int = 0) -> str:
        config = str(self.plane.config)
        done = subprocess.run(
            [sys.executable, '-m', 'slotwright.cmd.manage', '--config-file', config, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr
