"""The taskmanager has the database forget what was deleted long ago, a little at a time."""

import datetime
from collections.abc import Iterator

from slotwright.domain.errors import StorageUnavailable
from taskmanager import purger
from taskmanager.purger import Purger
from tests.base import TestCase

KEEP = datetime.timedelta(days=90)


class Store:
    """One with ``left`` batches to remove, which may go away."""

    def __init__(self, left: int, is_away: bool = False) -> None:
        self.left = left
        self.is_away = is_away
        self.asked: list[datetime.timedelta] = []

    def purge_deleted(self, keep: datetime.timedelta) -> Iterator[tuple[str, int]]:
        self.asked.append(keep)
        while self.left:
            self.left -= 1
            yield 'jobs', 2
        if self.is_away:
            raise StorageUnavailable('The database does not answer now.')


class PurgerTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.rests: list[float] = []

    def tick(self, store: Store, keep: datetime.timedelta = KEEP) -> None:
        Purger(store, keep, self.rests.append).tick()

    def test_others_have_their_turn_between_batches(self) -> None:
        store = Store(3)
        self.tick(store)
        self.assertEqual(([KEEP], 3), (store.asked, len(self.rests)))
        self.assertIn('Purged 6 jobs', self.log.output)

    def test_a_look_ends_and_the_next_one_goes_on(self) -> None:
        store = Store(purger.MOST + 5)
        self.tick(store)
        self.assertEqual(5, store.left)
        self.tick(store)
        self.assertEqual(0, store.left)

    def test_for_ever(self) -> None:
        store = Store(3)
        self.tick(store, datetime.timedelta(0))
        self.assertEqual(([], 3), (store.asked, store.left))
        self.assertNotIn('Purged', self.log.output)

    def test_a_database_that_goes_away(self) -> None:
        self.tick(Store(1, is_away=True))
        self.assertIn('is not purged now: The database does not answer', self.log.output)
        self.assertIn('Purged 2 jobs', self.log.output)
