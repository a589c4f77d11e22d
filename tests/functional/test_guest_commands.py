"""Each guest command on a real Redis."""

import os

import redis
from oslo_config import cfg
from oslo_messaging import conffixture

from guestagent.wiring import AgentOptions, build_agent
from slotwright.domain import errors, slots
from slotwright.domain.topology import Address
from slotwright.rpc.clients import GuestAgentClient
from slotwright.rpc.contract import CommandContext
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import get_transport
from tests.functional.guest_lab import (
    CLUSTER,
    PASSWORD,
    SECRET,
    TENANT_HASH,
    GuestCase,
    TaskManager,
    free_address,
)
from tests.guarded import PATIENCE


class PrepareTests(GuestCase):
    def test_redis_answers_on_its_own_address_and_bus_port(self):
        guest = self.guest()
        port = guest.address.port
        guest.address = Address(guest.address.ip, port, port + 11000)
        self.assertFalse(guest.status().prepared)
        self.assertRaises(errors.NotPrepared, guest.do, 'get_node_ip')
        guest.prepare()
        self.assertEqual(guest.address.to_wire(), guest.do('get_node_ip'))
        status = guest.status()
        self.assertEqual((True, True, False), (status.prepared, status.running, status.forming))
        self.assertEqual(guest.address, status.me.address)
        self.assertEqual(int(256 * 2**20 * 0.75), int(guest.client().config_get()['maxmemory']))

    def test_again_starts_nothing_a_second_time(self):
        (guest,) = self.prepared()
        pid = guest.pid
        guest.prepare()
        self.assertEqual(pid, guest.pid)
        self.assertRaises(errors.CommandRefused, guest.prepare, address=free_address().to_wire())

    def test_failures_say_why_and_keep_secrets(self):
        guest = self.guest()
        self.assertRaises(errors.EngineNotFound, guest.prepare, datastore_version='1.0')
        self.assertRaises(errors.CommandRefused, guest.prepare, secret='x' * 20 + '\nsave 1 1')
        other = self.guest()
        other.address = guest.address
        guest.prepare()
        failure = self.assertRaises(errors.EngineFailed, other.prepare)
        self.assertIn('in use', failure.message)
        self.assertNotIn(SECRET, failure.message)

    def test_files_are_private_and_the_secret_is_in_no_argv(self):
        (guest,) = self.prepared(tenant_hash=TENANT_HASH)
        for name in ('redis.conf', 'agent.json', 'answers.json', 'redis.proc', 'redis.log'):
            mode = os.stat(os.path.join(guest.directory, name)).st_mode
            self.assertEqual(0o600, mode & 0o777, name)
        for name in ('cmdline', 'environ'):
            with open(f'/proc/{guest.pid}/{name}', encoding='utf-8') as file:
                self.assertNotIn(SECRET, file.read())
        with open(os.path.join(guest.directory, 'redis.log'), encoding='utf-8') as file:
            self.assertNotIn(SECRET, file.read())


class SlotTests(GuestCase):
    def test_addslots_takes_what_is_missing(self):
        (guest,) = self.prepared()
        self.assertEqual(guest.node_id, guest.do('get_node_id_for_removal'))
        guest.do('cluster_addslots', first_slot=100, last_slot=200)
        guest.do('cluster_addslots', first_slot=300, last_slot=300)
        guest.do('cluster_addslots', first_slot=0, last_slot=400)
        guest.do('cluster_addslots', first_slot=0, last_slot=400)
        self.assertEqual((slots.SlotRange(0, 400),), guest.status().me.slots)
        self.assertIsNone(guest.do('get_node_id_for_removal'))
        self.assertRaises(
            errors.CommandRefused, guest.do, 'cluster_addslots', first_slot=5, last_slot=16384
        )

    def test_a_slot_of_another_is_refused(self):
        guests, _ = self.cluster(2)
        refusal = self.assertRaises(
            errors.CommandRefused, guests[0].do, 'cluster_addslots', first_slot=0, last_slot=9000
        )
        self.assertIn('busy', refusal.message)

    def test_config_epochs(self):
        (guest,) = self.prepared()
        guest.do('set_config_epoch', config_epoch=7)
        guest.do('set_config_epoch', config_epoch=8)  # it has one: nothing to do
        self.assertEqual(7, guest.status().me.config_epoch)
        (other,) = self.prepared()
        other.do('cluster_meet', ip=guest.address.ip, port=guest.address.port)
        other.do('set_config_epoch', config_epoch=9)  # it knows a peer: nothing to do
        self.assertEqual(0, other.status().me.config_epoch)
        other.do('bump_epoch')
        self.assertTrue(other.status().me.config_epoch)
        self.assertRaises(errors.CommandRefused, guest.do, 'cluster_meet', ip='no address', port=1)


