"""What may be done to an instance, and a round of it.

Every action is idempotent: "already so" is success. What runs them is in
``taskmanager/action_runner.py``.
"""

from dataclasses import dataclass, field

from slotwright.domain.slots import SlotRange
from slotwright.domain.topology import Address


@dataclass(frozen=True, slots=True)
class Action:
    """One idempotent step on one instance."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class Provision(Action):
    """Give the instance a place and see that its agent runs."""


@dataclass(frozen=True, slots=True)
class Prepare(Action):
    """Have the agent configure and start its Redis."""


@dataclass(frozen=True, slots=True)
class AddSlots(Action):
    slots: SlotRange


@dataclass(frozen=True, slots=True)
class SetConfigEpoch(Action):
    config_epoch: int


@dataclass(frozen=True, slots=True)
class BumpEpoch(Action):
    """Tell a master apart from another one with the same config epoch."""


@dataclass(frozen=True, slots=True)
class Join(Action):
    """Meet ``peers`` and wait until the node knows exactly ``members`` and is ok."""

    peers: tuple[tuple[str, Address], ...]  # (node id, address)
    members: tuple[tuple[str, tuple[SlotRange, ...]], ...]  # (node id, slots)
    forming: bool


@dataclass(frozen=True, slots=True)
class RestoreSettings(Action):
    """Put settings back that were changed for forming."""


@dataclass(frozen=True, slots=True)
class SetUsers(Action):
    tenant_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Complete(Action):
    """Tell the agent that the cluster is complete."""


@dataclass(frozen=True, slots=True)
class Retire(Action):
    """Lock the tenant out of a node that leaves and check it once more."""


@dataclass(frozen=True, slots=True)
class Forget(Action):
    node_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dismantle(Action):
    """Stop and wipe the instance, and give back its place.

    ``reset``: with CLUSTER RESET first, which refuses while the node holds keys.
    """

    reset: bool


@dataclass(frozen=True, slots=True)
class Abandon(Action):
    """Leave a tombstone for an agent that does not answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The next round. Done when there is nothing to run, to wait for, or to report."""

    actions: tuple[Action, ...] = ()
    waiting: str = ''
    failure: str = ''
    progress: tuple[int, int] = (0, 0)

    @property
    def done(self) -> bool:
        return not (self.actions or self.waiting or self.failure)
