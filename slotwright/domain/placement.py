"""Which pool an instance goes to: pure.

A pool takes new instances by its weight, as far as it has room. Members of a cluster are spread
over failure domains unless told otherwise: the next one goes where the fewest are.
"""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain.errors import InvalidRequest, NoRoom
from slotwright.domain.pools import Pool
from slotwright.domain.targets import check_pool

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

    One whose uri or options say nothing that can be done is passed over as if it were full.

    :param version: of the datastore that they are to run.
    :param locality: ``affinity`` (all in one failure domain, or one pool where that has
        none), ``anti-affinity`` (each in another one), None to spread as far as it goes.
    """

    pools: Sequence[Pool]
    version: str = ''
    locality: str | None = None
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
        rooms = _Rooms(used)
        groups: dict[str, list[Pool]] = {}  # by failure domain
        for pool in self.pools:
            if pool.weight and self._serves(pool):
                groups.setdefault(domain_of(pool), []).append(pool)
        if self.locality == AFFINITY:
            groups = {'': self._one_group(needs, groups, rooms, members)}
        found: dict[str, Pool] = {}
        there = Counter(member.failure_domain for member in members)
        for need in needs:
            chosen = self._choose_one(need, groups, rooms, there)
            if chosen is None:
                raise NoRoom(self._refusal(needs, used))
            found[need.instance_id] = chosen
            rooms.of(chosen).take(need.ram)
            there[domain_of(chosen)] += 1
        return found

    def _choose_one(
        self,
        need: Need,
        groups: Mapping[str, list[Pool]],
        rooms: '_Rooms',
        there: Counter[str],
    ) -> Pool | None:
        """A pool as far as can be from the members that are ``there``."""
        if self.locality == AFFINITY:
            return self._pick(groups[''], need, rooms)
        levels: dict[int, list[Pool]] = {}
        for name, pools in groups.items():
            if self.locality == ANTI_AFFINITY and (not name or there[name]):
                continue
            levels.setdefault(there[name], []).extend(pools)
        picks = (self._pick(levels[count], need, rooms) for count in sorted(levels))
        return next((pool for pool in picks if pool), None)

    def _one_group(
        self,
        needs: Sequence[Need],
        groups: Mapping[str, list[Pool]],
        rooms: '_Rooms',
        members: Sequence[Member],
    ) -> list[Pool]:
        """The pools of one failure domain that can take them all; where members are already."""
        alone = [([pool], '') for pool in groups.get('', ())]
        known = [(pools, name) for name, pools in groups.items() if name]
        domains = {member.failure_domain for member in members} - {''}
        # Of members in pools without a failure domain, which may have been given one since.
        near = {member.pool for member in members if not member.failure_domain}
        ram = max((need.ram for need in needs), default=0)
        fitting = [
            pools
            for pools, name in [*alone, *known]
            if (not members or name in domains or any(pool.name in near for pool in pools))
            and sum(rooms.of(pool).times(ram) for pool in pools) >= len(needs)
        ]
        if not fitting:
            return []
        weights = [sum(pool.weight for pool in pools) for pools in fitting]
        return self.chance.choices(fitting, weights)[0]

    def _pick(self, pools: Sequence[Pool], need: Need, rooms: '_Rooms') -> Pool | None:
        """One of those with room, by weight."""
        # Looking at one is quick, and most have room. Whether it is taken at this try or the
        # next, each one's chance is its share of the weights of those with room.
        chosen = self._draw(pools)
        if chosen and not rooms.of(chosen).fits(need.ram):
            chosen = self._draw([pool for pool in pools if rooms.of(pool).fits(need.ram)])
        return chosen

    def _draw(self, pools: Sequence[Pool]) -> Pool | None:
        if not pools:
            return None
        return self.chance.choices(pools, [pool.weight for pool in pools])[0]

    def _serves(self, pool: Pool) -> bool:
        versions = pool.options.get('datastore_versions')
        return versions is None or (type(versions) is list and self.version in versions)

    def _refusal(self, needs: Sequence[Need], used: Mapping[str, Used]) -> str:
        ram = max(need.ram for need in needs)
        told = [
            f'{pool.name}: {self._why_not(pool, used.get(pool.name, Used()), ram)}'
            for pool in self.pools[:_MOST_TOLD]
        ]
        if len(self.pools) > len(told):
            told.append(f'and {len(self.pools) - len(told)} more')
        return f'No pool has room for {len(needs)} instances of {ram} MiB: {"; ".join(told)}.'

    def _why_not(self, pool: Pool, used: Used, ram: int) -> str:
        if not pool.weight:
            return 'takes nothing new (weight 0)'
        why = flaw_of(pool) or _full(pool, used, ram)
        if why:
            return why
        if not self._serves(pool):
            return f'runs {", ".join(pool.options["datastore_versions"])}, not {self.version}'
        if self.locality == ANTI_AFFINITY:
            return f'failure domain {domain_of(pool) or "unknown"}, for anti-affinity'
        if self.locality == AFFINITY:
            return 'not all of them in one failure domain, for affinity'
        return 'has room, but not for all of them'


def domain_of(pool: Pool) -> str:
    """What goes down together with the pool; '' when nobody said."""
    return str(pool.options.get('failure_domain', ''))


def flaw_of(pool: Pool) -> str:
    """What keeps the pool from taking anything ever; '' when it is fine."""
    try:
        check_pool(pool.uri, pool.options)
    except InvalidRequest as error:
        return str(error).rstrip('.')
    return ''


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
        if not self.fits(ram):
            return 0
        bounded = ram and self.ram != math.inf  # inf // 512 is no number
        return min(self.instances, self.ram // ram if bounded else math.inf)

    def take(self, ram: int) -> None:
        self.instances -= 1
        self.ram -= ram


class _Rooms:
    """What pools can still take, of those that were asked about."""

    def __init__(self, used: Mapping[str, Used]) -> None:
        self._used = used
        self._rooms: dict[str, _Room] = {}

    def of(self, pool: Pool) -> _Room:
        room = self._rooms.get(pool.name)
        if room is None:
            # Looked at here, and so of few pools: a placement is quick over a thousand.
            now = self._used.get(pool.name, Used())
            room = _Room(0, 0) if flaw_of(pool) else _Room.of(pool, now)
            self._rooms[pool.name] = room
        return room
