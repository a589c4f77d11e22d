"""The pools that new members may go to.

The pools of the flavor; when it has none, those without a flavor. While there are no pools at all,
instances run where ``[taskmanager] provisioner`` says.
"""

import logging
from collections.abc import Collection, Sequence

from slotwright.domain.errors import InvalidRequest, NoRoom
from slotwright.domain.placement import Placement
from slotwright.domain.pools import Pool
from slotwright.domain.targets import check_pool
from slotwright.storage.base import FlavorStore
from slotwright.storage.management import PoolsController

LOG = logging.getLogger(__name__)


class Places:
    """What ``ClusterService`` asks where members may go. Safe for use by many threads."""

    def __init__(self, pools: PoolsController, flavors: FlavorStore) -> None:
        self._pools = pools
        self._flavors = flavors

    def for_members(
        self, flavor_ids: Collection[str], version: str, locality: str | None
    ) -> Placement | None:
        """The pools for members of these flavors, or None where there are no pools.

        Members of several flavors share the pools that have none.

        :raises NoRoom: there are pools, but none of them is for these members.
        """
        names = [self._flavors.get_flavor(flavor_id).name for flavor_id in set(flavor_ids)]
        found: Sequence[Pool] = ()
        if len(names) == 1:
            found = self._pools.get_pools_by_flavor(names[0])
        found = found or self._pools.get_pools_by_flavor()
        if found:
            skipped = {pool.name: why for pool in found if (why := _flaw(pool))}
            usable = [pool for pool in found if pool.name not in skipped]
            return Placement(usable, version=version, locality=locality, skipped=skipped)
        if not self._pools.list(limit=1):
            return None
        raise NoRoom(
            f'No pool is for flavor {" or ".join(sorted(names))}: give one of the pools that '
            'flavor, or none.'
        )


def _flaw(pool: Pool) -> str:
    """What keeps the pool from taking anything; '' when it is fine."""
    try:
        check_pool(pool.uri, pool.options)
    except InvalidRequest as error:
        LOG.warning('Pool %s takes nothing: %s', pool.name, error)
        return str(error).rstrip('.')
    return ''