class LeavingTests(GuestCase):
    def test_an_owner_is_never_forgotten_nor_made_to_leave(self):
        guests, _ = self.cluster(3)
        ids = [g.node_id for g in guests]
        refusal = self.assertRaises(
            errors.NodeHoldsData, guests[0].do, 'remove_nodes', node_ids=['0' * 40, ids[1]]
        )
        self.assertIn(ids[1], refusal.message)
        self.assertEqual(3, len(guests[0].status().nodes))
        self.assertRaises(errors.CommandRefused, guests[0].do, 'remove_nodes', node_ids=[ids[0]])
        refusal = self.assertRaises(errors.NodeHoldsData, guests[2].do, 'leave')
        self.assertIn('owns 5461 slots', refusal.message)
        self.assertTrue(guests[2].status().state_ok)

    def test_grow_and_shrink_again(self):
        guests, members = self.cluster(2, TENANT_HASH)
        (fresh,) = self.prepared(tenant_hash=TENANT_HASH)
        members[fresh.node_id] = []
        self.assertEqual([True] * 3, self.join([*guests, fresh], members, forming=False))
        self.assertFalse(fresh.status().forming)

        node_id = fresh.do('retire')
        self.assertEqual(fresh.node_id, node_id)
        self.assertEqual((True, ''), (fresh.status().retired, fresh.status().tenant_hash))
        for guest in guests:
            guest.do('remove_nodes', node_ids=[node_id])
            guest.do('remove_nodes', node_ids=[node_id])
            self.assertEqual(2, len(guest.status().nodes))
        fresh.do('leave')
        fresh.do('leave')
        self.assertEqual([], os.listdir(fresh.directory))
        self.assertFalse(fresh.status().prepared)
        fresh.taskmanager.wait_for(wiped=True, running=False)
        self.assertRaises(errors.CommandRefused, fresh.prepare)
        self.assertEqual([], os.listdir(fresh.directory))

    def test_retire_lets_the_tenant_in_again_when_data_is_there(self):
        guests, _ = self.cluster(1, TENANT_HASH)
        tenant = guests[0].client(PASSWORD, 'default')
        tenant.set('a', 1)
        self.assertRaises(errors.NodeHoldsData, guests[0].do, 'retire')
        self.assertEqual('1', guests[0].client(PASSWORD, 'default').get('a'))
        status = guests[0].status()
        self.assertEqual((False, TENANT_HASH), (status.retired, status.tenant_hash))

    def test_leave_is_refused_with_keys(self):
        (guest,) = self.prepared()
        guest.do('cluster_addslots', first_slot=0, last_slot=16383)
        guest.do('set_config_epoch', config_epoch=1)
        members = {guest.node_id: [[0, 16383]]}
        self.assertEqual([True], self.join([guest], members))
        guest.client().set('a', 1)
        self.assertRaises(errors.NodeHoldsData, guest.do, 'leave')
        self.assertEqual(1, guest.status().keys)

    def test_stop_keeps_and_wipe_removes(self):
        (guest,) = self.prepared()
        node_id = guest.node_id
        guest.do('stop', wipe=False)
        guest.do('stop', wipe=False)
        self.assertEqual((True, False), (guest.status().prepared, guest.status().running))
        guest.stop()
        guest.start()
        guest.taskmanager.wait_for(running=False)
        guest.prepare()
        self.assertEqual(node_id, guest.node_id)
        guest.do('stop', wipe=True)
        guest.do('stop', wipe=True)
        self.assertEqual([], os.listdir(guest.directory))


class UserTests(GuestCase):
    def test_access_is_given_changed_and_taken(self):
        (guest,) = self.prepared()
        self.assertRaises(redis.AuthenticationError, guest.client(PASSWORD, 'default').ping)
        guest.do('set_users', tenant_hash=TENANT_HASH)
        tenant = guest.client(PASSWORD, 'default')
        self.assertTrue(tenant.ping())
        for command in ('CLUSTER MEET 127.0.0.1 7', 'CLUSTER RESET', 'CONFIG GET dir', 'ACL LIST'):
            self.assertRaises(
                redis.exceptions.NoPermissionError, tenant.execute_command, *command.split()
            )
        held = redis.connection.Connection(
            guest.address.ip, guest.address.port, username='default', password=PASSWORD
        )
        held.connect()
        guest.do('set_users', tenant_hash='')
        self.assertRaises(redis.ConnectionError, self._ping, held)
        self.assertRaises(redis.AuthenticationError, guest.client(PASSWORD, 'default').ping)
        guest.do('set_users', tenant_hash=TENANT_HASH)
        guest.do('stop', wipe=False)
        guest.prepare()  # with the hash of long ago
        self.assertTrue(guest.client(PASSWORD, 'default').ping())
        self.assertEqual(TENANT_HASH, guest.status().tenant_hash)
        self.assertRaises(errors.CommandRefused, guest.do, 'set_users', tenant_hash='x on')

    @staticmethod
    def _ping(connection):
        connection.send_command('PING', check_health=False)
        return connection.read_response()


class RpcTests(GuestCase):
    def test_over_a_transport(self):
        conf = self.useFixture(conffixture.ConfFixture(cfg.CONF))
        conf.transport_url = 'fake://'
        transport = get_transport(cfg.CONF)
        self.addCleanup(transport.cleanup)
        options = AgentOptions('instance-1', self.directory(), heartbeat_interval=0.3)
        service = build_agent(options, transport, TaskManager(), RpcServer)
        service.start()
        self.addCleanup(service.stop)
        node = GuestAgentClient(transport, PATIENCE, PATIENCE).node('instance-1')
        status = node.status(CommandContext(cluster_id=CLUSTER, epoch=3))
        self.assertFalse(status['prepared'])
        stale = CommandContext(cluster_id=CLUSTER, epoch=2)
        self.assertRaises(errors.StaleEpoch, node.stop, stale, wipe=True)
