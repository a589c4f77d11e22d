"""A management store outside of SQL, whose changes become events too.

An event is recorded right after its change: the two are no transaction. Who is killed between
them, or finds no database then, leaves a change that is not told; the next one of that pool or
flavor tells how it is. What others change in the store is not told either.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slotwright.domain import news
from slotwright.domain.errors import FlavorDoesNotExist, PoolDoesNotExist, StorageUnavailable
from slotwright.domain.events import Kind, NewEvent
from slotwright.domain.pools import Pool, PoolFlavor
from slotwright.storage.management import (
    PAGE,
    CatalogueController,
    FlavorsController,
    PoolsController,
    PoolStore,
)

LOG = logging.getLogger(__name__)

Record = Callable[[Sequence[NewEvent]], None]


class ToldPoolStore:
    """See ``slotwright.storage.management.PoolStore``.

    :param record: keeps events of pools and flavors.
    """

    def __init__(self, store: PoolStore, record: Record) -> None:
        self._store = store
        teller = _Teller(store, record)
        self.pools: PoolsController = _Pools(store.pools, teller)
        self.flavors: FlavorsController = _Flavors(store, teller)

    @property
    def catalogue(self) -> CatalogueController:
        return self._store.catalogue

    def close(self) -> None:
        self._store.close()


class _Teller:
    def __init__(self, store: PoolStore, record: Record) -> None:
        self._store = store
        self._record = record

    def tell(self, pools: Sequence[str] = (), flavors: Sequence[str] = ()) -> None:
        """Record how these are now."""
        try:
            told = [self._of_pool(name) for name in pools]
            told += [self._of_flavor(name) for name in flavors]
            self._record(told)
        except StorageUnavailable as error:
            LOG.warning('Not told: a change of pools %s, flavors %s: %s', pools, flavors, error)

    def _of_pool(self, name: str) -> NewEvent:
        try:
            return news.of_pool(Kind.POOL_CHANGED, name, self._store.pools.get(name))
        except PoolDoesNotExist:
            return news.of_pool(Kind.POOL_DELETED, name)

    def _of_flavor(self, name: str) -> NewEvent:
        try:
            return news.of_flavor(Kind.FLAVOR_CHANGED, name, self._store.flavors.get(name))
        except FlavorDoesNotExist:
            return news.of_flavor(Kind.FLAVOR_DELETED, name)


class _Pools:
    def __init__(self, pools: PoolsController, teller: _Teller) -> None:
        self._pools = pools
        self._tell = teller.tell

    def list(self, marker: str | None = None, limit: int = PAGE) -> Sequence[Pool]:
        return self._pools.list(marker, limit)

    def get_pools_by_flavor(self, flavor: str | None = None) -> Sequence[Pool]:
        return self._pools.get_pools_by_flavor(flavor)

    def find_serving(self, flavor: str | None) -> Sequence[Pool] | None:
        return self._pools.find_serving(flavor)

    def get(self, name: str) -> Pool:
        return self._pools.get(name)

    def exists(self, name: str) -> bool:
        return self._pools.exists(name)

    def capabilities(self, flavor: str | None = None, name: str | None = None) -> Sequence[str]:
        return self._pools.capabilities(flavor, name)

    def create(
        self,
        name: str,
        weight: int,
        uri: str,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._pools.create(name, weight, uri, flavor, options)
        self._tell([name])

    def update(self, name: str, **change: Any) -> Pool:
        changed = self._pools.update(name, **change)
        self._tell([name])
        return changed

    def delete(self, name: str) -> None:
        was = self._pools.exists(name)
        self._pools.delete(name)
        if was:
            self._tell([name])

    def drop_all(self) -> None:
        names = [pool.name for pool in self._pools.list(limit=0)]
        self._pools.drop_all()
        self._tell(names)


class _Flavors:
    def __init__(self, store: PoolStore, teller: _Teller) -> None:
        self._pools = store.pools
        self._flavors = store.flavors
        self._tell = teller.tell

    def list(
        self, project: str | None = None, marker: str | None = None, limit: int = PAGE
    ) -> Sequence[PoolFlavor]:
        return self._flavors.list(project, marker, limit)

    def get(self, name: str, project: str | None = None) -> PoolFlavor:
        return self._flavors.get(name, project)

    def exists(self, name: str, project: str | None = None) -> bool:
        return self._flavors.exists(name, project)

    def create(
        self,
        name: str,
        project: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> None:
        before = self._pools_of(name)
        self._flavors.create(name, project, capabilities, pools)
        self._tell(sorted(before ^ self._pools_of(name)), [name])

    def update(self, name: str, project: str | None = None, **change: Any) -> PoolFlavor:
        before = self._pools_of(name)
        changed = self._flavors.update(name, project, **change)
        self._tell(sorted(before ^ self._pools_of(name)), [name])
        return changed

    def delete(self, name: str, project: str | None = None, *, release: bool = False) -> None:
        was = self._flavors.exists(name, project)
        before = self._pools_of(name)
        self._flavors.delete(name, project, release=release)
        if was:
            self._tell(sorted(before ^ self._pools_of(name)), [name])

    def drop_all(self) -> None:
        names = [flavor.name for flavor in self._flavors.list(limit=0)]
        self._flavors.drop_all()
        self._tell((), names)

    def _pools_of(self, name: str) -> set[str]:
        return {pool.name for pool in self._pools.get_pools_by_flavor(name)}
