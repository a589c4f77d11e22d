"""Case 1: tables while connections, answers and servers are lost."""

import redis

from slotwright.events.errors import (
    RowExists,
    RowNotFound,
    StoreRefused,
    StoreUnavailable,
)
from slotwright.redis_uri import SOCKET_TIMEOUT
from tests.contract import events_case
from tests.contract.events_case import PATIENCE, QUICK, EventsCase, eventually
from tests.guarded import wait_until


class Contract:
    def setUp(self) -> None:
        super().setUp()
        self.use(PATIENCE)
        self.row = f'row-{self.name}'
        for call in (self.tables.create, self.tables.set):
            call(self.name, 'other', 0)
        self.tables.create(self.name, 'gone', 0)
        self.tables.delete(self.name, 'gone')
        self.owner = self.backend.owner(self.name)
        self.proxy = self.owner.proxy

    def use(self, timeout: float) -> None:
        """Have tables of a driver that gives up a silent server after so many seconds.

        A limit that is short enough to wait for may pass on a busy machine where nobody hangs.
        """
        self.tables = self.driver(timeout).tables
        # Scripts are known and connections made: what is lost from here on is what is meant.
        self.tables.keys(self.name)

    def gone(self) -> None:
        """Wait until the roll-back is done, and see that there is no such row."""
        key = f'slotwright:{{{self.name}}}'
        with redis.Redis(port=self.owner.server.port) as client:
            wait_until(lambda: any(client.scan_iter(f'{key}:undone:*')), 'a roll-back', PATIENCE)
            self.assertFalse(client.hexists(f'{key}:rows:', self.row))
        self.assertRaises(RowNotFound, self.tables.get, self.name, self.row)
        self.assertEqual(['other'], self.tables.keys(self.name))

    def test_lost_connections_are_made_anew(self) -> None:
        for number in range(3):
            self.proxy.cut()
            self.tables.create(self.name, f'{self.row}{number}', number)
            self.proxy.cut()
            self.assertEqual(number, self.tables.get(self.name, f'{self.row}{number}'))
            self.proxy.cut()
            self.tables.delete(self.name, f'{self.row}{number}')

    def test_an_add_whose_answer_is_lost_is_made_once(self) -> None:
        for lost in (1, 2):
            self.proxy.lose_answers(self.row.encode(), lost)
            self.tables.create(self.name, f'{self.row}{lost}', lost)
            self.assertEqual(lost, self.tables.get(self.name, f'{self.row}{lost}'))
            self.assertRaises(
                RowExists, self.tables.create, self.name, f'{self.row}{lost}', 'other'
            )

    def test_an_add_that_fails_three_times_is_deleted(self) -> None:
        self.proxy.lose_answers(self.row.encode(), 3)
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 1)
        self.assertEqual(0, self.proxy.left)  # three tries, and the roll-back got through
        self.gone()
        self.tables.create(self.name, self.row, 2)
        self.assertEqual(2, self.tables.get(self.name, self.row))

    def test_an_add_that_the_server_reads_later_adds_nothing(self) -> None:
        self.use(QUICK)
        self.proxy.hold(self.row.encode(), 4)  # three tries and the first roll-back
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 1)
        wait_until(lambda: not self.proxy.left, 'all to be held', PATIENCE)
        self.assertEqual(4, self.proxy.release(last_first=True))
        self.gone()

    def test_an_older_row_and_one_of_another_are_never_deleted(self) -> None:
        other = self.driver().tables
        other.create(self.name, self.row, 'older')
        self.proxy.lose_answers(self.row.encode(), 3)
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 'mine')
        self.assertEqual('older', other.get(self.name, self.row))
        # The roll-back comes late, and meanwhile the row is deleted and made by another.
        other.delete(self.name, self.row)
        self.proxy.lose_answers(self.row.encode(), 3)
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 'mine')
        other.create(self.name, self.row, 'newer')
        self.assertEqual('newer', other.get(self.name, self.row))

    def test_a_delete_is_never_rolled_back(self) -> None:
        for lost in (1, 2):
            self.tables.create(self.name, self.row, 1)
            self.proxy.lose_answers(self.row.encode(), lost)
            self.tables.delete(self.name, self.row)
            self.assertRaises(RowNotFound, self.tables.get, self.name, self.row)
        self.tables.create(self.name, self.row, 1)
        self.proxy.lose_answers(self.row.encode(), 3)
        self.assertRaises(StoreUnavailable, self.tables.delete, self.name, self.row)
        self.assertRaises(RowNotFound, self.tables.get, self.name, self.row)

    def test_other_failures_come_at_once(self) -> None:
        broken = f'{self.name}-broken'
        owner = self.backend.owner(broken)
        with redis.Redis(port=owner.server.port) as client:
            client.set(f'slotwright:{{{broken}}}:topics', 'foreign')
        owner.proxy.lose_answers(b'no such bytes', 5)
        self.assertRaises(StoreRefused, self.tables.create, broken, self.row, 1)
        self.assertRaises(StoreRefused, self.tables.keys, broken)
        self.assertRaises(RowNotFound, self.tables.get, broken, self.row)

    def test_a_server_without_memory_keeps_what_it_has(self) -> None:
        with redis.Redis(port=self.owner.server.port) as client:
            client.config_set('maxmemory', 1)
            try:
                self.assertRaises(StoreRefused, self.tables.create, self.name, self.row, 1)
                self.assertEqual(0, self.tables.get(self.name, 'other'))
                self.tables.delete(self.name, 'other')
            finally:
                client.config_set('maxmemory', 0)
        self.assertEqual([], self.tables.keys(self.name))

    def test_scripts_that_the_server_forgot_are_sent_again(self) -> None:
        with redis.Redis(port=self.owner.server.port) as client:
            client.script_flush()
        self.tables.create(self.name, self.row, 1)
        self.assertEqual(1, self.tables.get(self.name, self.row))

    def test_a_killed_server(self) -> None:
        numbers = [self.tables.allocate(self.name)]
        self.backend.sync(self.owner)  # else what it confirmed may die with it
        self.owner.server.kill()
        for call in (
            lambda: self.tables.create(self.name, self.row, 1),
            lambda: self.tables.get(self.name, 'other'),
            lambda: self.tables.keys(self.name),
        ):
            self.assertRaises(StoreUnavailable, call)
        if not self.backend.survives:
            self.backend.heal()
        # In a cluster with nobody's help.
        with self.backend.replacing(self.owner):
            numbers.append(
                eventually(lambda: self.tables.allocate(self.name), StoreUnavailable, StoreRefused)
            )
        self.assertEqual(2, len(set(numbers)))
        self.assertEqual(0, self.tables.get(self.name, 'other'))
        self.owner = self.backend.owner(self.name)
        self.gone()

    def test_a_hung_server(self) -> None:
        self.use(QUICK)
        self.backend.sync(self.owner)
        self.owner.server.suspend()
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 1)
        if not self.backend.survives:
            self.backend.heal()
        with self.backend.replacing(self.owner):
            eventually(lambda: self.tables.allocate(self.name), StoreUnavailable, StoreRefused)
        self.backend.heal()
        self.owner = self.backend.owner(self.name)
        self.gone()

    def test_a_driver_made_while_nobody_answers(self) -> None:
        for place in self.backend.places:
            place.proxy.freeze()
        events = self.driver(QUICK)
        self.assertRaises(StoreUnavailable, events.tables.get, self.name, 'other')
        self.backend.heal()
        self.assertEqual(
            0, eventually(lambda: events.tables.get(self.name, 'other'), StoreUnavailable)
        )


class SingleTest(Contract, EventsCase):
    backend_class = events_case.Single


class ClusterTest(Contract, EventsCase):
    backend_class = events_case.Clustered

    def test_the_usual_time_limits_notice_a_hung_server_too(self) -> None:
        self.use(SOCKET_TIMEOUT)
        for place in self.backend.places:
            place.server.suspend()
        self.assertRaises(StoreUnavailable, self.tables.create, self.name, self.row, 1)
        self.backend.heal()
        self.owner = self.backend.owner(self.name)
        self.gone()
