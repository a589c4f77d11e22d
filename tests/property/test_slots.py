"""The slot split, for any number of masters."""

import itertools
import unittest

from hypothesis import given
from hypothesis import strategies as st

from slotwright.domain import slots
from slotwright.domain.slots import SlotRange


class SplitTest(unittest.TestCase):
    @given(st.integers(1, slots.SLOT_COUNT))
    def test_every_slot_once_and_sizes_differ_by_at_most_one(self, masters: int) -> None:
        ranges = slots.split(masters)
        self.assertEqual(masters, len(ranges))
        self.assertEqual(0, ranges[0].first)
        self.assertEqual(slots.SLOT_COUNT - 1, ranges[-1].last)
        for left, right in itertools.pairwise(ranges):
            self.assertEqual(left.last + 1, right.first)
        sizes = [last - first + 1 for first, last in ranges]
        self.assertLessEqual(max(sizes) - min(sizes), 1)
        self.assertEqual(sizes, sorted(sizes, reverse=True))

    @given(st.one_of(st.integers(max_value=0), st.integers(min_value=slots.SLOT_COUNT + 1)))
    def test_impossible_numbers_are_refused(self, masters: int) -> None:
        self.assertRaises(ValueError, slots.split, masters)

    @given(st.sets(st.integers(0, 300)))
    def test_normalize_keeps_exactly_the_slots(self, chosen: set[int]) -> None:
        ranges = slots.normalize([(s, s) for s in chosen])
        spread = [s for first, last in ranges for s in range(first, last + 1)]
        self.assertEqual(sorted(chosen), spread)
        for left, right in itertools.pairwise(ranges):
            self.assertGreater(right.first, left.last + 1)

    @given(st.integers(0, 16383), st.integers(0, 16383))
    def test_parse_reads_what_str_writes(self, one: int, other: int) -> None:
        written = SlotRange(min(one, other), max(one, other))
        self.assertEqual(written, slots.parse(str(written)))
