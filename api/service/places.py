"""The pools that new members may go to.

The pools of the flavor; when it has none, those without a flavor. While there are no pools at all,
instances run where ``[taskmanager] provisioner`` says.
"""

from collections.abc import Collection

from slotwright.domain.errors import NoRoom
from slotwright.domain.placement import Placement
from slotwright.storage.management import PoolsController


class Places:
    """What ``ClusterService`` asks where members may go. Safe for use by many threads."""

    def __init__(self, pools: PoolsController) -> None:
        self._pools = pools

    def for_members(
        self, flavors: Collection[str], version: str, locality: str | None
    ) -> Placement | None:
        """The pools for members of flavors of these names, or None where there are no pools.

        Members of several flavors share the pools that have none.

        :raises NoRoom: there are pools, but none of them is for these members.
        """
        names = sorted(set(flavors))
        found = self._pools.find_serving(names[0] if len(names) == 1 else None)
        if found is None:
            return None
        if found:
            return Placement(found, version=version, locality=locality)
        raise NoRoom(
            f'No pool is for flavor {" or ".join(names)}: give one of the pools that '
            'flavor, or none.'
        )
