"""The local provisioner: addresses given out once, agents started and taken away."""

import os
import socket
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slotwright.domain.clusters import Cluster
from slotwright.domain.errors import Unavailable
from slotwright.domain.states import OperationKind
from slotwright.domain.topology import Address
from slotwright.storage.base import Claim, NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.provisioners.local import LocalProvisioner, can_bind
from tests import servers
from tests.base import TestCase

PROJECT = 'demo'


class NotedLauncher:
    """Notes which agents run."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self.warm = False
        self.closed = False
        self.stopped: Callable[[], None] = lambda: None
        self.broken: set[str] = set()

    def warm_up(self) -> None:
        self.warm = True

    def start(self, instance_id: str, directory: str) -> None:
        if instance_id in self.broken:
            raise Unavailable('damaged')
        self.running[instance_id] = directory

    def stop(self, instance_id: str, directory: str) -> None:
        self.running.pop(instance_id, None)
        self.stopped()

    def reap(self) -> None:
        """No agent ends by itself here."""

    def close(self) -> None:
        self.closed = True


class ProvisionerCase(TestCase):
    """A store without clusters, a launcher, and a directory that is not there yet."""

    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.data_dir = os.path.join(directory.name, 'instances')
        self.store = SQLAlchemyStore.connect(f'sqlite:///{directory.name}/s.db')
        self.addCleanup(self.store.close)
        migration.upgrade(self.store)
        self.launcher = NotedLauncher()


class LocalProvisionerTest(ProvisionerCase):
    def setUp(self) -> None:
        super().setUp()
        self.blocked: set[tuple[str, int]] = set()

    def provisioner(self, network: str = '127.78.0.0/24', host: str = 'here') -> LocalProvisioner:
        return LocalProvisioner(
            self.store,
            self.launcher,
            host,
            self.data_dir,
            network,
            range(6379, 6382),
            probe=lambda a: (a.ip, a.port) not in self.blocked,
        )

    def claimed(self, count: int) -> tuple[Claim, Cluster]:
        ids = [f'00000000-0000-4000-8000-{os.urandom(6).hex()}' for _ in range(count + 2)]
        members = [NewInstance(i, '1', 1) for i in ids[2:]]
        operation = NewOperation(ids[0], OperationKind.CREATE, 'req', tuple(ids[2:]))
        new = NewCluster(ids[1], PROJECT, 'c', 'redis', '3.0', secret='s')
        self.store.create_cluster(new, members, operation)
        claim = self.store.claim(ids[0], 'me', 60)
        assert claim
        return claim, self.store.load(claim)

    def placed(self) -> dict[str, Address | None]:
        return {i.id: i.address for i in self.store.list_placed('here')}

    def test_everyone_gets_an_address_of_its_own(self) -> None:
        claim, cluster = self.claimed(8)
        provisioner = self.provisioner()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: provisioner.provision(claim, i), cluster.instances))
        placed = self.placed()
        self.assertEqual({i.id for i in cluster.instances}, set(placed))
        self.assertEqual(8, len({a.ip for a in placed.values() if a}))
        self.assertEqual(set(placed), set(self.launcher.running))

    def test_two_provisioners_never_give_out_one_address_twice(self) -> None:
        claim, cluster = self.claimed(8)
        both = [self.provisioner(), self.provisioner()]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: both[n % 2].provision(claim, cluster.instances[n]), range(8)))
        self.assertEqual(8, len({a.ip for a in self.placed().values() if a}))

    def test_a_blocked_port_is_passed_over(self) -> None:
        self.blocked = {('127.78.0.1', 6379), ('127.78.0.1', 6380)}
        claim, cluster = self.claimed(1)
        self.provisioner().provision(claim, cluster.instances[0])
        self.assertEqual([Address('127.78.0.1', 6381, 16381)], list(self.placed().values()))

    def test_a_full_network_says_so(self) -> None:
        claim, cluster = self.claimed(3)
        provisioner = self.provisioner('127.78.0.0/30')
        for instance in cluster.instances[:2]:
            provisioner.provision(claim, instance)
        error = self.assertRaises(Unavailable, provisioner.provision, claim, cluster.instances[2])
        self.assertIn('127.78.0.0/30', str(error))

    def test_provisioning_again_only_sees_after_the_agent(self) -> None:
        claim, cluster = self.claimed(1)
        provisioner = self.provisioner()
        provisioner.provision(claim, cluster.instances[0])
        before = self.placed()
        self.launcher.running.clear()
        provisioner.provision(claim, self.store.load(claim).instances[0])
        self.assertEqual(before, self.placed())
        self.assertEqual(1, len(self.launcher.running))

    def test_tending_starts_what_is_placed_here_and_nothing_else(self) -> None:
        claim, cluster = self.claimed(2)
        self.provisioner().provision(claim, cluster.instances[0])
        self.provisioner(host='there').provision(claim, cluster.instances[1])
        self.launcher.running.clear()
        self.provisioner().tend()
        self.assertEqual([cluster.instances[0].id], list(self.launcher.running))

    def test_one_that_does_not_start_keeps_no_other_down(self) -> None:
        claim, cluster = self.claimed(3)
        for instance in cluster.instances:
            self.provisioner().provision(claim, instance)
        self.launcher.running.clear()
        first, *others = sorted(instance.id for instance in cluster.instances)
        self.launcher.broken.add(first)
        self.provisioner().tend()
        self.assertEqual(others, sorted(self.launcher.running))

    def test_destroying_leaves_no_agent_and_no_directory(self) -> None:
        claim, cluster = self.claimed(1)
        provisioner = self.provisioner()
        provisioner.provision(claim, cluster.instances[0])
        instance = self.store.load(claim).instances[0]
        os.makedirs(provisioner.directory(instance.id))
        for _ in range(2):
            provisioner.destroy(instance)
        self.assertEqual({}, self.launcher.running)
        self.assertFalse(os.path.exists(provisioner.directory(instance.id)))

    def test_an_agent_that_is_taken_away_is_not_tended(self) -> None:
        claim, cluster = self.claimed(1)
        provisioner = self.provisioner()
        provisioner.provision(claim, cluster.instances[0])
        instance = self.store.load(claim).instances[0]
        self.launcher.stopped = provisioner.tend  # comes between, where it does most harm
        provisioner.destroy(instance)
        provisioner.tend()  # the database still has the place
        self.assertEqual({}, self.launcher.running)
        provisioner.provision(claim, instance)  # its operation wants it once more
        self.assertEqual([instance.id], list(self.launcher.running))

    def test_another_hosts_instances_are_left_alone(self) -> None:
        claim, cluster = self.claimed(1)
        self.provisioner(host='there').provision(claim, cluster.instances[0])
        self.launcher.running.clear()
        instance = self.store.load(claim).instances[0]
        self.provisioner().provision(claim, instance)
        self.assertEqual({}, self.launcher.running)
        self.assertRaises(Unavailable, self.provisioner().destroy, instance)


class CanBindTest(TestCase):
    def test_a_listener_on_all_addresses_blocks_every_one(self) -> None:
        port = servers.free_port()
        address = Address('127.78.9.9', port, servers.free_port())
        self.assertTrue(can_bind(address))
        with socket.socket() as listener:
            listener.bind(('0.0.0.0', port))
            listener.listen()
            self.assertFalse(can_bind(address))
        self.assertTrue(can_bind(address))

    def test_the_bus_port_counts(self) -> None:
        address = Address('127.78.9.9', servers.free_port(), servers.free_port())
        with socket.socket() as listener:
            listener.bind((address.ip, address.bus_port))
            listener.listen()
            self.assertFalse(can_bind(address))
