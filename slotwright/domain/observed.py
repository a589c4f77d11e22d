"""Small questions about members and what was observed of them."""

from collections.abc import Iterable, Mapping, Sequence

from slotwright.domain.actions import Action, Provision
from slotwright.domain.desired import Desired, Member
from slotwright.domain.topology import NodeStatus

Observed = Mapping[str, NodeStatus | None]
"""Node statuses by instance id; None for a guest that did not answer."""


def seen(observed: Observed, member: Member) -> NodeStatus:
    """The status of a member that is known to have answered."""
    status = observed[member.instance_id]
    if status is None:
        raise ValueError(f'{member.instance_id} did not answer')
    return status


def running(observed: Observed, member: Member) -> bool:
    status = observed.get(member.instance_id)
    return status is not None and status.running


def node_id(member: Member, observed: Observed) -> str | None:
    status = observed.get(member.instance_id)
    return (status.node_id if status else None) or member.node_id


def epoch(observed: Observed, member: Member) -> int:
    me = seen(observed, member).me
    return me.config_epoch if me else 0


def nudges(desired: Desired, members: Iterable[Member]) -> tuple[Action, ...]:
    return tuple(Provision(m.instance_id) for m in members) if desired.nudge else ()


def names(members: Sequence[Member]) -> str:
    return ', '.join(m.name for m in members)
