"""Placement, for any pools and any members."""

import math
import random
import unittest
from collections import Counter

from hypothesis import assume, example, given
from hypothesis import strategies as st

from slotwright.domain.errors import NoRoom
from slotwright.domain.placement import (
    AFFINITY,
    ANTI_AFFINITY,
    Member,
    Need,
    Placement,
    Used,
    domain_of,
)
from slotwright.domain.pools import Pool

LOCALITIES = (None, AFFINITY, ANTI_AFFINITY)
ROUNDS = 2000


@st.composite
def pool_sets(draw: st.DrawFn) -> list[Pool]:
    """Up to eight pools, bounded or not, in few failure domains."""
    pools = []
    for number in range(draw(st.integers(0, 8))):
        options: dict[str, object] = {}
        for name, most in (('instances', 4), ('ram', 2048)):
            if draw(st.booleans()):
                options[name] = draw(st.integers(0, most))
        if draw(st.booleans()):
            options['failure_domain'] = draw(st.sampled_from('xyz'))
        weight = draw(st.sampled_from((0, 1, 10, 2**32 - 1)))
        pools.append(Pool(f'p{number}', 'local://', weight, options=options))
    return pools


needs = st.integers(1, 6).flatmap(
    lambda count: st.sampled_from((0, 512, 1000)).map(
        lambda ram: [Need(f'i{number}', ram) for number in range(count)]
    )
)
usages = st.dictionaries(
    st.integers(0, 7).map('p{}'.format),
    st.builds(Used, st.integers(0, 4), st.integers(0, 2048)),
)
seeds = st.integers(0, 2**32)


class PlacementTest(unittest.TestCase):
    @given(pool_sets(), needs, usages, st.sampled_from(LOCALITIES), seeds)
    def test_never_over_capacity_nor_into_a_drained_pool(
        self,
        pools: list[Pool],
        wanted: list[Need],
        used: dict[str, Used],
        locality: str | None,
        seed: int,
    ) -> None:
        placement = Placement(pools, locality=locality, chance=random.Random(seed))
        try:
            found = placement.choose(wanted, used)
        except NoRoom as error:
            for pool in pools:
                self.assertIn(f'{pool.name}: ', str(error))
            return
        self.assertEqual({need.instance_id for need in wanted}, set(found))
        for pool in found.values():
            self.assertIn(pool, pools)
            self.assertGreater(pool.weight, 0)
            here = [need for need in wanted if found[need.instance_id] == pool]
            before = used.get(pool.name, Used())
            self.assertLessEqual(
                before.instances + len(here), pool.options.get('instances', math.inf)
            )
            self.assertLessEqual(
                before.ram + sum(need.ram for need in here), pool.options.get('ram', math.inf)
            )

    @given(pool_sets(), needs, usages, seeds)
    def test_without_locality_all_room_is_used(
        self, pools: list[Pool], wanted: list[Need], used: dict[str, Used], seed: int
    ) -> None:
        room = sum(_times(pool, used.get(pool.name, Used()), wanted[0].ram) for pool in pools)
        placement = Placement(pools, chance=random.Random(seed))
        if room >= len(wanted):
            self.assertEqual(len(wanted), len(placement.choose(wanted, used)))
        else:
            self.assertRaises(NoRoom, placement.choose, wanted, used)

    @given(pool_sets(), needs, seeds)
    def test_members_are_spread_over_failure_domains(
        self, pools: list[Pool], wanted: list[Need], seed: int
    ) -> None:
        roomy = [Pool(p.name, p.uri, p.weight, options=_domain_only(p)) for p in pools]
        domains = {domain_of(pool) for pool in roomy if pool.weight}
        assume(domains)
        found = Placement(roomy, chance=random.Random(seed)).choose(wanted, {})
        sizes = Counter(domain_of(pool) for pool in found.values())
        counts = [sizes[name] for name in domains]
        self.assertLessEqual(max(counts) - min(counts), 1)

    @given(pool_sets(), needs, usages, st.lists(st.sampled_from('xyz'), max_size=2), seeds)
    def test_anti_affinity_never_uses_a_failure_domain_twice(
        self,
        pools: list[Pool],
        wanted: list[Need],
        used: dict[str, Used],
        there: list[str],
        seed: int,
    ) -> None:
        placement = Placement(pools, locality=ANTI_AFFINITY, chance=random.Random(seed))
        members = [Member('old', name) for name in there]
        try:
            found = placement.choose(wanted, used, members)
        except NoRoom:
            return
        chosen = [domain_of(pool) for pool in found.values()]
        self.assertNotIn('', chosen)
        self.assertEqual(len(chosen), len(set(chosen)))
        self.assertFalse(set(chosen) & set(there))

    @example(
        [
            Pool('p0', 'local://', 1, options={'failure_domain': 'x'}),
            Pool('p1', 'local://', 1, options={'ram': 0}),
        ],
        [Need('i0', 0)],
        {'p1': Used(0, 1)},
        1,
    )
    @given(pool_sets(), needs, usages, seeds)
    @example(
        [Pool('p', 'local://', 1), Pool('over', 'local://', 1, options={'ram': 0})],
        [Need('i', 0)],
        {'over': Used(0, 1)},
        0,
    )
    def test_affinity_keeps_all_together_whenever_that_goes(
        self, pools: list[Pool], wanted: list[Need], used: dict[str, Used], seed: int
    ) -> None:
        groups = Counter[str]()
        for pool in pools:
            groups[_group(pool)] += _times(pool, used.get(pool.name, Used()), wanted[0].ram)
        placement = Placement(pools, locality=AFFINITY, chance=random.Random(seed))
        if max(groups.values(), default=0) < len(wanted):
            self.assertRaises(NoRoom, placement.choose, wanted, used)
            return
        found = list(placement.choose(wanted, used).values())
        self.assertEqual(1, len({_group(pool) for pool in found}))
        more = Need('more', 0)
        before = [Member(pool.name, domain_of(pool)) for pool in found]
        try:
            joined = placement.choose([more], {}, before)['more']
        except NoRoom:
            return
        self.assertEqual(_group(found[0]), _group(joined))

    @given(st.lists(st.integers(0, 20), min_size=1, max_size=6), seeds)
    def test_weights_are_respected(self, weights: list[int], seed: int) -> None:
        assume(sum(weights))
        pools = [Pool(f'p{n}', 'local://', weight) for n, weight in enumerate(weights)]
        placement = Placement(pools, chance=random.Random(seed))
        counted = _count(placement, ROUNDS)
        for pool in pools:
            share = pool.weight / sum(weights)
            # Six standard deviations: one run in a billion is further away.
            margin = 6 * math.sqrt(ROUNDS * share * (1 - share))
            self.assertLessEqual(abs(counted[pool.name] - ROUNDS * share), margin)


