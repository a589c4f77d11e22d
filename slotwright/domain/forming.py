"""Forming a cluster, and adding members to one.

What Redis needs (measured; see ``doc/architecture``): slots and config epochs on every
new node first, because a node's rejoin delay starts with its first slot and
SET-CONFIG-EPOCH fails once a node knows a peer; only then MEET, along a dense graph.
"""

from collections.abc import Iterable, Sequence

from slotwright.domain.actions import (
    Action,
    AddSlots,
    BumpEpoch,
    Complete,
    Join,
    Plan,
    Prepare,
    Provision,
    RestoreSettings,
    SetConfigEpoch,
    SetUsers,
)
from slotwright.domain.desired import Desired, Goal, Member
from slotwright.domain.health import disagreement
from slotwright.domain.observed import Observed, epoch, names, nudges, running, seen

#: Above so many nodes a full mesh of MEETs costs more than it brings.
DENSE_LIMIT = 64
RING = 10


def plan_formation(desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    """Bring up what is missing, then slots and epochs, then join, then finish."""
    progress = _progress(members, observed)
    for step in (_bring_up, _check_identity, _configure, _join, _settle):
        step_plan = step(desired, members, observed)
        if not step_plan.done:
            return Plan(step_plan.actions, step_plan.waiting, step_plan.failure, progress=progress)
    return Plan(progress=progress)


def _bring_up(desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    actions: list[Action] = []
    prepares: list[Action] = []
    missing = []
    for member in members:
        status = observed.get(member.instance_id)
        if status is not None and status.running:
            continue
        missing.append(member)
        if not member.placed and member.goal is Goal.KEEP:
            return Plan(failure=f'{member.name} has no Redis: it was never completed')
        if not member.placed:
            actions.append(Provision(member.instance_id))
        elif status is None:
            actions += nudges(desired, [member])
        elif member.goal is Goal.ADD:
            prepares.append(Prepare(member.instance_id))
        elif not status.prepared:
            # Its data are gone; making it anew would hide that.
            return Plan(failure=f'{member.name} lost all that it had on its host')
    if len(prepares) == len(missing):
        # All in one round, which is as long as its longest action: whoever came late would
        # wait for the whole start of the others' Redis, and then for its own.
        actions += prepares
    waiting = f'{names(missing)} to come up' if missing else ''
    return Plan(tuple(actions), waiting=waiting)


def _check_identity(_desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    """Nobody we do not know, and everybody who they were."""
    known = set()
    for member in members:
        current = seen(observed, member).node_id
        if member.node_id and member.node_id != current:
            return Plan(failure=f'{member.name} was Redis node {member.node_id}, is now {current}')
        known.add(current)
    for member in members:
        for node in seen(observed, member).peers:
            if node.node_id not in known and not node.in_handshake:
                return Plan(
                    failure=f'{member.name} knows a stranger: Redis node '
                    f'{node.node_id} at {node.address}'
                )
    return Plan()


def _configure(desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    """Slots and config epochs on every new node, before anybody meets."""
    # Slots first: the rejoin delay of the last node to have them is what all wait for.
    actions: list[Action] = []
    epochs: list[Action] = []
    highest = max(epoch(observed, m) for m in members)
    for member in members:
        if member.goal is not Goal.ADD:
            continue
        status = seen(observed, member)
        me = status.me
        if me is None:
            continue
        wanted = (member.slots,) if member.slots else ()
        if me.slots and not desired.serves and me.slots != wanted:
            return Plan(failure=f'{member.name} owns other slots than it was given')
        if member.slots and not me.slots:
            actions.append(AddSlots(member.instance_id, member.slots))
        if not me.config_epoch and not status.peers:
            highest += 1
            epochs.append(SetConfigEpoch(member.instance_id, highest))
    return Plan((*actions, *epochs))


def _join(desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    problem = disagreement([seen(observed, m) for m in members])
    if not problem:
        return Plan()
    everyone = tuple(
        (str(seen(observed, m).node_id), me.slots if (me := seen(observed, m).me) else ())
        for m in members
    )
    graph = meet_graph([m.goal is Goal.ADD for m in members])
    ids = {seen(observed, m).node_id for m in members}
    actions: list[Action] = []
    for index, member in enumerate(members):
        status = seen(observed, member)
        lacks = not ids <= {n.node_id for n in status.nodes}
        if member.goal is Goal.KEEP and not lacks:
            continue
        targets = graph[index] if member.goal is Goal.ADD else range(len(members))
        peers = tuple(
            (str(seen(observed, members[t]).node_id), address)
            for t in targets
            if t != index and (address := members[t].address)
        )
        actions.append(Join(member.instance_id, peers, everyone, forming=not desired.serves))
    return Plan(tuple(actions), waiting=problem)


def _settle(desired: Desired, members: Sequence[Member], observed: Observed) -> Plan:
    """Distinct config epochs, settings put back, users as wanted, guests told."""
    first_of_epoch: dict[int, str] = {}
    for member in members:
        first = first_of_epoch.setdefault(epoch(observed, member), member.instance_id)
        if first != member.instance_id:
            # One at a time: two that bump at once may meet again.
            return Plan((BumpEpoch(member.instance_id),), waiting='distinct config epochs')
    actions: list[Action] = list(users(desired, members, observed))
    for member in members:
        status = seen(observed, member)
        if not status.completed:
            actions.append(Complete(member.instance_id))
        elif status.forming:
            actions.append(RestoreSettings(member.instance_id))
    return Plan(tuple(actions))


def plan_users(desired: Desired, observed: Observed) -> Plan:
    """Only the tenant's user; every node has to be reached, none has to be well."""
    silent = [m for m in desired.members if not running(observed, m)]
    reached = [m for m in desired.members if running(observed, m)]
    waiting = f'{names(silent)} to answer' if silent else ''
    return Plan((*users(desired, reached, observed), *nudges(desired, silent)), waiting=waiting)


def users(desired: Desired, members: Iterable[Member], observed: Observed) -> Iterable[SetUsers]:
    """Tell those who obey another password than is wanted, or lock the tenant out."""
    for member in members:
        status = seen(observed, member)
        if status.tenant_hash != desired.tenant_hash or status.retired:
            yield SetUsers(member.instance_id, desired.tenant_hash)


def meet_graph(new: Sequence[bool]) -> list[list[int]]:
    """Whom each node is told to MEET, by index; ``new[i]`` says that node i joins.

    Every unordered pair with a new node in it once, spread evenly among the new ones; a
    ring of successors when there are many (measured: beyond 64 nodes a full mesh of
    MEETs is slower). Old nodes meet nobody.

    >>> meet_graph([True, True, True])
    [[1], [2], [0]]
    >>> meet_graph([False, False, True, True])
    [[], [], [0, 1, 3], [0, 1]]
    """
    joining = [index for index, is_new in enumerate(new) if is_new]
    old = [index for index, is_new in enumerate(new) if not is_new]
    count = len(joining)
    graph: list[list[int]] = [[] for _ in new]
    for position, index in enumerate(joining):
        graph[index] += old if len(new) <= DENSE_LIMIT else old[:RING]
        reach = (count - 1) // 2
        if count % 2 == 0 and position < count // 2:
            reach += 1
        if len(new) > DENSE_LIMIT:
            reach = min(reach, RING)
        graph[index] += [joining[(position + step) % count] for step in range(1, reach + 1)]
    return graph


def _progress(members: Sequence[Member], observed: Observed) -> tuple[int, int]:
    """Four steps a new member: a place, a Redis, its slots, and the cluster ok."""
    done = total = 0
    for member in members:
        if member.goal is not Goal.ADD:
            continue
        status = observed.get(member.instance_id)
        me = status.me if status else None
        total += 4
        done += member.placed
        done += status is not None and status.running
        done += bool(me and (me.slots or not member.slots) and me.config_epoch)
        done += status is not None and status.state_ok
    return done, total
