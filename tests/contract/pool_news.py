"""Some changes of pools and flavors, and what has to be told of them."""

import contextlib

from slotwright.domain.errors import PoolInUseByFlavor
from slotwright.storage.management import PoolStore

TOLD = [
    'Pool a is at local:// with weight 10.',
    'Pool b is at local:// with weight 1.',
    'Pool a is at local:// with weight 10 for flavor gold.',
    'Flavor gold has a.',
    'Pool a is at local:// with weight 10.',
    'Pool b is at local:// with weight 1 for flavor gold.',
    'Flavor gold has b.',
    'Pool b is at local:// with weight 0 for flavor gold.',
    'Pool a is deleted.',
    'Pool b is at local:// with weight 0.',
    'Flavor gold is deleted.',
    'Pool b is deleted.',
]


def change(store: PoolStore) -> None:
    """Everything that can be done, with what changes nothing among it."""
    store.pools.create('a', 10, 'local://', options={'ram': 9})
    store.pools.create('b', 1, 'local://')
    store.flavors.create('gold', pools=['a'])
    store.flavors.update('gold', pools=['b'], capabilities={'ram': 64})
    store.pools.update('b', weight=0)
    store.pools.delete('a')
    store.pools.delete('a')
    with contextlib.suppress(PoolInUseByFlavor):
        store.pools.delete('b')
    store.flavors.delete('gold', release=True)
    store.flavors.delete('gold')
    store.pools.drop_all()
