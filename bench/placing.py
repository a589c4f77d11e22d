"""What it costs to find a place for an instance, CPU of this process.

Pools have weights, limits and failure domains, and some instances already. Beside it: a weighted
draw and nothing else, of the standard library.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence

from bench.report import Row, spread
from slotwright.domain.placement import Need, Placement, Used
from slotwright.domain.pools import Pool

REPEATS = 50  # in a run
TARGET = 1.0  # ms, over a thousand pools
RACKS = 20


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """A row for each number of pools in ``sizes``."""
    for size in sizes:
        yield _place(size, runs)


def _place(size: int, runs: int) -> Row:
    pools = [_pool(number) for number in range(size)]
    weights = [pool.weight for pool in pools]
    used = {pool.name: Used(3, 2000) for pool in pools}
    chance = random.Random(1)

    def ours() -> None:
        Placement(pools, chance=chance).choose([Need('one', 512)], used)

    taken: list[tuple[float, float]] = [
        (_cpu(ours), _cpu(lambda: chance.choices(pools, weights))) for _ in range(runs)
    ]
    mine, floor = ([pair[side] for pair in taken] for side in (0, 1))
    return Row(
        f'placement over {size} pools, CPU',
        spread(mine, 'ms'),
        'random.choices by weight alone',
        spread(floor, 'ms'),
        target=f'≤ {TARGET} ms' if size == 1000 else '',
    )


def _cpu(call: Callable[[], object]) -> float:
    """Milliseconds of CPU for one call."""
    start = time.process_time()
    for _ in range(REPEATS):
        call()
    return (time.process_time() - start) / REPEATS * 1000


def _pool(number: int) -> Pool:
    options = {'instances': 10, 'ram': 8192, 'failure_domain': f'rack-{number % RACKS}'}
    return Pool(f'pool-{number}', 'local://', 1 + number % 100, options=options)
