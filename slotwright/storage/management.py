"""What a driver of the management store does: pools, flavors and the catalogue.

Every method is atomic: it happens whole or not at all, whoever else is at work. Lists are in
the order of the names' UTF-8 bytes. All methods raise

* ``InvalidRequest`` for a name or value that cannot be stored,
* ``NameCollision`` for a name whose place is taken by something else; nothing is changed,
* ``StorageUnavailable`` when the store does not answer. Whether a change happened is unknown
  then; every one may be repeated.

Two things that seed 000 would keep under one Redis key are refused by every driver, so that
data can move from one to another: a pool and a flavor of one name, a flavor named like a
project that has flavors, and in the catalogue ``a.b``/``c`` beside ``a``/``b.c`` or beside
``a``/``b``. Names of flavors are global, so one that another project has is taken as well.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from slotwright.domain.errors import (
    FlavorDoesNotExist,
    PoolDoesNotExist,
    PoolInUseByFlavor,
    QueueNotMapped,
)
from slotwright.domain.pools import CatalogueEntry, Pool, PoolFlavor

PAGE = 10  # entries, unless told otherwise

#: What the provisioner behind a scheme of pool uris can do; () for an unknown scheme.
SchemeCapabilities = Callable[[str], Sequence[str]]


class PoolsController(Protocol):
    """The places where instances run."""

    def list(self, marker: str | None = None, limit: int = PAGE) -> Sequence[Pool]:
        """Up to ``limit`` pools (0: all) after ``marker``, exclusive, which may be unknown."""

    def create(
        self,
        name: str,
        weight: int,
        uri: str,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the pool, or replace all of the one that is there.

        ``flavor`` ('' or None: none) need not exist.
        """

    def get_pools_by_flavor(self, flavor: str | None = None) -> Sequence[Pool]:
        """All pools of a flavor, which need not exist; for None those that have none."""

    def find_serving(self, flavor: str | None) -> Sequence[Pool] | None:
        """The pools for instances of a flavor: those that it has, else those of no flavor.

        None while there are no pools at all, () when none is for it. For no flavor those that
        have none.
        """

    def get(self, name: str) -> Pool:
        """:raises PoolDoesNotExist: "Pool <name> does not exist."."""

    def exists(self, name: str) -> bool: ...

    def update(
        self,
        name: str,
        *,
        weight: int | None = None,
        uri: str | None = None,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Pool:
        """Change what is not None and answer the pool; ``flavor=''`` takes it from its flavor.

        :raises PoolDoesNotExist: also of one that is deleted at the same time.
        :raises InvalidRequest: when there is nothing to change.
        """

    def delete(self, name: str) -> None:
        """Delete the pool; silent when there is none.

        :raises PoolInUseByFlavor: it is the last one of a flavor that exists.
        """

    def drop_all(self) -> None:
        """Delete every pool, also the last ones of flavors."""

    def capabilities(self, flavor: str | None = None, name: str | None = None) -> Sequence[str]:
        """What can be had in the pool ``name``, else in the first pool of ``flavor``, else
        in the first one: what its uri's scheme offers. () when there is no such pool.
        """


class FlavorsController(Protocol):
    """Names for a size and a set of pools.

    With a ``project`` a method sees the flavors of that one only; without, all of them.
    """

    def list(
        self, project: str | None = None, marker: str | None = None, limit: int = PAGE
    ) -> Sequence[PoolFlavor]:
        """Up to ``limit`` flavors (0: all) after ``marker``, exclusive, which may be unknown."""

    def create(
        self,
        name: str,
        project: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> None:
        """Make the flavor; of the one that this project has, change what is not None.

        ``pools`` become all of its pools: others leave it, and these leave theirs.
        :raises PoolDoesNotExist: for one of ``pools``; nothing is changed.
        """

    def get(self, name: str, project: str | None = None) -> PoolFlavor:
        """:raises FlavorDoesNotExist: "Flavor <name> does not exist."."""

    def exists(self, name: str, project: str | None = None) -> bool: ...

    def update(
        self,
        name: str,
        project: str | None = None,
        *,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> PoolFlavor:
        """Change what is not None, ``pools`` as ``create`` does, and answer the flavor.

        :raises FlavorDoesNotExist: also of one that is deleted at the same time.
        :raises PoolDoesNotExist: for one of ``pools``; nothing is changed.
        :raises InvalidRequest: when there is nothing to change.
        """

    def delete(self, name: str, project: str | None = None, *, release: bool = False) -> None:
        """Delete the flavor; silent when there is none. ``release`` takes its pools from it,
        else they keep its name.
        """

    def drop_all(self) -> None:
        """Delete every flavor; pools keep their names."""


class CatalogueController(Protocol):
    """Which pool has a project's resource. Here None is a project of its own."""

    def list(self, project: str | None) -> Sequence[CatalogueEntry]:
        """All entries of a project, by queue."""

    def get(self, project: str | None, queue: str) -> CatalogueEntry:
        """:raises QueueNotMapped: "No pool found for queue <queue> for project <project>"."""

    def exists(self, project: str | None, queue: str) -> bool: ...

    def insert(self, project: str | None, queue: str, pool: str) -> None:
        """Record the pool, also over an older one; it need not exist."""

    def update(self, project: str | None, queue: str, pool: str) -> None:
        """:raises QueueNotMapped: also of an entry that is deleted at the same time."""

    def delete(self, project: str | None, queue: str) -> None:
        """Forget the entry; silent when there is none."""

    def drop_all(self) -> None:
        """Forget all entries of all projects."""


class PoolStore(Protocol):
    """All of it, as one driver offers it. Safe to use from any thread."""

    @property
    def pools(self) -> PoolsController: ...

    @property
    def flavors(self) -> FlavorsController: ...

    @property
    def catalogue(self) -> CatalogueController: ...

    def close(self) -> None:
        """Give the connections back; the next use would open new ones."""


# What drivers share: the words of their refusals, and the scheme of a uri.


def no_pool(name: str) -> PoolDoesNotExist:
    return PoolDoesNotExist(f'Pool {name} does not exist.')


def no_flavor(name: str) -> FlavorDoesNotExist:
    return FlavorDoesNotExist(f'Flavor {name} does not exist.')


def not_mapped(project: str | None, queue: str) -> QueueNotMapped:
    return QueueNotMapped(f'No pool found for queue {queue} for project {project}')


def in_use(pool: str, flavor: str) -> PoolInUseByFlavor:
    return PoolInUseByFlavor(
        f'Pool {pool} is the last one of flavor {flavor}; it cannot be deleted. Give the '
        'flavor another pool or delete it first.'
    )


def scheme_of(uri: str) -> str:
    """The scheme of a pool's uri, '' when it has none.

    >>> scheme_of('inventory://rack-1'), scheme_of('bare')
    ('inventory', '')
    """
    try:
        return urlsplit(uri).scheme
    except ValueError:  # unbalanced brackets
        return ''


def no_capabilities(_scheme: str) -> Sequence[str]:
    """For a store whose user knows no provisioners."""
    return ()
