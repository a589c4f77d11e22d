"""Pools, flavors and the catalogue: where instances may run, and where each one went.

A pool is a weighted place, a flavor groups pools and sizes what runs in them, the catalogue
says which pool has a resource (the "queue" of the seed). The functions check what a caller
wants to store, so that every driver refuses the same.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slotwright.domain.errors import InvalidRequest, NameCollision

LONGEST = 255  # characters of a name or a uri
HEAVIEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Pool:
    """A place where instances run."""

    name: str
    uri: str
    weight: int  # 0 to HEAVIEST; 0 takes nothing new
    flavor: str | None = None  # a flavor of this name need not exist
    options: Mapping[str, Any] = field(default_factory=dict)  # a JSON object


@dataclass(frozen=True, slots=True)
class PoolFlavor:
    """What an instance is sized by, and the pools that offer it. Names are global."""

    name: str
    project: str | None = None
    capabilities: Mapping[str, Any] = field(default_factory=dict)  # a JSON object, as given
    pools: tuple[str, ...] = ()  # names, in order


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Which pool has a resource of a project."""

    project: str | None
    queue: str
    pool: str


def _is_text(value: object) -> bool:
    """Whether every driver can keep it and tell it from others."""
    return (
        type(value) is str
        and 0 < len(value) <= LONGEST
        and value.isprintable()
        and value == value.strip()
    )


def check_name(what: str, name: str) -> str:
    """Hand ``name`` through; ``what`` it names is for the message.

    :raises InvalidRequest: unless it has 1 to 255 printable characters and no space at
        either end (SQL does not tell those apart).

    >>> check_name('pool', 'a b')
    'a b'
    """
    if not _is_text(name):
        raise InvalidRequest(
            f'The name of a {what} has 1 to {LONGEST} printable characters and no space at '
            'either end.'
        )
    return name


def check_project(project: str | None) -> str | None:
    """As ``check_name``; None is no project."""
    return None if project is None else check_name('project', project)


def check_page(marker: str | None, limit: int) -> str:
    """The marker of a page, '' for the first one.

    :raises InvalidRequest: for an impossible limit, or a marker that no name can be near to.
    """
    if type(limit) is not int or not 0 <= limit <= HEAVIEST:
        raise InvalidRequest('limit is a number of entries, or 0 for all.')
    if marker and not marker.isprintable():
        raise InvalidRequest('marker is the name of the last entry of the page before.')
    return marker or ''


def check_uri(uri: str) -> str:
    """:raises InvalidRequest: unless it has 1 to 255 printable characters."""
    if not _is_text(uri):
        raise InvalidRequest(
            f'uri has 1 to {LONGEST} printable characters and no space at either end.'
        )
    return uri


def check_weight(weight: int) -> int:
    """:raises InvalidRequest: unless it is a whole number from 0 to 2**32 - 1."""
    if type(weight) is not int or not 0 <= weight <= HEAVIEST:
        raise InvalidRequest(f'weight is a whole number from 0 to {HEAVIEST}.')
    return weight


def to_json(what: str, value: Mapping[str, Any] | None) -> str:
    """The JSON object that is stored of ``value``; {} for None.

    :raises InvalidRequest: unless JSON has words for all of it.

    >>> to_json('options', {'ram': 512})
    '{"ram":512}'
    """
    if value is None:
        return '{}'
    if not isinstance(value, Mapping):
        raise InvalidRequest(f'{what} is a JSON object.')
    try:
        text = json.dumps(dict(value), separators=(',', ':'), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f'{what} is a JSON object: {error}') from error
    return text


def new_pool(
    name: str,
    weight: int,
    uri: str,
    flavor: str | None,
    options: Mapping[str, Any] | None,
) -> Pool:
    """The pool that a create is about; a flavor of '' is none.

    :raises InvalidRequest: for what cannot be stored.
    :raises NameCollision: when the pool is named like its flavor.
    """
    check_name('pool', name)
    if flavor:
        check_apart(check_name('flavor', flavor), name, 'pool')
    return Pool(name, check_uri(uri), check_weight(weight), flavor or None, options or {})


def check_pool_change(
    name: str,
    weight: int | None,
    uri: str | None,
    flavor: str | None,
    options: Mapping[str, Any] | None,
) -> None:
    """As ``new_pool``, for what an update gives.

    :raises InvalidRequest: also when it gives nothing.
    """
    check_name('pool', name)
    if weight is None and uri is None and flavor is None and options is None:
        raise nothing_to_change('weight, uri, flavor and options')
    if uri is not None:
        check_uri(uri)
    if weight is not None:
        check_weight(weight)
    if flavor:
        check_apart(check_name('flavor', flavor), name, 'pool')


def check_new_flavor(name: str, project: str | None) -> None:
    """:raises InvalidRequest: for a name that cannot be stored.
    :raises NameCollision: when the flavor is named like its project.
    """
    check_apart(check_name('flavor', name), check_project(project), 'project')


def nothing_to_change(fields: str) -> InvalidRequest:
    return InvalidRequest(f'There is nothing to change: give at least one of {fields}.')


def check_pools(pools: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names without doubles, in their order; None stays None.

    :raises InvalidRequest: for an impossible name.
    """
    if pools is None:
        return None
    return tuple(dict.fromkeys(check_name('pool', name) for name in pools))


def joined(project: str | None, queue: str) -> str:
    """How both catalogue sets name an entry.

    >>> joined('demo', 'q'), joined(None, 'q')
    ('demo.q', '.q')
    """
    return f'{project or ""}.{queue}'


def check_apart(flavor: str, other: str | None, what: str) -> None:
    """A flavor and ``other``, its pool or its project, never have one name.

    :raises NameCollision: when they do.
    """
    if flavor == other:
        raise NameCollision(f'A flavor and its {what} cannot both be named {flavor}.')


def catalogue_collision(project: str | None, queue: str) -> NameCollision:
    """The refusal of an entry whose joined name something else has."""
    return NameCollision(
        f'Queue {queue} of project {project} cannot be recorded: the catalogue has another '
        f'project or queue under {joined(project, queue)} or {project}. Choose another name.'
    )


def taken_by(what: str, name: str, holder: str) -> NameCollision:
    """The refusal of ``name`` for a new ``what``; ``holder`` is told with its article."""
    return NameCollision(
        f'A {what} cannot be named {name}: the store already has {holder} under that name. '
        'Choose another name.'
    )
