"""Hosts for clusters: who is chosen, what is waited for, what is refused."""

import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slotwright.domain.errors import InvalidRequest, NotEnoughHosts, Unavailable
from slotwright.domain.hosts import Announcement, Host, spread
from slotwright.domain.states import OperationKind
from slotwright.domain.topology import Address
from slotwright.rpc.contract import CommandContext
from slotwright.storage.base import Claim, NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.endpoint import TaskManagerEndpoint
from taskmanager.provisioners.inventory import InventoryProvisioner
from tests.base import TestCase

SILENCE, PATIENCE = 20.0, 30.0


def host(number: int, machine: str, ram: int = 512) -> Host:
    address = Address(f'10.0.0.{number}', 6379, 16379)
    return Host(f'{number:03}', 'g', machine, address, ram, '', None, 0.0)


class SpreadTest(TestCase):
    def test_members_are_on_different_machines_as_far_as_there_are_any(self) -> None:
        free = [host(n, machine) for n, machine in enumerate('aaabbc')]
        for machines, expected in (([], 'aabbc'), (['a', 'a'], 'aabbc')):
            chosen = spread(dict.fromkeys('12345', 512), free, machines)
            self.assertEqual(expected, ''.join(sorted(h.machine for h in chosen.values())))
        self.assertEqual('c', spread({'1': 1}, free, ['a', 'b'])['1'].machine)

    @given(
        st.lists(st.integers(1, 4), min_size=1, max_size=6),
        st.lists(st.tuples(st.integers(1, 4), st.sampled_from('abc')), max_size=8),
    )
    def test_all_are_served_whenever_that_is_possible(self, needs: Any, offers: Any) -> None:
        free = [host(n, machine, ram) for n, (ram, machine) in enumerate(offers)]
        chosen = spread({str(n): ram for n, ram in enumerate(needs)}, free, [])
        self.assertEqual(len(chosen), len({h.id for h in chosen.values()}))
        self.assertTrue(all(h.ram >= needs[int(n)] for n, h in chosen.items()))
        largest = sorted(needs, reverse=True)
        best = sorted((h.ram for h in free), reverse=True)[: len(needs)]
        possible = len(best) == len(needs) and all(
            b >= n for b, n in zip(best, largest, strict=False)
        )
        self.assertEqual(possible, len(chosen) == len(needs))


class InventoryTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1_800_000_000.0
        self.store = SQLAlchemyStore.connect('sqlite://', now=lambda: self.now)
        self.addCleanup(self.store.close)
        migration.upgrade(self.store)
        self.provisioner = InventoryProvisioner(self.store, 'g', SILENCE, PATIENCE)

    def announce(self, number: int) -> str:
        address = Address(f'10.0.0.{number}', 6379, 16379)
        host_id = str(uuid.uuid4())
        self.store.announce(Announcement(host_id, 'g', f'm{number}', address, 4096), SILENCE)
        return host_id

    def claimed(self, count: int) -> Claim:
        ids = [str(uuid.uuid4()) for _ in range(count + 2)]
        members = [NewInstance(i, '1', 1) for i in ids[2:]]
        operation = NewOperation(ids[0], OperationKind.CREATE, 'req', tuple(ids[2:]))
        new = NewCluster(ids[1], 'demo', 'c', 'redis', '3.0', secret='s')
        self.store.create_cluster(new, members, operation)
        claim = self.store.claim(ids[0], 'me', 1000)
        assert claim
        return claim

    def provision(self, claim: Claim) -> None:
        for instance in self.store.load(claim).instances:
            self.provisioner.provision(claim, instance)

    def test_one_takes_for_all(self) -> None:
        for number in range(3):
            self.announce(number)
        claim = self.claimed(3)
        self.provision(claim)
        self.assertEqual(3, len({i.address for i in self.store.load(claim).instances}))

    def test_too_few_are_too_few_at_once(self) -> None:
        self.announce(1)
        error = self.assertRaises(NotEnoughHosts, self.provision, self.claimed(2))
        self.assertIn("2 hosts of group 'g' with 512 MiB are needed; free: 1", str(error))
        self.assertTrue(error.permanent)

    def test_silent_ones_are_waited_for(self) -> None:
        self.announce(1)
        claim = self.claimed(1)
        self.now += SILENCE + 1
        error = self.assertRaises(Unavailable, self.provision, claim)
        self.assertFalse(error.permanent)
        self.store.renew([claim], 1000)
        self.now += PATIENCE
        self.store.renew([claim], 1000)
        error = self.assertRaises(NotEnoughHosts, self.provision, claim)
        self.assertIn('free: 0 (also: 1 silent)', str(error))

    def test_what_is_no_announcement_is_refused(self) -> None:
        endpoint = TaskManagerEndpoint(self.store, lambda: None, lambda: None, SILENCE)
        good = {
            'group': 'g',
            'machine': 'm',
            'address': {'ip': '10.0.0.1', 'port': 1, 'bus_port': 2},
            'ram': 1,
            'holds': '',
        }
        host_id = str(uuid.uuid4())
        for bad in (
            {'address': {'ip': 'here', 'port': 1, 'bus_port': 2}},
            {'address': None},
            {'ram': 'much'},
            {'holds': '../../etc'},
        ):
            self.assertRaises(
                InvalidRequest, endpoint.announce, CommandContext(), host_id, {**good, **bad}
            )
        self.assertRaises(InvalidRequest, endpoint.announce, CommandContext(), '..', good)
        self.assertEqual([], list(self.store.list_hosts()))
        answer = endpoint.announce(CommandContext(), host_id, good)
        self.assertEqual({'instance_id': ''}, answer)
