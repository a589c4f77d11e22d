"""What to do next so that a cluster becomes what it should be: the decision.

Slotwright is level-triggered. A worker observes all nodes, asks ``plan`` for the next
actions, runs them in parallel, and observes again, until the plan is done. Nothing here
remembers a step: whatever crashed half-way, looking again yields what is left to do.
All actions are idempotent, and a round holds only actions that may run in any order.
"""

from slotwright.domain.actions import Plan
from slotwright.domain.desired import Desired
from slotwright.domain.diagnosis import plan_look
from slotwright.domain.forming import plan_formation, plan_users
from slotwright.domain.observed import Observed
from slotwright.domain.removal import plan_removal, sort_out


def plan(desired: Desired, observed: Observed) -> Plan:
    """Decide the next round of actions.

    ``observed`` may lack members that were not asked; they count as silent.
    """
    if desired.users_only:
        return plan_users(desired, observed)
    if desired.look_only:
        return plan_look(desired, observed)
    keep, leaving = sort_out(desired, observed)
    if leaving:
        return plan_removal(desired, keep, leaving, observed)
    if not keep:
        return Plan()
    return plan_formation(desired, keep, observed)
