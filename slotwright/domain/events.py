"""What happened: each change of a cluster, an instance, an operation, a pool or a flavor.

An event is written in the transaction of the change that it is about, and numbered there.
"""

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class Kind(enum.StrEnum):
    """What an event is about, and what became of it."""

    CLUSTER_CREATED = 'cluster.created'
    CLUSTER_CHANGED = 'cluster.changed'  # its task
    CLUSTER_DELETED = 'cluster.deleted'
    INSTANCE_CREATED = 'instance.created'
    INSTANCE_PLACED = 'instance.placed'  # it has a host and an address
    INSTANCE_CHANGED = 'instance.changed'  # status, node id, health or fault
    INSTANCE_DELETED = 'instance.deleted'
    OPERATION_ACCEPTED = 'operation.accepted'
    OPERATION_CHANGED = 'operation.changed'  # started, reverting, or how far it is
    OPERATION_COMPLETED = 'operation.completed'
    OPERATION_FAILED = 'operation.failed'
    POOL_CHANGED = 'pool.changed'  # made, or replaced by another of the name
    POOL_DELETED = 'pool.deleted'
    FLAVOR_CHANGED = 'flavor.changed'
    FLAVOR_DELETED = 'flavor.deleted'


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A change, as whoever makes it tells it."""

    kind: Kind
    message: str  # a short sentence for people
    state: Mapping[str, Any] = field(default_factory=dict)  # the new one, as JSON has words for
    instance_id: str | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change that was committed.

    Of a cluster, ``seq`` counts from 1 without gaps. ``position`` counts the events of all in
    the order in which they were handed on, also without gaps; None until that has happened. In
    both orders a change stands behind those that it came after.
    """

    seq: int
    position: int | None
    kind: Kind
    message: str
    state: Mapping[str, Any]
    created: datetime.datetime  # UTC
    project_id: str | None = None  # None for pools and flavors
    cluster_id: str | None = None
    instance_id: str | None = None
    operation_id: str | None = None
    request_id: str = ''


def to_wire(event: Event) -> dict[str, Any]:
    """The event as JSON has words for it; ``created`` is an ISO 8601 text."""
    return {
        name: value.isoformat() if name == 'created' else value
        for name, value in ((field.name, getattr(event, field.name)) for field in fields(event))
    }


def from_wire(message: Mapping[str, Any]) -> Event:
    """What ``to_wire`` was given. Members that are not known here are left out.

    :raises ValueError: for anything else.
    """
    known = {field.name: message[field.name] for field in fields(Event) if field.name in message}
    try:
        created = datetime.datetime.fromisoformat(known['created'])
        return Event(**{**known, 'kind': Kind(known['kind']), 'created': created})
    except (KeyError, TypeError) as error:
        raise ValueError(f'no event: {error}') from error
