"""How much of each resource a project may use, and whether a request fits.

Everything is counted from the live members themselves, so nothing can leak: a member that
is gone, or that failed and gave its place back, is not counted any more.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

#: A limit of this is none.
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Amounts:
    """One number for each resource: limits, what is in use, or what is asked for."""

    instances: int
    volumes: int  # GiB
    ram: int  # MiB

    def by_name(self) -> dict[str, int]:
        return asdict(self)

    def changed(self, values: Mapping[str, int | None]) -> 'Amounts':
        """These, but for the ones ``values`` has; None there changes nothing."""
        given = {name: value for name, value in values.items() if value is not None}
        return Amounts(**{**self.by_name(), **given})


RESOURCES: tuple[str, ...] = tuple(Amounts.__dataclass_fields__)

NO_LIMITS = Amounts(UNLIMITED, UNLIMITED, UNLIMITED)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project may use and what it uses."""

    limits: Amounts
    in_use: Amounts


def exceeded(usage: Usage, wanted: Amounts) -> tuple[str, ...]:
    """The resources of which ``wanted`` is more than is left.

    What is not asked for is not exceeded, also when a limit was lowered below the use.

    >>> usage = Usage(Amounts(10, 40, UNLIMITED), Amounts(8, 16, 4096))
    >>> exceeded(usage, Amounts(2, 24, 1024)), exceeded(usage, Amounts(3, 25, 0))
    ((), ('instances', 'volumes'))
    """
    limits, in_use = usage.limits.by_name(), usage.in_use.by_name()
    return tuple(
        name
        for name, amount in wanted.by_name().items()
        if amount > 0 and limits[name] != UNLIMITED and in_use[name] + amount > limits[name]
    )


def complaint(usage: Usage, wanted: Amounts) -> str:
    """What to tell whoever asked for too much; '' when it fits.

    >>> complaint(Usage(Amounts(10, 40, UNLIMITED), Amounts(8, 8, 0)), Amounts(3, 3, 0))
    "Quota exceeded for resources: ['instances']. Asked for 3 instances, 8 of 10 are in use."
    """
    beyond = exceeded(usage, wanted)
    limits, in_use, asked = usage.limits.by_name(), usage.in_use.by_name(), wanted.by_name()
    details = [f'{asked[n]} {_UNITS[n]}, {in_use[n]} of {limits[n]} are in use' for n in beyond]
    if not beyond:
        return ''
    return f'Quota exceeded for resources: {list(beyond)}. Asked for {"; ".join(details)}.'


_UNITS = {'instances': 'instances', 'volumes': 'GiB of volumes', 'ram': 'MiB of ram'}
