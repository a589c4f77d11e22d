"""Instances in pools: which provisioner runs them, and with what."""

import ipaddress
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotwright.domain.clusters import Cluster, Instance
from slotwright.domain.errors import NotEnoughHosts
from slotwright.domain.hosts import Announcement
from slotwright.domain.placement import Placement
from slotwright.domain.pools import Pool
from slotwright.domain.states import OperationKind
from slotwright.domain.topology import Address
from slotwright.storage.base import INVENTORY, Claim, NewCluster, NewInstance, NewOperation
from taskmanager.provisioners.inventory import InventoryProvisioner
from taskmanager.provisioners.local import LocalProvisioner
from taskmanager.provisioners.pools import PoolProvisioner, PoolUnusable
from tests.unit.test_taskmanager_provisioner import ProvisionerCase

SILENCE = 20.0


class PoolProvisionerTest(ProvisionerCase):
    def provisioner(self, default: str = 'local') -> PoolProvisioner:
        local = LocalProvisioner(
            self.store,
            self.launcher,
            'here',
            self.data_dir,
            '127.78.0.0/24',
            range(6379, 6382),
            probe=lambda _: True,
            eager=default == 'local',
        )
        group = 'g' if default == 'inventory' else ''
        inventory = InventoryProvisioner(self.store, group, SILENCE, patience=30.0)
        return PoolProvisioner({'local': local, 'inventory': inventory}, default)

    def announce(self, *groups: str) -> None:
        for number, group in enumerate(groups, 1):
            address = Address(f'10.0.0.{number}', 6379, 16379)
            said = Announcement(str(uuid.uuid4()), group, f'm{number}', address, 4096)
            self.store.announce(said, SILENCE)

    def claimed(self, placement: Placement | None, count: int) -> tuple[Claim, Cluster]:
        ids = [str(uuid.uuid4()) for _ in range(count + 2)]
        members = [NewInstance(i, '1', 1) for i in ids[2:]]
        operation = NewOperation(ids[0], OperationKind.CREATE, 'req', tuple(ids[2:]))
        new = NewCluster(ids[1], 'demo', 'c', 'redis', '3.0', secret='s')
        self.store.create_cluster(new, members, operation, placement=placement)
        claim = self.store.claim(ids[0], 'me', 1000)
        assert claim
        return claim, self.store.load(claim)

    def provision(
        self, pools: Sequence[tuple[str, Mapping[str, Any]]] | None, default: str = 'local'
    ) -> dict[str | None, Instance]:
        """Provision a cluster with a member in each pool (None: one member in no pool).

        Answers what became of them, by the uri.
        """
        placement = pools and Placement(
            [
                Pool(f'pool-{n}', uri, 1, options={'failure_domain': str(n), **options})
                for n, (uri, options) in enumerate(pools)
            ]
        )
        claim, cluster = self.claimed(placement or None, len(pools or 'x'))
        for instance in cluster.instances:
            self.provisioner(default).provision(claim, instance)
        return {i.pool_uri: i for i in self.store.load(claim).instances}

    def provision_one(self, uri: str, options: Mapping[str, Any]) -> None:
        """Provision an instance that somebody else placed: another release, say."""
        claim, cluster = self.claimed(None, 1)
        placed = {'pool': 'pool-0', 'pool_uri': uri, 'pool_options': options}
        self.provisioner().provision(claim, replace(cluster.instances[0], **placed))

    def test_an_instance_goes_where_its_pool_says(self) -> None:
        self.announce('a', 'b', 'g')
        uris = ('local://', 'inventory://a', 'inventory://b')
        found = self.provision([(uri, {}) for uri in uris], 'inventory')
        hosts = {uri: instance.host for uri, instance in found.items()}
        self.assertEqual(dict(zip(uris, ('here', INVENTORY, INVENTORY), strict=True)), hosts)
        groups = {h.instance_id: h.group for h in self.store.list_hosts() if h.instance_id}
        self.assertEqual({found['inventory://a'].id: 'a', found['inventory://b'].id: 'b'}, groups)
        self.assertEqual([found['local://'].id], list(self.launcher.running))
        for instance in found.values():
            self.provisioner('inventory').destroy(instance)
        self.assertEqual({}, self.launcher.running)

    def test_one_without_a_pool_goes_where_it_is_configured(self) -> None:
        self.announce('g')
        self.assertEqual('here', self.provision(None)[None].host)
        self.assertEqual(INVENTORY, self.provision(None, 'inventory')[None].host)

    def test_a_group_that_nobody_enrolled_in_is_told(self) -> None:
        self.announce('g')
        pools = [('inventory://elsewhere', {})]
        error = self.assertRaises(NotEnoughHosts, self.provision, pools, 'inventory')
        self.assertIn("group 'elsewhere'", str(error))

    def test_the_pools_network_has_the_address(self) -> None:
        found = self.provision([('local://', {'network': '127.79.5.0/24'})])
        address = found['local://'].address
        assert address
        self.assertIn(ipaddress.ip_address(address.ip), ipaddress.ip_network('127.79.5.0/24'))

    def test_a_pool_that_nothing_can_run_in_is_named(self) -> None:
        for uri, options in (
            ('ftp://somewhere', {}),
            ('inventory://', {}),
            ('local://', {'network': '10.0.0.0/8'}),
            ('local://', {'datastore_binary': '/bin/sh'}),
        ):
            error = self.assertRaises(PoolUnusable, self.provision_one, uri, options)
            self.assertTrue(error.permanent)
            self.assertIn('Pool pool-0: ', str(error))
        self.assertEqual([], list(self.store.list_placed('here')))
        self.provision_one('local://', {'colour': 'blue'})  # for somebody else

    def test_who_takes_away_needs_a_known_scheme(self) -> None:
        (instance,) = self.provision([('local://', {})]).values()
        alone = PoolProvisioner({}, 'local')
        error = self.assertRaises(PoolUnusable, alone.destroy, instance)
        self.assertIn('pool-0', str(error))

    def test_nothing_is_prepared_where_nothing_is_local(self) -> None:
        self.announce('g', 'a')
        provisioner = self.provisioner('inventory')
        self.provision(None, 'inventory')
        self.provision([('inventory://a', {})], 'inventory')
        for _ in range(2):
            provisioner.tend()
        self.assertFalse(self.launcher.warm)
        self.assertFalse(os.path.exists(self.data_dir))
        self.provision([('local://', {})], 'inventory')
        for _ in range(2):
            provisioner.tend()
        self.assertTrue(self.launcher.warm)

    def test_where_instances_are_local_the_first_is_prepared_for(self) -> None:
        provisioner = self.provisioner('local')
        provisioner.tend()
        self.assertTrue(self.launcher.warm)
        provisioner.close()
        self.assertTrue(self.launcher.closed)
