"""Instances in pools, on real servers: whose server, which network, and the catalogue."""

import ipaddress
import os
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fixtures
import redis

from slotwright.domain import errors
from slotwright.domain.placement import Placement
from slotwright.domain.pools import Pool
from slotwright.domain.states import OperationKind
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import servers
from tests.base import TestCase
from tests.deployment import PROJECT, READY, Deployment, loopback_network
from tests.enrolled import EnrolledHost
from tests.functional.guest_lab import Guest, GuestCase, alive
from tests.guarded import PATIENCE, wait_until
from tests.standalone import Standalone
from tests.tenant import Tenant

OTHER = 'other-server'


def accept(store: SQLAlchemyStore, count: int, *pools: Pool) -> str:
    """Have the database take a cluster for these pools; answers its id."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    new = NewCluster(str(uuid.uuid4()), PROJECT, 'placed', 'redis', '3.0', secret='s' * 64)
    store.create_cluster(
        new,
        [NewInstance(instance_id, '1', 1) for instance_id in ids],
        NewOperation(str(uuid.uuid4()), OperationKind.CREATE, 'req-1', tuple(ids)),
        placement=Placement(pools),
    )
    return new.id


class OtherServer(fixtures.Fixture):
    """A server on PATH that nobody runs unless told its name."""

    def _setUp(self) -> None:
        self.program = os.path.realpath(servers.ValkeyServer.require())
        folder = self.useFixture(fixtures.TempDir()).path
        os.symlink(self.program, os.path.join(folder, OTHER))
        path = f'{folder}{os.pathsep}{os.environ.get("PATH", os.defpath)}'
        self.useFixture(fixtures.EnvironmentVariable('PATH', path))

    def runs(self, pid: int) -> bool:
        """Whether the process is this server, under its name."""
        process = Path(f'/proc/{pid}')
        try:
            name = (process / 'comm').read_text().strip()
            return (name, os.readlink(process / 'exe')) == (OTHER, self.program)
        except OSError:
            return False


class NamedServerTest(GuestCase):
    """An agent that is told which server to run."""

    def setUp(self) -> None:
        super().setUp()
        servers.ValkeyServer.require()
        self.other = self.useFixture(OtherServer())

    def prepared_guest(self) -> Guest:
        guest = self.guest()
        guest.prepare(datastore_binary=OTHER)
        self.assertTrue(self.other.runs(guest.pid))
        return guest

    def test_it_is_started_again_and_adopted(self) -> None:
        guest = self.prepared_guest()
        pid = guest.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: guest.restarted(pid), 'it is back')
        self.assertTrue(self.other.runs(guest.pid))
        for also_gone in ((), ('redis.proc',)):
            pid = guest.pid
            guest.stop()
            for name in also_gone:
                os.unlink(os.path.join(guest.directory, name))
            guest.start()
            guest.taskmanager.wait_for(running=True)
            self.assertEqual(pid, guest.pid)
        guest.stop()
        os.kill(pid, signal.SIGKILL)
        guest.start()
        wait_until(lambda: guest.restarted(pid), 'a new agent brought it back')
        self.assertTrue(self.other.runs(guest.pid))

    def test_one_whose_records_are_lost_is_put_away(self) -> None:
        guest = self.prepared_guest()
        pid = guest.pid
        guest.stop()
        Path(guest.directory, 'agent.json').write_text('{')
        os.unlink(os.path.join(guest.directory, 'redis.proc'))
        guest.taskmanager.wanted = False
        guest.start()
        service = guest.service
        assert service is not None
        self.assertTrue(service.wait(PATIENCE))
        guest.stop()
        self.assertFalse(alive(pid))

    def test_a_server_that_is_not_there_is_named(self) -> None:
        guest = self.guest()
        error = self.assertRaises(
            errors.EngineNotFound, guest.prepare, datastore_binary='missing-server'
        )
        self.assertIn('missing-server', error.message)


class PlacedInstancesTest(TestCase):
    """A whole service; the clusters are put into its database with their places."""

    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        servers.ValkeyServer.require()
        self.other = self.useFixture(OtherServer())
        self.redis = self.useFixture(servers.RedisServer())
        self.service = self.useFixture(
            Standalone(
                {
                    'management_store': {'driver': 'redis'},
                    'drivers:management_store:redis': {'uri': self.redis.url},
                    'taskmanager': {'catalogue_interval': 1},
                }
            )
        )
        self.store = SQLAlchemyStore.connect(self.service.database)
        self.addCleanup(self.store.close)
        pool_store = RedisPoolStore.connect(self.redis.url)
        self.addCleanup(pool_store.close)
        self.catalogue = pool_store.catalogue

    def create(self, uri: str, count: int, options: Mapping[str, Any]) -> str:
        """Accept a cluster in pool ``here`` and answer its id."""
        return accept(self.store, count, Pool('here', uri, 1, options=options))

    def test_members_run_as_their_pool_says(self) -> None:
        network = loopback_network()
        cluster_id = self.create('local://', 2, {'network': network, 'datastore_binary': OTHER})
        cluster = self.service.api.completed(cluster_id)
        ids = {member['id'] for member in cluster['instances']}
        for member in cluster['instances']:
            ip = ipaddress.ip_address(member['address'].partition(':')[0])
            self.assertIn(ip, ipaddress.ip_network(network))
        self.assertEqual(ids, set(self.service.redis_servers()))
        self.await_other(ids)

        self.await_entries(ids)
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
        self.await_entries(ids)

        # What the agents were told outlives all of Slotwright, and redis.
        self.service.end(signal.SIGKILL)
        first, second = self.service.redis_servers().items()
        os.kill(first[1], signal.SIGKILL)
        wait_until(lambda: first[0] not in self.service.redis_servers(), 'its end', READY)
        self.service.start()
        self.await_other(ids)
        self.assertEqual(second[1], self.service.redis_servers()[second[0]])

        # Operations need no catalogue, and it needs none to come right.
        self.await_entries(ids)
        self.redis.stop()
        self.assertEqual(202, self.service.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(self.service.api.settled(cluster_id))
        self.redis.start()
        for stale in ids:
            self.catalogue.insert(PROJECT, stale, 'here')  # as an old dump would
        self.await_entries([])

    def test_a_pool_without_hosts_fails_by_name(self) -> None:
        operation = self.service.api.settled(self.create('inventory://rack', 1, {}))['operation']
        self.assertEqual('failed', operation['state'])
        self.assertIn("1 hosts of group 'rack' with 512 MiB are needed; free: 0", str(operation))

    def await_other(self, ids: set[str]) -> None:
        wait_until(
            lambda: (
                {i for i, pid in self.service.redis_servers().items() if self.other.runs(pid)}
                == ids
            ),
            f'{OTHER} on every member',
            READY,
        )

    def await_entries(self, ids: Sequence[str] | set[str]) -> None:
        """Exactly these are in the catalogue."""
        wait_until(
            lambda: (
                {entry.queue: entry.pool for entry in self.catalogue.list(PROJECT)}
                == dict.fromkeys(ids, 'here')
            ),
            f'{len(ids)} entries',
            READY,
        )


class MixedPoolsTest(TestCase):
    """Three daemons, and a cluster whose members are on enrolled hosts and on this one."""

    timeout = 400

    def test_members_of_one_cluster_run_at_both(self) -> None:
        servers.ValkeyServer.require()
        other = self.useFixture(OtherServer())
        plane = self.useFixture(Deployment(servers.shared(servers.RabbitMQ).new_vhost()))
        store = SQLAlchemyStore.connect(plane.database)
        self.addCleanup(store.close)
        hosts = [self.useFixture(EnrolledHost(plane, number)) for number in (1, 2)]
        for host in hosts:
            host.await_free()
        network = loopback_network()
        cluster_id = accept(
            store,
            3,
            Pool('racks', 'inventory://default', 1, options={'failure_domain': 'a'}),
            Pool(
                'more-racks',
                'inventory://default',
                1,
                options={'failure_domain': 'b', 'datastore_binary': OTHER},
            ),
            Pool('here', 'local://', 1, options={'failure_domain': 'c', 'network': network}),
        )
        cluster = plane.api.completed(cluster_id)
        pools = {i.id: i.pool for i in store.get_cluster(PROJECT, cluster_id).instances}
        given = {str(host.record()['instance_id']): host for host in hosts}
        self.assertEqual({'racks', 'more-racks'}, {pools[instance_id] for instance_id in given})
        (local,) = set(pools) - set(given)
        self.assertEqual('here', pools[local])
        self.assertEqual([local], list(plane.redis_servers()))
        for member in cluster['instances']:
            ip = member['address'].partition(':')[0]
            if member['id'] == local:
                self.assertIn(ipaddress.ip_address(ip), ipaddress.ip_network(network))
                continue
            host = given[member['id']]
            self.assertEqual(host.ip, ip)
            (pid,) = host.redis_pids
            self.assertEqual(pools[member['id']] == 'more-racks', other.runs(pid))
        Tenant(plane.api, cluster_id).require_clean()

        self.assertEqual(202, plane.api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(plane.api.settled(cluster_id))
        self.assertEqual({}, plane.redis_servers())
        for host in hosts:
            host.await_free()
            self.assertEqual([], host.redis_pids)
