"""Two tenants on one network: nothing that one can do merges their clusters.

The cluster bus knows no authentication: one CLUSTER MEET would do.
"""

import os
import shutil
import signal
import subprocess

import redis

from tests.functional.guest_lab import (
    PASSWORD,
    TENANT_HASH,
    Guest,
    GuestCase,
    alive,
)
from tests.guarded import PATIENCE, wait_until


class ApartCase(GuestCase):
    def ids(self, guests):
        """What each of the guests' nodes has in its table, but for itself asked once."""
        return [{node.node_id for node in guest.status().nodes} for guest in guests]

    def assert_apart(self, *clusters):
        """Each node knows exactly its own cluster, and that serves."""
        for guests, members in clusters:
            self.assertEqual([members.keys()] * len(guests), self.ids(guests))
            self.assertTrue(all(guest.status().state_ok for guest in guests))


class TenantsApartTest(ApartCase):
    def setUp(self):
        super().setUp()
        self.mine = self.cluster(2, TENANT_HASH)
        self.theirs = self.cluster(2, TENANT_HASH)

    def attacks(self, here, there):
        """Commands of a tenant of ``here`` that would bring ``there`` in, or break out."""
        address = (there.address.ip, there.address.port)
        meet = ('CLUSTER', 'MEET', *address)
        script = "return redis.call('cluster', 'meet', ARGV[1], ARGV[2])"
        return [
            meet,
            (*meet, there.address.bus_port),
            ('EVAL', script, 0, *address),
            ('CLUSTER', 'REPLICATE', there.node_id),
            ('CLUSTER', 'FORGET', there.node_id),
            ('CLUSTER', 'SETSLOT', 0, 'NODE', there.node_id),
            ('CLUSTER', 'SETSLOT', 0, 'MIGRATING', there.node_id),
            ('CLUSTER', 'RESET', 'HARD'),
            ('CLUSTER', 'FAILOVER', 'TAKEOVER'),
            ('CLUSTER', 'SET-CONFIG-EPOCH', 99),
            ('CLUSTER', 'BUMPEPOCH'),
            ('CLUSTER', 'FLUSHSLOTS'),
            ('REPLICAOF', *address),
            ('SLAVEOF', *address),
            ('FAILOVER', 'TO', *address, 'FORCE', 'TIMEOUT', 1000),
            ('CONFIG', 'SET', 'cluster-announce-ip', there.address.ip),
            ('CONFIG', 'GET', '*'),
            ('CONFIG', 'REWRITE'),
            ('ACL', 'SETUSER', 'default', '+@all'),
            ('ACL', 'LIST'),
            ('MODULE', 'LOAD', '/tmp/x.so'),
            ('DEBUG', 'RELOAD'),
            ('SHUTDOWN', 'NOSAVE'),
            ('AUTH', 'slotwright', PASSWORD),
            # To another cluster without its password; nothing of ours may log in there.
            ('MIGRATE', *address, 'key', 0, 1000),
            ('MIGRATE', *address, 'key', 0, 1000, 'AUTH2', 'slotwright', PASSWORD),
        ]

    def test_no_command_merges_them(self):
        for (guests, _), (others, _) in ((self.mine, self.theirs), (self.theirs, self.mine)):
            here, there = guests[0], others[0]
            with here.client(PASSWORD, 'default') as tenant:
                # The key has to be there for MIGRATE to try.
                tenant.execute_command('SET', '{06S}key', 'value')
                for attack in self.attacks(here, there):
                    words = tuple('{06S}key' if word == 'key' else word for word in attack)
                    with self.subTest(' '.join(map(str, words))):
                        error = self.refusal(tenant, words)
                        self.assertNotIn('unknown command', error.lower())
                transaction = tenant.pipeline(transaction=True)
                transaction.execute_command('CLUSTER', 'MEET', there.address.ip, there.address.port)
                self.assertRaises(redis.ResponseError, transaction.execute)
                self.assertTrue(tenant.ping())
        self.assert_apart(self.mine, self.theirs)

    def refusal(self, tenant, words):
        """What Redis says to it; fails when it is done."""
        try:
            answer = tenant.execute_command(*words)
        except redis.RedisError as error:
            return str(error)
        self.fail(f'answered {answer!r}')

    def test_redis_cli_does_not_either(self):
        cli = shutil.which('redis-cli')
        if cli is None:
            self.skipTest('redis-cli is not on PATH (package redis-tools)')
        (empty,) = self.prepared(1, TENANT_HASH)
        mine, theirs = self.mine[0][0], self.theirs[0][0]
        for words in (
            ('add-node', self.where(empty), self.where(mine)),
            ('add-node', self.where(theirs), self.where(mine)),
            ('add-node', self.where(empty), self.where(mine), '--cluster-slave'),
            ('call', self.where(mine), 'CLUSTER', 'MEET', theirs.address.ip,
             str(theirs.address.port)),
            ('create', self.where(empty), self.where(mine), self.where(theirs), '--cluster-yes'),
        ):  # fmt: skip
            done = subprocess.run(
                [cli, '--cluster', *words],
                env={**os.environ, 'REDISCLI_AUTH': PASSWORD},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
            )
            said = done.stdout + done.stderr
            self.assertTrue('ERR' in said or 'NOPERM' in said, said)
        self.assertEqual([{empty.node_id}], self.ids([empty]))
        self.assert_apart(self.mine, self.theirs)

    def where(self, guest):
        return f'{guest.address.ip}:{guest.address.port}'


class ReusedAddressTest(ApartCase):
    """Somebody else's node runs at an address that a node table still names."""

    def test_an_old_table_does_not_merge_two_clusters(self):
        (old, gone), members = self.cluster(2, TENANT_HASH)
        lost = gone.node_id
        pid = gone.pid
        gone.stop()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), 'the end of the old node')

        newcomer = Guest(self.directory(), gone.address, datastore_versions=self.versions)
        self.addCleanup(newcomer.destroy)
        newcomer.start()
        newcomer.prepare(TENANT_HASH)
        (partner,) = self.prepared(1, TENANT_HASH)
        theirs = {}
        for number, guest in enumerate((newcomer, partner)):
            first, last = ((0, 8191), (8192, 16383))[number]
            guest.do('cluster_addslots', first_slot=first, last_slot=last)
            guest.do('set_config_epoch', config_epoch=number + 1)
            theirs[guest.node_id] = [[first, last]]
        self.assertEqual([True] * 2, self.join([newcomer, partner], theirs))

        # The old table has tried the address, found another node, and let go of it.
        def noticed():
            return all(n.address is None for n in old.status().nodes if n.node_id == lost)

        wait_until(noticed, 'the old node to see that somebody else is there')
        self.assert_apart(([newcomer, partner], theirs))
        self.assertEqual([members.keys()], self.ids([old]))

        # And back at its address, it is met by nobody: the newcomer keeps the port.
        gone.taskmanager.wanted = False
        gone.start()
        self.assertTrue(gone.service.wait(PATIENCE))
        self.assert_apart(([newcomer, partner], theirs))
