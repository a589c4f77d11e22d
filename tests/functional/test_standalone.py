"""``slotwright standalone``: stopped, killed, started again."""

import os
import signal
import subprocess
from typing import Any

from tests import rows
from tests.base import TestCase
from tests.deployment import READY
from tests.guarded import wait_until
from tests.standalone import Standalone
from tests.tenant import Tenant


class StandaloneTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.service = self.useFixture(Standalone())

    def test_its_clusters_are_found_again(self) -> None:
        cluster_id = self.service.api.create(2)['id']
        self.service.api.completed(cluster_id)
        tenant = Tenant(self.service.api, cluster_id)
        addresses = tenant.addresses()
        tenant.write('kept')
        servers = self.service.redis_servers()
        self.assertEqual(2, len(servers))

        for signum in (signal.SIGTERM, signal.SIGKILL):
            self.service.end(signum)
            self.assertEqual({'kept'}, tenant.read(addresses))
            self.service.start()
            self.assertEqual(servers, self.service.redis_servers())
            self.await_healthy(cluster_id)
            self.second_is_refused()

        self.service.end(signal.SIGKILL)
        victim = next(iter(servers))
        os.kill(servers[victim], signal.SIGKILL)
        wait_until(lambda: victim not in self.service.redis_servers(), 'its end')
        self.service.start()
        tenant = Tenant(self.service.api, cluster_id)  # its agents obey, the new node too
        tenant.await_clean()
        self.assertEqual({'kept'}, tenant.read())
        del servers[victim]
        self.assertEqual(servers.items(), self.service.redis_servers().items() & servers.items())
        self.assertEqual(2, len(self.service.redis_servers()))

    def test_a_create_goes_on_after_a_kill(self) -> None:
        # So many that it is not done before we have seen the first.
        cluster_id = self.service.api.create(5)['id']
        wait_until(self.service.redis_servers, 'a first redis-server', READY)
        self.service.end(signal.SIGKILL)
        (operation,) = rows.select(self.service.database, 'operations')
        self.assertEqual('running', operation['state'])
        self.service.start()
        self.service.api.completed(cluster_id)
        Tenant(self.service.api, cluster_id).require_clean()
        self.assertEqual(5, len(self.service.redis_servers()))

    def await_healthy(self, cluster_id: str) -> None:
        """Every member ACTIVE, and its agent has said since that it is well."""
        wait_until(lambda: self.health(cluster_id) == {('ACTIVE', 'HEALTHY')}, 'health', READY)

    def health(self, cluster_id: str) -> set[tuple[str, str]]:
        members: list[dict[str, Any]] = self.service.api.cluster(cluster_id)['instances']
        shown = [self.service.api('GET', f'/instances/{member["id"]}')[1] for member in members]
        return {(s['instance']['status'], s['instance']['operating_status']) for s in shown}

    def second_is_refused(self) -> None:
        done = subprocess.run(
            self.service.command(), capture_output=True, text=True, timeout=READY, check=False
        )
        self.assertEqual(1, done.returncode)
        self.assertIn(f'another standalone runs on {self.service.data_dir}', done.stderr)
        self.assertNotIn('Traceback', done.stderr)
