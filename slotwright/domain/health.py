"""Whether nodes are one healthy cluster: the post-condition of every operation."""

from collections.abc import Sequence
from itertools import pairwise

from slotwright.domain import slots
from slotwright.domain.topology import NodeStatus


def disagreement(statuses: Sequence[NodeStatus]) -> str:
    """Why these nodes are not one healthy cluster; '' when they are.

    They are when everyone knows exactly everyone, sees the same owner for every one of
    the 16384 slots, holds nobody for failing, has no slot open, and says ok.
    """
    ids = {s.node_id for s in statuses}
    alone = (_trouble_at(status, ids) for status in statuses)
    return next((trouble for trouble in alone if trouble), '') or _trouble_among(statuses)


def _trouble_at(status: NodeStatus, ids: set[str | None]) -> str:
    name = (status.node_id or '?')[:8]
    if any(n.in_handshake for n in status.peers):
        return f'node {name} to finish its handshakes'
    if {n.node_id for n in status.nodes} != ids:
        return f'node {name} to know all {len(ids)} nodes and nobody else'
    if any(n.suspected for n in status.nodes):
        return f'node {name} to reach everyone'
    if status.open_slots:
        return f'node {name} to close its open slots'
    return ''


def _trouble_among(statuses: Sequence[NodeStatus]) -> str:
    maps = [s.slot_map for s in statuses]
    if any(left != right for left, right in pairwise(maps)):
        return 'the nodes to agree on the slot map'
    if not maps or not slots.covers_once(r for owned in maps[0].values() for r in owned):
        return 'every slot to have an owner'
    if not all(s.state_ok for s in statuses):
        return 'every node to say that the cluster is ok'
    return ''
