"""What the storage promises when many ask at once: real threads, real processes."""

import concurrent.futures
import multiprocessing
import threading

from slotwright.domain.errors import AddressTaken, ClusterBusy, LeaseLost
from slotwright.domain.states import OperationKind, OperationState
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.contract import databases
from tests.contract.storage_case import LEASE, PROJECT, StoreCase

THREADS = 16
PROCESSES = 3


def at_once(call, count=THREADS):
    """Call it with 0, 1, … in as many threads, and answer what they answered or raised."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        try:
            return call(number)
        except (AddressTaken, ClusterBusy, LeaseLost) as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def claim_all(url, owner, operation_ids):
    """In a process of its own: claim what can be had, and answer the operations' ids."""
    store = SQLAlchemyStore.connect(url)
    try:
        return [o for o in operation_ids if store.claim(o, owner, LEASE) is not None]
    finally:
        store.close()


class Contract:
    def test_of_many_claimers_one_wins(self):
        for _ in range(5):
            cluster = self.create()
            operation_id = cluster.operation.id
            answers = at_once(lambda n, o=operation_id: self.store.claim(o, f'w{n}', LEASE))
            (claim,) = [a for a in answers if a is not None]
            self.assertEqual(1, self.store.load(claim).epoch)
            self.assertEqual(claim.owner, self.row('operations', operation_id)['owner'])

    def test_of_many_claimers_of_an_expired_lease_one_wins(self):
        cluster = self.create()
        old = self.store.claim(cluster.operation.id, 'old', 0.0)
        answers = at_once(lambda n: self.store.claim(cluster.operation.id, f'w{n}', LEASE))
        (claim,) = [a for a in answers if a is not None]
        self.assertEqual(old.epoch + 1, claim.epoch)

    def test_processes_never_claim_the_same(self):
        operation_ids = [self.create(1).operation.id for _ in range(12)]
        spawn = multiprocessing.get_context('spawn')
        with concurrent.futures.ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
            running = [
                pool.submit(claim_all, self.url, f'p{n}', operation_ids) for n in range(PROCESSES)
            ]
            claimed = [o for answer in running for o in answer.result()]
        self.assertEqual(sorted(operation_ids), sorted(claimed))

    def test_of_many_actions_on_a_cluster_one_begins(self):
        cluster = self.create_ready(2)
        kinds = [OperationKind.GROW, OperationKind.DELETE]
        answers = at_once(
            lambda n: self.begin(
                cluster,
                kinds[n % 2],
                members=self.new_members(1) if kinds[n % 2] is OperationKind.GROW else (),
            )
        )
        (begun,) = [a for a in answers if not isinstance(a, ClusterBusy)]
        self.assertEqual(begun, self.store.get_cluster(PROJECT, cluster.id))
        self.assertEqual(2, len(self.store.list_operations(PROJECT, cluster.id, 99)))
        grown = begun.operation.kind is OperationKind.GROW
        self.assertEqual(3 if grown else 2, len(self.everything()['instances']))

    def test_an_address_is_given_to_one(self):
        claims = [(self.claim(c), c.instances[0].id) for c in map(self.create, [1] * THREADS)]
        address = Address('127.0.0.1', 7000, 17000)
        answers = at_once(lambda n: self.store.place_instance(*claims[n], 'h', address))
        self.assertEqual(1, answers.count(None))
        self.assertEqual(THREADS - 1, sum(isinstance(a, AddressTaken) for a in answers))
        self.assertEqual(1, len(self.store.list_placed('h')))

    def test_members_are_placed_in_parallel_under_one_claim(self):
        cluster = self.create(8)
        claim = self.claim(cluster)
        at_once(
            lambda n: self.store.place_instance(
                claim, cluster.instances[n].id, 'h', Address('127.0.0.1', 7000 + n, 17000 + n)
            ),
            8,
        )
        self.assertEqual(
            [7000 + n for n in range(8)],
            [i.address.port for i in self.store.load(claim).instances],
        )

    def test_detail_merged_in_parallel_loses_nothing(self):
        claim = self.claim(self.create(1))
        at_once(lambda n: self.store.update_operation(claim, detail={f'k{n}': n}))
        detail = dict(self.store.load(claim).operation.detail)
        detail.pop('instances')
        self.assertEqual({f'k{n}': n for n in range(THREADS)}, detail)

    def test_writes_renewals_and_a_new_claim_leave_one_owner(self):
        """Whatever the old owner wrote came before the new claim; none of it after."""
        for _ in range(5):
            cluster = self.create(1)
            old = self.store.claim(cluster.operation.id, 'old', 0.0)

            def act(number, old=old):
                if number == 0:
                    return self.store.claim(old.operation_id, 'new', LEASE)
                if number % 2:
                    return self.store.renew([old], 0.0)
                return self.store.update_operation(old, done=number)

            new = at_once(act, 8)[0]
            self.assertEqual(old.epoch + 1, new.epoch)
            self.assertEqual([new], list(self.store.renew([old, new], LEASE)))
            with self.assert_unchanged(), self.assertRaises(LeaseLost):
                self.store.update_operation(old, done=99)

    def test_an_operation_is_finished_once(self):
        cluster = self.create(1)
        claim = self.claim(cluster)
        answers = at_once(lambda n: self.finish(claim, OperationState.COMPLETED, reason=f'{n}'))
        self.assertEqual(1, answers.count(None))
        self.assertEqual(
            str(answers.index(None)), self.store.get_operation(PROJECT, claim.operation_id).reason
        )


class SQLiteTest(Contract, StoreCase):
    backend = databases.SQLite()


class MariaDBTest(Contract, StoreCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, StoreCase):
    backend = databases.PostgreSQL()
