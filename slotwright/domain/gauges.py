"""What a node is measured by: live, and of no consequence when it is lost."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Gauges:
    """A look at one redis-server."""

    used_memory: int  # bytes
    max_memory: int  # bytes; 0 is no limit
    ops_per_second: int
    clients: int
    keys: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent reported, and when that came in."""

    cluster_id: str
    instance_id: str
    at: datetime.datetime  # UTC
    gauges: Gauges


def gauges_from(said: Mapping[str, Any]) -> Gauges:
    """What an agent sent.

    :raises ValueError: for anything but whole numbers from 0.
    """
    numbers = {field.name: said.get(field.name) for field in fields(Gauges)}
    if any(type(number) is not int or number < 0 for number in numbers.values()):
        raise ValueError(f'no gauges: {str(numbers)[:200]}')
    return Gauges(**numbers)  # type: ignore[arg-type]


def to_wire(seen: Seen) -> dict[str, Any]:
    """As a row of a table."""
    return {
        'cluster_id': seen.cluster_id,
        'instance_id': seen.instance_id,
        'at': seen.at.isoformat(),
        'gauges': asdict(seen.gauges),
    }


def from_wire(row: Mapping[str, Any]) -> Seen:
    """:raises ValueError: for what ``to_wire`` does not make."""
    try:
        at = datetime.datetime.fromisoformat(row['at'])
        cluster_id, instance_id = str(row['cluster_id']), str(row['instance_id'])
        return Seen(cluster_id, instance_id, at, gauges_from(row['gauges']))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'no gauges: {error}') from error
