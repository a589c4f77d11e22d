"""Takes one claimed operation to its end: observe, plan, act, again.

Nothing is remembered between rounds but what the database and the nodes say, so an
operation that lost its worker goes on wherever it was.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from slotwright import log
from slotwright.domain import slots
from slotwright.domain.actions import Action, Plan
from slotwright.domain.clusters import Operation
from slotwright.domain.desired import Desired, desired_cluster
from slotwright.domain.diagnosis import ailments
from slotwright.domain.errors import (
    LeaseLost,
    SlotwrightError,
    StaleEpoch,
    StateDamaged,
    StorageUnavailable,
)
from slotwright.domain.observed import Observed
from slotwright.domain.slots import SlotRange
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from slotwright.domain.topology import NodeStatus
from slotwright.storage.base import Claim, ManagementStore
from taskmanager.action_runner import ActionRunner, Failed, Work
from taskmanager.ports import Clock, Fanout, Guests, Waiter
from taskmanager.strategy import TaskManagerStrategy

LOG = logging.getLogger(__name__)

#: Kinds whose half-done state is undone when they fail.
REVERTED = frozenset({OperationKind.CREATE, OperationKind.GROW, OperationKind.SHRINK})


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an operation waits for what; all in seconds."""

    budget: float  # of leased time, then it is given up
    patience: float  # for a silent agent of a node that is to go
    poll: float = 0.1  # between looks at something that is awaited
    nudge: float = 2.0  # between looks after silent agents


@dataclass(slots=True)
class Trouble:
    """What failed in the last round that did something: for people, decides nothing."""

    complaints: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f': {self.complaints[0]}' if self.complaints else ''


