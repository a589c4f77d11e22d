"""Removing members: from a shrink, a failed grow, or with the whole cluster.

Redis forgets a slot owner without a word and bans a forgotten node for 60 s only. So a
node that leaves is locked and checked once more, everybody forgets it in one round, and
it is reset and wiped before it could be met again.
"""

from collections.abc import Mapping, Sequence

from slotwright.domain.actions import Abandon, Action, Dismantle, Forget, Plan, Retire
from slotwright.domain.desired import Desired, Goal, Member, OnData
from slotwright.domain.observed import Observed, names, node_id, nudges, running, seen


def sort_out(desired: Desired, observed: Observed) -> tuple[list[Member], list[Member]]:
    """Those who stay and those who go; a data holder stays when it is to be spared."""
    stay: list[Member] = []
    leave: list[Member] = []
    for member in desired.members:
        status = observed.get(member.instance_id)
        spared = desired.on_data is OnData.KEEP and status is not None and status.holds_data
        (leave if member.goal is Goal.REMOVE and not spared else stay).append(member)
    return stay, leave


def plan_removal(
    desired: Desired, keep: Sequence[Member], leaving: Sequence[Member], observed: Observed
) -> Plan:
    if not keep:
        return _dismantle_all(desired, leaving, observed)
    down = [m for m in keep if not running(observed, m)]
    if down:
        return Plan(nudges(desired, down), waiting=f'{names(down)} of the others to answer')

    ids = {m.instance_id: node_id(m, observed) for m in leaving}
    views = [node for m in keep for node in seen(observed, m).nodes]
    listed = {node.node_id for node in views}
    owning = {node.node_id for node in views if node.slots}
    owners = [m for m in leaving if ids[m.instance_id] in owning]
    holders = [m for m in leaving if (s := observed.get(m.instance_id)) and s.holds_data]
    if desired.on_data is OnData.REFUSE and (owners or holders):
        return Plan(failure=f'{names(owners or holders)} owns slots or holds keys')
    if owners:
        return Plan(waiting=f'the nodes to agree who owns the slots of {names(owners)}')

    # Those who leave forget one another too: one that is taken back must not bring a
    # wiped one along.
    going = [m for m in leaving if running(observed, m)]
    listed |= {node.node_id for m in going for node in seen(observed, m).peers}
    known = [m for m in leaving if ids[m.instance_id] in listed]
    if known:
        told = [*keep, *going]
        gone = {m.instance_id: str(ids[m.instance_id]) for m in known}
        return _plan_forget(desired, told, gone, known, observed)
    return _dismantle_all(desired, leaving, observed, reset=True)


def _plan_forget(
    desired: Desired,
    told: Sequence[Member],
    gone: Mapping[str, str],
    known: Sequence[Member],
    observed: Observed,
) -> Plan:
    """Retire all that are ``known`` still, then have everyone forget them in one round.

    Redis bans a forgotten node for 60 s only, so everyone has to forget at once.
    ``gone``: the Redis node ids of the known, by instance id.
    """
    silent = [m for m in known if not running(observed, m)]
    if silent and not (desired.impatient and desired.on_data is OnData.KEEP):
        return Plan(nudges(desired, silent), waiting=f'{names(silent)} to answer')
    unretired = tuple(
        Retire(m.instance_id)
        for m in known
        if running(observed, m) and not seen(observed, m).retired
    )
    if unretired:
        return Plan(unretired)
    forgets = []
    for member in told:
        others = {node_id for name, node_id in gone.items() if name != member.instance_id}
        if others:
            forgets.append(Forget(member.instance_id, tuple(sorted(others))))
    return Plan(tuple(forgets))


def _dismantle_all(
    desired: Desired, leaving: Sequence[Member], observed: Observed, reset: bool = False
) -> Plan:
    actions: list[Action] = []
    silent = []
    for member in leaving:
        status = observed.get(member.instance_id)
        if status is not None or not member.placed:
            wiped = status is None or not status.running
            actions.append(Dismantle(member.instance_id, reset=reset and not wiped))
        elif desired.impatient:
            actions.append(Abandon(member.instance_id))
        else:
            silent.append(member)
    waiting = f'{names(silent)} to answer' if silent else ''
    return Plan((*actions, *nudges(desired, silent)), waiting=waiting)
