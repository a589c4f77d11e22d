"""Which pool an instance goes to: pure.

A pool takes new instances by its weight, as far as it has room. Members of a cluster are spread
over failure domains unless told otherwise: the next one goes where the fewest are.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain.errors import NoRoom
from slotwright.domain.pools import Pool

AFFINITY = 'affinity'
ANTI_AFFINITY = 'anti-affinity'
_MOST_TOLD = 10  # pools in a refusal


@dataclass(frozen=True, slots=True)
class Need:
    """An instance to place."""

    instance_id: str
    ram: int  # MiB


@dataclass(frozen=True, slots=True)
class Used:
    """What the instances of a pool take."""

    instances: int = 0
    ram: int = 0  # MiB


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member of the cluster is already."""

    pool: str
    failure_domain: str


@dataclass(frozen=True)
class Placement:
    """The pools that may take the members of one cluster, and how to choose among them.

    :param version: of the datastore that they are to run.
    :param locality: ``affinity`` (all in one failure domain, or one pool where that has
        none), ``anti-affinity`` (each in another one), None to spread as far as it goes.
    :param skipped: why each of some more pools cannot take anything; told in a refusal.
    """

    pools: Sequence[Pool]
    version: str = ''
    locality: str | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random, compare=False)

    @property
    def is_bounded(self) -> bool:
        """Whether what is used matters at all."""
        return any('instances' in pool.options or 'ram' in pool.options for pool in self.pools)

    def choose(
        self, needs: Sequence[Need], used: Mapping[str, Used], members: Sequence[Member] = ()
    ) -> dict[str, Pool]:
        """A pool for each instance, by its id.

        :param used: by pool; nothing where it is missing.
        :raises NoRoom: and says why each pool was passed over; nobody gets a place then.
        """
        pools = [pool for pool in self.pools if pool.weight > 0 and self._serves(pool)]
        room = {pool.name: _Room.of(pool, used.get(pool.name, Used())) for pool in pools}
        if self.locality == AFFINITY:
            pools = self._one_group(needs, pools, room, members)
        found: dict[str, Pool] = {}
        there = [member.failure_domain for member in members]
        for need in needs:
            fitting = [pool for pool in pools if room[pool.name].fits(need.ram)]
            chosen = self._pick(self._spread(fitting, there))
            if chosen is None:
                raise NoRoom(self._refusal(needs, used))
            found[need.instance_id] = chosen
            room[chosen.name].take(need.ram)
            there.append(domain_of(chosen))
        return found

    def _spread(self, pools: list[Pool], there: Sequence[str]) -> list[Pool]:
        """Those of ``pools`` that are furthest from the members that are ``there``."""
        if self.locality == AFFINITY or not pools:
            return pools
        if self.locality == ANTI_AFFINITY:
            return [pool for pool in pools if domain_of(pool) and domain_of(pool) not in there]
        count = dict.fromkeys(there, 0)
        for name in there:
            count[name] += 1
        fewest = min(count.get(domain_of(pool), 0) for pool in pools)
        return [pool for pool in pools if count.get(domain_of(pool), 0) == fewest]

    def _one_group(
        self,
        needs: Sequence[Need],
        pools: Sequence[Pool],
        room: Mapping[str, '_Room'],
        members: Sequence[Member],
    ) -> list[Pool]:
        """The pools of one failure domain that can take them all; where members are already."""
        groups: dict[tuple[str, str], list[Pool]] = {}
        for pool in pools:
            groups.setdefault(_group(pool.name, domain_of(pool)), []).append(pool)
        here = {_group(member.pool, member.failure_domain) for member in members}
        ram = max((need.ram for need in needs), default=0)
        fitting = [
            group
            for key, group in groups.items()
            if (not here or key in here)
            and sum(room[pool.name].times(ram) for pool in group) >= len(needs)
        ]
        if not fitting:
            return []
        weights = [sum(pool.weight for pool in group) for group in fitting]
        return self.chance.choices(fitting, weights)[0]

    def _pick(self, pools: Sequence[Pool]) -> Pool | None:
        if not pools:
            return None
        return self.chance.choices(pools, [pool.weight for pool in pools])[0]

    def _serves(self, pool: Pool) -> bool:
        return self.version in pool.options.get('datastore_versions', (self.version,))

    def _refusal(self, needs: Sequence[Need], used: Mapping[str, Used]) -> str:
        ram = max(need.ram for need in needs)
        reasons = dict(self.skipped)
        for pool in self.pools:
            reasons[pool.name] = self._why_not(pool, used.get(pool.name, Used()), ram)
        told = [f'{name}: {why}' for name, why in sorted(reasons.items())[:_MOST_TOLD]]
        if len(reasons) > len(told):
            told.append(f'and {len(reasons) - len(told)} more')
        return f'No pool has room for {len(needs)} instances of {ram} MiB: {"; ".join(told)}.'

    def _why_not(self, pool: Pool, used: Used, ram: int) -> str:
        if not pool.weight:
            return 'takes nothing new (weight 0)'
        if not self._serves(pool):
            return f'runs {", ".join(pool.options["datastore_versions"])}, not {self.version}'
        full = _full(pool, used, ram)
        if full:
            return full
        if self.locality == ANTI_AFFINITY:
            return f'failure domain {domain_of(pool) or "unknown"}, for anti-affinity'
        if self.locality == AFFINITY:
            return 'not all of them in one failure domain, for affinity'
        return 'has room, but not for all of them'


def domain_of(pool: Pool) -> str:
    """What goes down together with the pool; '' when nobody said."""
    return str(pool.options.get('failure_domain', ''))


def _group(pool: str, failure_domain: str) -> tuple[str, str]:
    return (failure_domain, '') if failure_domain else ('', pool)


def _full(pool: Pool, used: Used, ram: int) -> str:
    """What there is too little of, '' when there is enough for one more."""
    most = pool.options.get('instances')
    if most is not None and used.instances >= most:
        return f'has {used.instances} of {most} instances'
    most = pool.options.get('ram')
    if most is not None and used.ram + ram > most:
        return f'has {used.ram} of {most} MiB in use'
    return ''


@dataclass(slots=True)
class _Room:
    """What a pool can still take."""

    instances: float
    ram: float  # MiB

    @classmethod
    def of(cls, pool: Pool, used: Used) -> '_Room':
        options: Mapping[str, Any] = pool.options
        return cls(
            options.get('instances', math.inf) - used.instances,
            options.get('ram', math.inf) - used.ram,
        )

    def fits(self, ram: int) -> bool:
        return self.instances >= 1 and self.ram >= ram

    def times(self, ram: int) -> float:
        """How many of that size fit."""
        most = self.ram // ram if ram and self.ram != math.inf else math.inf
        return max(0, min(self.instances, most))

    def take(self, ram: int) -> None:
        self.instances -= 1
        self.ram -= ram
