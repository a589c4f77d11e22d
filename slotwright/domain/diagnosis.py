"""What is wrong with a cluster, member by member: the truth that a reset of its status shows.

Other than ``health``, which asks whether all is well, this says who is well although others
are not: old members that serve while a new one never joined are well.
"""

from collections.abc import Mapping, Sequence

from slotwright.domain import slots
from slotwright.domain.actions import Action, Plan, RestoreSettings
from slotwright.domain.desired import Desired, Member
from slotwright.domain.forming import users
from slotwright.domain.observed import Observed, names, node_id, nudges, running, seen
from slotwright.domain.topology import NodeStatus


def plan_look(desired: Desired, observed: Observed) -> Plan:
    """Look at everyone, and put back what a given up operation left changed.

    That is settings lowered for forming, and a tenant locked out of a node that was to
    leave. Silent members are waited for until ``desired.impatient``.
    """
    if desired.impatient:
        return Plan()
    reached = [m for m in desired.members if running(observed, m)]
    actions: list[Action] = list(users(desired, reached, observed))
    actions += [RestoreSettings(m.instance_id) for m in reached if seen(observed, m).forming]
    silent = [m for m in desired.members if m.placed and observed.get(m.instance_id) is None]
    waiting = f'{names(silent)} to answer' if silent else ''
    return Plan((*actions, *nudges(desired, silent)), waiting=waiting)


def ailments(desired: Desired, observed: Observed) -> Mapping[str, str]:
    """What is wrong with each member, by instance id; those who are well are left out.

    A member is well when its Redis is the one on record, runs, says that the cluster is ok,
    sees an owner for each of the 16384 slots, knows nobody who is no member, and when all
    who are well know one another and agree on the slots.
    """
    ids = {node_id(m, observed) for m in desired.members}
    found = {
        m.instance_id: _absence(m, observed.get(m.instance_id))
        or _trouble(desired, seen(observed, m), ids)
        for m in desired.members
    }
    well = [m for m in desired.members if not found[m.instance_id]]
    found |= _among(well, observed)
    return {instance_id: ailment for instance_id, ailment in found.items() if ailment}


def _absence(member: Member, status: NodeStatus | None) -> str:
    """Why there is no Redis of ours to ask; '' when there is."""
    if not member.placed:
        return 'it has no place on any host'
    if status is None:
        return 'its agent does not answer'
    if not status.running:
        return 'its redis-server does not run'
    if member.node_id and member.node_id != status.node_id:
        return f'it was Redis node {member.node_id}, is now {status.node_id}'
    return ''


def _trouble(desired: Desired, status: NodeStatus, ids: set[str | None]) -> str:
    """What is wrong with a running node, as it sees itself and the others."""
    stranger = next((n for n in status.peers if n.node_id not in ids and not n.in_handshake), None)
    if stranger is not None:
        return f'it knows a stranger: Redis node {stranger.node_id} at {stranger.address}'
    owned = [r for ranges in status.slot_map.values() for r in ranges]
    if not slots.covers_once(owned):
        count = sum(r.last - r.first + 1 for r in owned)
        return f'it sees an owner for {count} of {slots.SLOT_COUNT} slots'
    if not status.state_ok:
        return 'it says that the cluster is not ok'
    if status.retired or status.tenant_hash != desired.tenant_hash:
        return "its tenant's user is not as wanted"
    return ''


def _among(well: Sequence[Member], observed: Observed) -> dict[str, str]:
    """What only shows when those who are well by themselves are compared."""
    statuses = {m.instance_id: seen(observed, m) for m in well}
    known = [{n.node_id for n in status.nodes} for status in statuses.values()]
    maps = [status.slot_map for status in statuses.values()]
    found = {}
    for instance_id, status in statuses.items():
        if any(status.node_id not in table for table in known):
            found[instance_id] = 'not all of the others know it'
        elif any(its != status.slot_map for its in maps):
            found[instance_id] = 'the nodes do not agree on who owns the slots'
    return found
