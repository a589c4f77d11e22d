"""The ``inventory`` provisioner: instances on hosts that enrolled.

A host is taken in the database and nowhere else: its agent learns of the instance with its
next announcement, serves it, wipes it on command, and is free again with the instance's
place. Nothing is started from here, so nothing is left behind by a taskmanager that dies.
"""

from slotwright.domain import targets
from slotwright.domain.clusters import Instance
from slotwright.domain.errors import NotEnoughHosts, Unavailable
from slotwright.storage.base import Claim, ManagementStore


class InventoryProvisioner:
    """See ``taskmanager.ports.Provisioner``.

    :param group: the hosts that instances without a pool get; '' when those run elsewhere. The
        others get hosts of the group that their pool's uri names.
    :param silence: seconds after which a host that is not heard of is not taken.
    :param patience: seconds of work for which too few hosts are waited for, when enough
        could come back.
    """

    def __init__(self, store: ManagementStore, group: str, silence: float, patience: float) -> None:
        self._store = store
        self._group = group
        self._silence = silence
        self._patience = patience

    def provision(self, claim: Claim, instance: Instance) -> None:
        """Take hosts for all of the cluster's members of that group without one, or for none.

        :raises NotEnoughHosts: and will not be; nothing is held.
        :raises Unavailable: not enough now; nothing is held.
        """
        if instance.address is not None:
            return  # its host announces itself again, when it can
        group = self._group
        if instance.pool_uri:
            _, group = targets.split(instance.pool_uri)
        shortage = self._store.take_hosts(
            claim, group, self._silence, poolless=group == self._group
        )
        if shortage is None:
            return
        operation = self._store.load(claim).operation
        waited = operation.spent if operation else 0.0
        if shortage.may_pass and waited <= self._patience:
            raise Unavailable(str(shortage))
        raise NotEnoughHosts(str(shortage))

    def destroy(self, instance: Instance) -> None:
        """Nothing is left: the agent has wiped the instance."""

    def tend(self) -> None:
        """Hosts see after their agents themselves."""

    def close(self) -> None:
        """Nothing is held."""
