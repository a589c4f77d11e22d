"""What dies beside a cluster, or in it, and what its tenant sees of that."""

import os
import signal
from collections.abc import Iterable

from tests import servers
from tests.base import TestCase
from tests.deployment import READY, Deployment
from tests.guarded import wait_until
from tests.tenant import Tenant


class SurvivalTest(TestCase):
    """One cluster, and one death after the other."""

    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        self.plane = self.useFixture(Deployment(broker.new_vhost()))
        self.api = self.plane.api
        self.cluster_id = self.api.create(2)['id']
        self.api.completed(self.cluster_id)
        self.tenant = Tenant(self.api, self.cluster_id)
        self.tenant.write('before')

    def test_a_cluster_survives_what_is_around_it(self) -> None:
        self.all_agents_killed()
        self.a_server_killed()
        self.everything_of_ours_killed()

    def all_agents_killed(self) -> None:
        servers_before = self.plane.redis_servers()
        killed = self.plane.agent_pids()
        kill(killed.values())
        self.assertEqual({'before'}, self.tenant.read())
        wait_until(lambda: self.replaced(killed), 'agents started again', READY)
        # The new agents command the old servers.
        self.tenant = Tenant(self.api, self.cluster_id)
        self.assertEqual({'before'}, self.tenant.read())
        self.assertEqual(servers_before, self.plane.redis_servers())

    def replaced(self, killed: dict[str, int]) -> bool:
        agents = self.plane.agent_pids()
        return killed.keys() == agents.keys() and not set(killed.values()) & set(agents.values())

    def a_server_killed(self) -> None:
        before = self.plane.redis_servers()
        victim = next(iter(before))
        kill([before[victim]])
        wait_until(
            lambda: self.plane.redis_servers().get(victim, before[victim]) != before[victim],
            'redis-server started again',
            READY,
        )
        self.tenant.await_clean()
        self.assertEqual({'before'}, self.tenant.read())
        self.assertEqual(2, len(self.plane.redis_servers()))

    def everything_of_ours_killed(self) -> None:
        addresses = self.tenant.addresses()
        before = self.plane.redis_servers()
        for daemon in (*self.plane.taskmanagers, self.plane.api_process):
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        kill(self.plane.agent_pids().values())
        self.tenant.write('after', addresses)
        self.assertEqual({'after'}, self.tenant.read(addresses))
        wait_until(lambda: not self.plane.agent_pids(), 'the end of all agents')
        self.assertEqual(before, self.plane.redis_servers())


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