class OperationRunner:
    """Runs claimed operations; one instance serves all of a worker's threads."""

    def __init__(
        self,
        store: ManagementStore,
        guests: Guests,
        actions: ActionRunner,
        strategy: TaskManagerStrategy,
        fanout: Fanout,
        waiter: Waiter,
        clock: Clock,
        timing: Timing,
    ) -> None:
        self._store = store
        self._guests = guests
        self._actions = actions
        self._strategy = strategy
        self._fanout = fanout
        self._waiter = waiter
        self._clock = clock
        self._timing = timing

    def run(self, claim: Claim, stopping: Callable[[], bool]) -> None:
        """Work on the operation until it ends, ``stopping`` says so, or it is lost.

        An operation that is stopped is given back; one whose lease is lost, or whose
        database is away, is left to whoever claims it next.
        """
        try:
            self._run(claim, stopping)
        except (LeaseLost, StaleEpoch) as error:
            LOG.info('Operation %s is in other hands: %s', claim.operation_id, error)
        except StorageUnavailable as error:
            LOG.warning('Operation %s waits for the database: %s', claim.operation_id, error)

    def _run(self, claim: Claim, stopping: Callable[[], bool]) -> None:
        nudged = self._clock()
        trouble = Trouble()
        while not stopping():
            nudge = self._clock() - nudged >= self._timing.nudge
            if nudge:
                nudged = self._clock()
            if self._round(claim, nudge, trouble):
                return
        self._store.release(claim)

    def _round(self, claim: Claim, nudge: bool, trouble: Trouble) -> bool:
        """One look and what follows from it; True when the operation has ended."""
        work = self._load(claim)
        with log.about(work.operation.request_id, work.cluster.id):
            return self._take_step(work, nudge, trouble)

    def _take_step(self, work: Work, nudge: bool, trouble: Trouble) -> bool:
        if _lacks_layout(work.operation):
            return self._lay_out(work)
        observed = self._observe(work, trouble)
        desired = desired_cluster(
            work.cluster,
            work.operation,
            nudge=nudge,
            impatient=work.operation.spent > self._timing.patience,
        )
        plan = self._strategy.plan(desired, observed)
        self._record(work, plan, trouble)
        if plan.done:
            self._finish(work, desired, observed)
            return True
        failure = plan.failure
        if not failure and work.operation.spent > self._timing.budget:
            waited = plan.waiting or 'the nodes to take what they were told'
            failure = f'gave up after {work.operation.spent:.0f} s of waiting for {waited}{trouble}'
        if not failure and plan.actions:
            failure = self._act(work, plan, trouble)
        elif not failure:
            self._waiter.wait(self._timing.poll)
        if not failure:
            return False
        trouble.complaints = ()
        if desired.look_only:  # what was seen is the answer, whatever could not be mended
            self._finish(work, desired, observed)
            return True
        return self._give_up(work, failure)

    def _load(self, claim: Claim) -> Work:
        """The operation as it is now."""
        cluster = self._store.load(claim)
        if cluster.operation is None:
            raise ValueError(f'cluster {cluster.id} was loaded without its operation')
        return Work(claim, cluster, cluster.operation)

    def _lay_out(self, work: Work) -> bool:
        """Have the strategy say who gets which slots, and store it for good."""
        count = len(work.cluster.instances)
        layout = [list(r) for r in self._strategy.layout(count)]
        if len(layout) != count or not slots.covers_once(SlotRange(*r) for r in layout):
            name = type(self._strategy).__name__
            return self._give_up(
                work, f'{name} does not give each of 16384 slots to one of {count}'
            )
        self._store.update_operation(work.claim, detail={'layout': layout})
        return False

    def _observe(self, work: Work, trouble: Trouble) -> dict[str, NodeStatus | None]:
        """Ask all agents that were ever heard of, side by side."""
        answers = self._fanout(
            {
                i.id: partial(self._guests.node(i.id).status, self._actions.context(work))
                for i in work.cluster.instances
                if i.address and i.reported
            }
        )
        observed: dict[str, NodeStatus | None] = {}
        damaged = [
            f'{work.instance(instance_id).name}: {answer}'
            for instance_id, answer in answers.items()
            if isinstance(answer, StateDamaged)
        ]
        if damaged:
            trouble.complaints = tuple(damaged)
        for instance_id, answer in answers.items():
            if isinstance(answer, (StaleEpoch, LeaseLost)):
                raise answer
            if isinstance(answer, SlotwrightError):
                LOG.debug('Instance %s does not tell its status: %s', instance_id, answer)
                observed[instance_id] = None
            elif isinstance(answer, Exception):
                raise answer
            else:
                observed[instance_id] = NodeStatus.from_wire(answer)
        news = {
            i.id: node_id
            for i in work.cluster.instances
            if i.node_id is None and (status := observed.get(i.id)) and (node_id := status.node_id)
        }
        if news:
            self._store.set_node_ids(work.claim, news)
        return observed

    def _record(self, work: Work, plan: Plan, trouble: Trouble) -> None:
        """Store how far the operation is, when that changed."""
        operation = work.operation
        message = f'waiting for {plan.waiting}' if plan.waiting else _describe(plan.actions)
        if message:
            message += str(trouble)
        done, total = plan.progress if plan.progress[1] else (operation.done, operation.total)
        if (done, total, message) != (operation.done, operation.total, operation.message):
            LOG.info('%s %s/%s: %s', operation.kind, done, total, message)
            self._store.update_operation(work.claim, done=done, total=total, message=message)

    def _act(self, work: Work, plan: Plan, trouble: Trouble) -> str:
        """Run a round; answers why the operation cannot succeed any more, or ''."""
        # Of one node in order, as the plan has them: with all at once, one that others wait for
        # would stand in line behind those that nobody does.
        by_node: dict[str, list[Action]] = {}
        for action in plan.actions:
            by_node.setdefault(action.instance_id, []).append(action)
        outcomes: Mapping[str, Failed | Exception | None] = self._fanout(
            {
                instance_id: partial(self._actions.run, work, actions)
                for instance_id, actions in by_node.items()
            }
        )
        complaints = []
        for outcome in outcomes.values():
            if outcome is None:
                continue
            if isinstance(outcome, Exception):
                raise outcome
            action, error = outcome.action, outcome.error
            if isinstance(error, (StaleEpoch, LeaseLost, StorageUnavailable)):
                raise error
            complaint = f'{work.instance(action.instance_id).name}: {error}'
            complaints.append(complaint)
            # Said once, however often it is tried again.
            level = logging.DEBUG if complaint in trouble.complaints else logging.WARNING
            LOG.log(level, '%s failed, %s', type(action).__name__, complaint)
            if error.permanent:
                return complaint
        trouble.complaints = tuple(complaints)
        if complaints:
            self._waiter.wait(self._timing.poll)
        return ''

    def _give_up(self, work: Work, failure: str) -> bool:
        """Start reverting what was begun, or end as failed; True when ended."""
        operation = work.operation
        if operation.state is OperationState.RUNNING and operation.kind in REVERTED:
            LOG.warning('Operation %s is reverted: %s', operation.id, failure)
            self._store.update_operation(
                work.claim, state=OperationState.REVERTING, reason=failure, reset_spent=True
            )
            return False
        reason = f'{operation.reason}; reverting it failed: {failure}'
        if operation.state is OperationState.RUNNING:
            reason = failure
        LOG.error('Operation %s failed: %s', operation.id, reason)
        unsure = dict.fromkeys(operation.instance_ids, InstanceStatus.ERROR)
        statuses = {i.id: unsure[i.id] for i in work.cluster.instances if i.id in unsure}
        self._store.finish(work.claim, OperationState.FAILED, reason=reason, statuses=statuses)
        return True

    def _finish(self, work: Work, desired: Desired, observed: Observed) -> None:
        """The post-condition holds: end as completed, or as failed and reverted."""
        operation = work.operation
        if desired.look_only:
            self._finish_look(work, ailments(desired, observed))
            return
        reverted = operation.state is OperationState.REVERTING
        named = set(operation.instance_ids)
        # Placed members that the operation was about are in the cluster and well.
        statuses = {
            i.id: InstanceStatus.ACTIVE
            for i in work.cluster.instances
            if i.id in named and i.address
        }
        self._store.finish(
            work.claim,
            OperationState.FAILED if reverted else OperationState.COMPLETED,
            reason=operation.reason,
            statuses=statuses,
            delete_cluster=operation.kind is OperationKind.DELETE,
        )
        LOG.info('Operation %s (%s) ended', operation.id, operation.kind)

    def _finish_look(self, work: Work, ailing: Mapping[str, str]) -> None:
        """Have the members' statuses say what was seen; failed unless all are well."""
        members = work.cluster.instances
        faults = dict(ailing)
        for member in members:
            if member.fault and member.address is None:  # why it has no place says more
                faults[member.id] = member.fault
        sick = [f'{m.name}: {faults[m.id]}' for m in members if m.id in ailing]
        reason = f'{len(sick)} of {len(members)} members are not well: ' + '; '.join(sick)
        self._store.finish(
            work.claim,
            OperationState.FAILED if sick else OperationState.COMPLETED,
            reason=reason if sick else None,
            statuses={
                m.id: InstanceStatus.ERROR if m.id in ailing else InstanceStatus.ACTIVE
                for m in members
            },
            faults=faults,
        )
        LOG.info('Cluster %s was looked at: %s', work.cluster.id, reason if sick else 'all well')


def _lacks_layout(operation: Operation) -> bool:
    return (
        operation.kind is OperationKind.CREATE
        and operation.state is OperationState.RUNNING
        and 'layout' not in operation.detail
    )


def _describe(actions: tuple[Action, ...]) -> str:
    """What a round does, for people: 'Join 3, Complete 1'."""
    counts: dict[str, int] = {}
    for action in actions:
        name = type(action).__name__
        counts[name] = counts.get(name, 0) + 1
    return ', '.join(f'{name} {count}' for name, count in counts.items())
