"""The relay hands every event on, in order, and may be killed anywhere."""

import datetime
from collections.abc import Callable

from slotwright.domain.errors import StorageUnavailable, Unavailable
from slotwright.domain.events import Event, from_wire, to_wire
from slotwright.domain.states import OperationKind
from slotwright.storage.base import NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager import relay
from taskmanager.relay import Relay
from tests.base import TestCase

NOW = datetime.datetime(2026, 6, 1)


class Killed(BaseException):
    """What ends a process in the middle of something."""


class RelayTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1_000.0
        self.clock = 0.0
        self.store = SQLAlchemyStore.connect('sqlite://', now=lambda: self.now)
        self.addCleanup(self.store.close)
        migration.upgrade(self.store)
        self.heard: list[Event] = []

    def relay(self, name: str = 'me', publish: Callable[[Event], None] | None = None) -> Relay:
        keep = datetime.timedelta(days=7)
        return Relay(
            self.store, publish or self.heard.append, name, keep, lambda: NOW, lambda: self.clock
        )

    def positions(self) -> list[int | None]:
        return [event.position for event in self.heard]

    def create(self, members: int = 1) -> str:
        ids = [f'{len(self.heard)}-{self.now}-{n}' for n in range(members + 2)]
        self.store.create_cluster(
            NewCluster(ids[0], 'demo', 'c', 'redis', '3.0', 'secret'),
            [NewInstance(i, '1', 1) for i in ids[2:]],
            NewOperation(ids[1], OperationKind.CREATE, 'req-1', tuple(ids[2:])),
        )
        return ids[0]

    def test_many_at_once(self) -> None:
        self.create(2 * relay.BATCH)
        self.relay().tick()
        self.assertEqual([*range(1, 2 * relay.BATCH + 3)], self.positions())
        self.relay().tick()
        self.assertEqual(2 * relay.BATCH + 2, len(self.heard))

    def test_what_was_not_heard_is_told_again(self) -> None:
        self.create(4)
        broken = iter([None, None, Unavailable('nobody there')])

        def publish(event: Event) -> None:
            error = next(broken, None)
            if error:
                raise error
            self.heard.append(event)

        one = self.relay(publish=publish)
        with self.assertLogs(relay.LOG, 'INFO') as log:
            one.tick()
            self.assertEqual([1, 2], self.positions())
            broken = iter([Unavailable('nobody there')])
            for _ in range(2):
                self.clock += relay.REST
                one.tick()
        self.assertEqual([1, 2, 3, 4, 5, 6], self.positions())
        self.assertEqual(2, len(log.output), log.output)
        self.assertIn('nobody there', log.output[0])

    def test_while_nobody_can_be_told_there_are_numbers(self) -> None:
        tries: list[Event] = []

        def publish(event: Event) -> None:
            tries.append(event)
            raise Unavailable('nobody there')

        self.create()
        one = self.relay(publish=publish)
        one.tick()
        one.tick()
        self.now += 1
        self.create()
        one.tick()
        self.assertEqual(6, self.store.last_position())
        self.assertEqual(1, len(tries))
        self.clock += relay.REST
        one.tick()
        self.assertEqual(2, len(tries))

    def test_while_telling_takes_long_there_are_numbers(self) -> None:
        last: list[int] = []

        def publish(event: Event) -> None:
            if not last:
                self.now += 1
                self.create(2)
                one.number()  # as another thread does meanwhile
                last.append(self.store.last_position())
            self.heard.append(event)

        self.create()
        one = self.relay(publish=publish)
        one.number()
        self.assertEqual(0, self.store.last_position())  # the tick does that
        one.tick()
        one.tick()
        self.assertEqual([7], last)
        self.assertEqual([*range(1, 8)], self.positions())

    def test_a_killed_one_is_followed_by_another(self) -> None:
        self.create(2)

        def publish(event: Event) -> None:
            self.heard.append(event)
            if event.position == 2:
                raise Killed

        mark = self.store.mark_handed_on
        self.store.mark_handed_on = lambda *_: False  # type: ignore[method-assign]
        self.assertRaises(Killed, self.relay(publish=publish).tick)
        self.store.mark_handed_on = mark  # type: ignore[method-assign]
        self.relay('next').tick()
        self.assertEqual([1, 2], self.positions())  # the lease of the first goes on
        self.now += relay.LEASE
        self.relay('next').tick()
        self.assertEqual([1, 2, 1, 2, 3, 4], self.positions())
        self.assertEqual(self.heard[:2], self.heard[2:4])

    def test_a_store_that_is_away(self) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable('not now')

        self.store.take_events = away  # type: ignore[assignment]
        with self.assertLogs(relay.LOG, 'WARNING') as log:
            one = self.relay()
            one.tick()
            one.tick()
        self.assertEqual(1, len(log.output))

    def test_old_ones_go(self) -> None:
        self.create(3)
        one = self.relay()
        one.tick()
        one.tidy()
        self.assertEqual([], list(self.store.list_events(None, 0, 99)))  # from 1970
        self.now = NOW.replace(tzinfo=datetime.UTC).timestamp()
        self.create(1)
        one.tick()
        one.tidy()
        self.assertEqual(3, len(self.store.list_events(None, 0, 99)))

    def test_writers_are_heard(self) -> None:
        woken: list[None] = []
        self.store.call_after_writes(lambda: woken.append(None))
        self.create()
        self.assertEqual(1, len(woken))
        self.store.list_events(None, 0, 9)
        self.assertEqual(1, len(woken))

    def test_a_relay_does_not_wake_itself(self) -> None:
        woken: list[None] = []
        self.create()
        self.store.call_after_writes(lambda: woken.append(None))
        self.assertTrue(self.store.take_events('me', 9, 1))
        self.assertIsNone(self.store.take_events('you', 9, 1))
        self.assertTrue(self.store.mark_handed_on('me', 1))
        self.store.forget_events(NOW, 9)
        self.assertEqual([], woken)

    def test_there_and_back(self) -> None:
        self.create()
        self.relay().tick()
        for event in self.heard:
            self.assertEqual(event, from_wire({**to_wire(event), 'of_tomorrow': 1}))
        for wrong in ({}, {'kind': 'x'}, {**to_wire(self.heard[0]), 'created': 3}):
            self.assertRaises(ValueError, from_wire, wrong)
