"""Fence, memory and answers of an agent."""

import json
import os
import shutil
import tempfile
import threading
from dataclasses import replace

from guestagent.answers import KEPT, Answer, AnswerCache
from guestagent.budget import RestartBudget
from guestagent.directory import DirectoryInUse, InstanceDirectory, write_private
from guestagent.endpoint import GuestAgentEndpoint
from guestagent.fence import Fence
from guestagent.state import Spec, StateStore
from slotwright.domain import errors
from slotwright.domain.topology import Address
from slotwright.rpc.contract import CommandContext, GuestAgentAPI
from tests.base import TestCase

SPEC = Spec(Address('10.0.0.1', 6379, 16379), '3.0', 512, 's' * 32)


class DirectoryCase(TestCase):
    def setUp(self):
        super().setUp()
        path = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        self.directory = InstanceDirectory(path)


class DirectoryTests(DirectoryCase):
    def test_one_agent_each(self):
        self.directory.lock()
        other = InstanceDirectory(self.directory.path)
        self.assertRaises(DirectoryInUse, other.lock)
        self.directory.unlock()
        other.lock()
        other.unlock()

    def test_wipe_leaves_nothing(self):
        self.directory.data.mkdir()
        write_private(self.directory.data / 'dump.rdb', 'x' * 100)
        write_private(self.directory.redis_conf, 'port 1', durable=True)
        self.assertEqual(0o600, self.directory.redis_conf.stat().st_mode & 0o777)
        self.directory.wipe()
        self.assertEqual([], list(self.directory.path.iterdir()))
        self.assertEqual(0.0, self.directory.used())

    def test_used_counts_what_is_on_disk(self):
        self.directory.data.mkdir()
        with open(self.directory.data / 'aof', 'wb') as file:
            file.write(os.urandom(11 * 2**20))
            file.flush()
            os.fsync(file.fileno())
        self.assertEqual(0.01, self.directory.used())


class FenceTests(DirectoryCase):
    def setUp(self):
        super().setUp()
        self.store = StateStore(self.directory)
        self.fence = Fence(self.store)

    def test_a_claim_that_cannot_be_written_is_not_obeyed(self):
        self.fence.admit(CommandContext(cluster_id='a', epoch=7))
        shutil.rmtree(self.directory.path)
        newer = CommandContext(cluster_id='a', epoch=8)
        for admit in (self.fence.admit, self.fence.admit_read):
            error = self.assertRaises(errors.GuestError, admit, newer)
            self.assertIn(str(self.directory.state), error.message)
        self.assertEqual(7, self.store.state.epoch)

    def test_a_newer_epoch_is_on_disk_before_anything_runs(self):
        self.fence.admit(CommandContext(cluster_id='a', epoch=7))
        self.assertEqual(7, json.loads(self.directory.state.read_text())['epoch'])
        reborn = StateStore(self.directory)
        reborn.load()
        self.assertRaises(
            errors.StaleEpoch, Fence(reborn).admit, CommandContext(cluster_id='a', epoch=6)
        )
        Fence(reborn).admit(CommandContext(cluster_id='a', epoch=7))

    def test_refusals_change_nothing(self):
        self.fence.admit(CommandContext(cluster_id='a', epoch=7))
        for refusal, context in (
            (errors.StaleEpoch, CommandContext(cluster_id='a', epoch=6)),
            (errors.StaleEpoch, CommandContext(cluster_id='a')),
            (errors.WrongCluster, CommandContext(cluster_id='b', epoch=9)),
            (errors.WrongCluster, CommandContext(epoch=9)),
        ):
            self.assertRaises(refusal, self.fence.admit, context)
        self.assertEqual(7, self.store.state.epoch)

    def test_reads_need_no_epoch_but_the_right_cluster(self):
        self.fence.admit(CommandContext(cluster_id='a', epoch=7))
        self.fence.admit_read(CommandContext())
        self.fence.admit_read(CommandContext(cluster_id='a'))
        foreign = CommandContext(cluster_id='b')
        self.assertRaises(errors.WrongCluster, self.fence.admit_read, foreign)
        self.fence.admit_read(CommandContext(cluster_id='a', epoch=8))
        self.assertEqual(8, self.store.state.epoch)

    def test_the_fence_outlives_a_wipe(self):
        self.fence.admit(CommandContext(cluster_id='a', epoch=7))
        self.store.forget()
        self.directory.wipe()
        stale = CommandContext(cluster_id='a', epoch=6)
        self.assertRaises(errors.StaleEpoch, self.fence.admit, stale)
        self.fence.admit(CommandContext(cluster_id='a', epoch=8))
        self.assertEqual([], list(self.directory.path.iterdir()))


