"""Hash slots: ranges, their even split, and how Redis writes them.

A Redis Cluster has 16384 hash slots (Redis Cluster specification, "Key
distribution model"). Ranges here are inclusive at both ends, as in CLUSTER
ADDSLOTSRANGE and CLUSTER NODES.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SLOT_COUNT = 16384


class SlotRange(NamedTuple):
    """Slots ``first`` to ``last``, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f'{self.first}-{self.last}'


def split(masters: int) -> tuple[SlotRange, ...]:
    """Divide all slots evenly among ``masters``, in order.

    Sizes differ by at most one and the larger ones come first.

    :raises ValueError: for less than one or more than 16384 masters.

    >>> [str(r) for r in split(3)]
    ['0-5461', '5462-10922', '10923-16383']
    """
    if not 1 <= masters <= SLOT_COUNT:
        raise ValueError(f'cannot split {SLOT_COUNT} slots among {masters} masters')
    size, larger = divmod(SLOT_COUNT, masters)
    ranges = []
    first = 0
    for index in range(masters):
        count = size + (1 if index < larger else 0)
        ranges.append(SlotRange(first, first + count - 1))
        first += count
    return tuple(ranges)


def parse(text: str) -> SlotRange:
    """Read one slot or range as CLUSTER NODES writes it.

    >>> parse('0-5461'), parse('7')
    (SlotRange(first=0, last=5461), SlotRange(first=7, last=7))
    """
    first, _, last = text.partition('-')
    return SlotRange(int(first), int(last or first))


def normalize(ranges: Iterable[Sequence[int]]) -> tuple[SlotRange, ...]:
    """Sort ranges and join those that touch or overlap.

    >>> [str(r) for r in normalize([(5, 9), (0, 4), (20, 20)])]
    ['0-9', '20']
    """
    joined: list[SlotRange] = []
    for first, last in sorted((int(r[0]), int(r[1])) for r in ranges):
        if joined and first <= joined[-1].last + 1:
            joined[-1] = SlotRange(joined[-1].first, max(joined[-1].last, last))
        else:
            joined.append(SlotRange(first, last))
    return tuple(joined)


def count(ranges: Iterable[SlotRange]) -> int:
    """How many slots the (disjoint) ranges hold."""
    return sum(r.last - r.first + 1 for r in ranges)


def covers_once(ranges: Iterable[SlotRange]) -> bool:
    """Whether the ranges hold every slot exactly once.

    >>> covers_once(split(5)), covers_once([*split(5), SlotRange(3, 3)])
    (True, False)
    """
    every = list(ranges)
    return normalize(every) == (SlotRange(0, SLOT_COUNT - 1),) and count(every) == SLOT_COUNT