class RefusalTest(unittest.TestCase):
    def test_it_says_why_each_pool_was_passed_over(self) -> None:
        pools = [
            Pool('bad', 'nowhere://', 1),
            Pool('drained', 'local://', 0),
            Pool('full', 'local://', 1, options={'instances': 2}),
            Pool('little', 'local://', 1, options={'ram': 4096}),
            Pool('old', 'local://', 1, options={'datastore_versions': ['6.0', '6.2']}),
            Pool('room', 'local://', 1, options={'instances': 1}),
        ]
        used = {'full': Used(2, 512), 'little': Used(2, 3900)}
        placement = Placement(pools, version='7.0')
        with self.assertRaises(NoRoom) as caught:
            placement.choose([Need('a', 512), Need('b', 512)], used)
        self.assertEqual(
            "No pool has room for 2 instances of 512 MiB: bad: uri 'nowhere://' must be "
            'local:// (the host of the taskmanager) or inventory://GROUP (hosts that enrolled in '
            'that group: 1 to 63 letters, digits or _ . -, the first one a letter or digit); '
            'drained: takes nothing new (weight 0); full: has 2 of 2 instances; '
            'little: has 3900 of 4096 MiB in use; old: runs 6.0, 6.2, not 7.0; '
            'room: has room, but not for all of them.',
            str(caught.exception),
        )

    def test_it_stays_short(self) -> None:
        pools = [Pool(f'p{n:02}', 'local://', 0) for n in range(99)]
        with self.assertRaises(NoRoom) as caught:
            Placement(pools).choose([Need('a', 512)], {})
        told = str(caught.exception)
        self.assertTrue(told.endswith('p09: takes nothing new (weight 0); and 89 more.'), told)


def _count(placement: Placement, rounds: int) -> Counter[str]:
    need = [Need('i', 512)]
    return Counter(placement.choose(need, {})['i'].name for _ in range(rounds))


def _times(pool: Pool, used: Used, ram: int) -> int:
    """How many instances fit in by counting one at a time."""
    fit = 0
    while (
        fit < 6
        and pool.weight
        and used.instances + fit + 1 <= pool.options.get('instances', math.inf)
        and used.ram + (fit + 1) * ram <= pool.options.get('ram', math.inf)
    ):
        fit += 1
    return fit


def _group(pool: Pool) -> str:
    return f'domain {domain_of(pool)}' if domain_of(pool) else f'pool {pool.name}'


def _domain_only(pool: Pool) -> dict[str, object]:
    return {k: v for k, v in pool.options.items() if k == 'failure_domain'}