class StateTests(DirectoryCase):
    def test_everything_comes_back(self):
        store = StateStore(self.directory)
        store.update(spec=SPEC, epoch=3, cluster_id='a', completed=True, retired=True)
        reborn = StateStore(self.directory)
        reborn.load()
        self.assertEqual(store.state, reborn.state)
        self.assertNotIn(SPEC.secret, repr(store.state))

    def test_the_binary_comes_back_and_was_none_before_pools(self):
        store = StateStore(self.directory)
        store.update(spec=replace(SPEC, datastore_binary='other-server'))
        reborn = StateStore(self.directory)
        reborn.load()
        self.assertEqual('other-server', reborn.state.spec.datastore_binary)
        old = json.loads(self.directory.state.read_text())
        del old['spec']['datastore_binary']
        self.directory.state.write_text(json.dumps(old))
        reborn.load()
        self.assertEqual(SPEC, reborn.state.spec)

    def test_damage_is_no_empty_memory(self):
        for damage in (b'{"epoch": 3', b'', b'[]', b'{}', b'\xff', b'{"spec": {}}'):
            self.directory.state.write_bytes(damage)
            store = StateStore(self.directory)
            store.load()
            self.assertIn('agent.json is damaged', store.damage)
            fence = Fence(store)
            for admit in (fence.admit, fence.admit_read):
                context = CommandContext(cluster_id='a', epoch=10**9)
                self.assertRaises(errors.StateDamaged, admit, context)
            self.assertRaises(errors.StateDamaged, store.update, epoch=4)
            self.assertEqual(damage, self.directory.state.read_bytes())

    def test_what_cannot_be_read_is_damage(self):
        self.directory.state.mkdir()
        store = StateStore(self.directory)
        store.load()
        self.assertIn('cannot be read', store.damage)

    def test_what_must_not_get_into_redis_conf(self):
        wire = {
            'address': {'ip': '10.0.0.1', 'port': 6379, 'bus_port': 16379},
            'datastore_version': '3.0',
            'ram': 512,
            'secret': 's' * 32,
        }
        self.assertEqual(SPEC, Spec.from_wire(wire))
        named = Spec.from_wire({**wire, 'datastore_binary': 'other-server'})
        self.assertEqual('other-server', named.datastore_binary)
        for bad in (
            {'secret': 's' * 20 + '\nrequirepass ""'},
            {'secret': ''},
            {'ram': 'much'},
            {'address': {'ip': '10.0.0.1\nport 1', 'port': 1, 'bus_port': 2}},
            {'address': None},
            {'tenant_hash': 'abc on'},
            {'datastore_binary': '/tmp/x-server'},
            {'datastore_binary': 'sh'},
        ):
            self.assertRaises(errors.CommandRefused, Spec.from_wire, {**wire, **bad})


class AnswerTests(DirectoryCase):
    def test_results_and_errors_come_back(self):
        cache = AnswerCache(self.directory)
        cache.put('a', Answer(result='id'))
        cache.put('b', Answer.of_error(errors.NodeHoldsData('3 keys')))
        reborn = AnswerCache(self.directory)
        reborn.load()
        self.assertEqual('id', reborn.get('a').replay())
        again = self.assertRaises(errors.NodeHoldsData, reborn.get('b').replay)
        self.assertEqual('3 keys', again.message)

    def test_the_oldest_go(self):
        cache = AnswerCache(self.directory)
        for number in range(KEPT + 1):
            cache.put(str(number), Answer())
        self.assertIsNone(cache.get('0'))
        self.assertIsNotNone(cache.get('1'))

    def test_a_damaged_file_counts_as_none(self):
        self.directory.answers.write_text('[["a", {"res')
        cache = AnswerCache(self.directory)
        cache.load()
        self.assertIsNone(cache.get('a'))


class CountingAgent:
    """As much of an agent as the endpoint's rules need."""

    def __init__(self):
        self.meetings = 0

    def cluster_meet(self, context, ip, port):
        self.meetings += 1
        if port == 0:
            raise errors.CommandRefused('no port')

    def status(self, context):
        return {'meetings': self.meetings}


class EndpointTests(DirectoryCase):
    def setUp(self):
        super().setUp()
        self.agent = CountingAgent()
        self.serial = threading.Lock()
        fence = Fence(StateStore(self.directory))
        answers = AnswerCache(self.directory)
        self.endpoint = GuestAgentEndpoint(self.agent, fence, answers, self.serial)

    def test_offers_the_contract_and_nothing_else(self):
        def methods(kind):
            return {name for name in vars(kind) if not name.startswith('_')}

        self.assertEqual(methods(GuestAgentAPI), methods(GuestAgentEndpoint))

    def test_a_repeated_command_runs_once(self):
        context = CommandContext(cluster_id='a', epoch=1, command_id='x')
        for _ in range(3):
            self.endpoint.cluster_meet(context, ip='10.0.0.1', port=1)
        self.assertEqual(1, self.agent.meetings)

    def test_a_repeated_refusal_is_the_first_one(self):
        context = CommandContext(cluster_id='a', epoch=1, command_id='x')
        for port in (0, 1):
            refusal = self.assertRaises(
                errors.CommandRefused, self.endpoint.cluster_meet, context, ip='10.0.0.1', port=port
            )
            self.assertEqual('no port', refusal.message)
        self.assertEqual(1, self.agent.meetings)

    def test_status_does_not_wait_for_a_command(self):
        with self.serial:
            context = CommandContext(cluster_id='a', epoch=2)
            self.assertEqual({'meetings': 0}, self.endpoint.status(context))

    def test_a_command_that_waited_looks_at_the_fence_again(self):
        failures = []

        def command():
            context = CommandContext(cluster_id='a', epoch=1)
            try:
                self.endpoint.cluster_meet(context, ip='10.0.0.1', port=1)
            except errors.GuestError as e:
                failures.append(e)

        self.endpoint.status(CommandContext(cluster_id='a', epoch=1))
        thread = threading.Thread(target=command)
        with self.serial:
            thread.start()
            self.endpoint.status(CommandContext(cluster_id='a', epoch=2))
        thread.join()
        self.assertIsInstance(failures[0], errors.StaleEpoch)
        self.assertEqual(0, self.agent.meetings)


class BudgetTests(TestCase):
    def test_limit_within_the_window(self):
        now = [0.0]
        budget = RestartBudget(3, 60.0, lambda: now[0])
        waits = []
        for _ in range(3):
            waits.append(budget.wait())
            now[0] += budget.wait()
            budget.spend()
        self.assertEqual([0.0, 0.5, 1.0], waits)
        self.assertIsNone(budget.wait())
        now[0] = 60.0  # the first one no longer counts
        self.assertEqual(0.0, budget.wait())
        budget.spend()
        self.assertIsNone(budget.wait())
        budget.reset()
        self.assertEqual(0.0, budget.wait())
