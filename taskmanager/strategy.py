"""What is particular to Redis about running an operation.

``[redis] taskmanager_strategy`` names the class; one from outside this tree works, if it
offers what ``TaskManagerStrategy`` names. Compose rather than inherit.
"""

from collections.abc import Sequence
from typing import Protocol

from slotwright.domain import slots
from slotwright.domain.actions import Plan
from slotwright.domain.desired import Desired
from slotwright.domain.observed import Observed
from slotwright.domain.plan import plan
from slotwright.domain.slots import SlotRange


class TaskManagerStrategy(Protocol):
    """The decisions of an operation; all pure."""

    def layout(self, masters: int) -> Sequence[SlotRange]:
        """The slots of each master of a new cluster, in order: all 16384 exactly once."""

    def plan(self, desired: Desired, observed: Observed) -> Plan:
        """The next round of actions; see ``slotwright.domain.plan``."""


class RedisTaskManagerStrategy:
    """Even slots; the plan of ``slotwright.domain``."""

    def layout(self, masters: int) -> Sequence[SlotRange]:
        return slots.split(masters)

    def plan(self, desired: Desired, observed: Observed) -> Plan:
        return plan(desired, observed)
