"""From one management store to another, for when the driver is changed."""

from slotwright.storage.management import PoolStore


def copy_missing(source: PoolStore, target: PoolStore) -> tuple[int, int]:
    """Make the pools and flavors of ``source`` that ``target`` lacks; how many of each.

    What ``target`` has stays as it is, so to go on after an error is to do it again. The
    catalogue is not copied: it tells where instances are, and those do.

    :raises NameCollision: for a name that ``target`` has for something else.
    """
    pools = [pool for pool in source.pools.list(limit=0) if not target.pools.exists(pool.name)]
    for pool in pools:
        target.pools.create(pool.name, pool.weight, pool.uri, pool.flavor, pool.options)
    flavors = [
        flavor for flavor in source.flavors.list(limit=0) if not target.flavors.exists(flavor.name)
    ]
    for flavor in flavors:
        target.flavors.create(flavor.name, flavor.project, flavor.capabilities)
    return len(pools), len(flavors)
