"""A whole control plane without threads or processes: real store, model nodes.

``ControlPlane`` runs operations with the real runner on SQLite, against the model
guests, in simulated time. ``crash_at`` kills the worker at its Nth guest command or
transaction, before or after it took effect; the next worker finds what is left.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from slotwright.domain.clusters import Cluster, Instance
from slotwright.domain.states import OperationKind
from slotwright.domain.topology import Address
from slotwright.storage.base import Claim, NewCluster, NewInstance, NewOperation
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager.action_runner import ActionRunner
from taskmanager.operation import OperationRunner, Timing
from taskmanager.strategy import RedisTaskManagerStrategy, TaskManagerStrategy
from tests.model import ModelCluster

PROJECT = 'demo'
HOST = 'host-1'
LEASE = 10.0


class Crash(BaseException):
    """The worker is killed: nothing of it runs after this."""


class CountingStore:
    """The store, whose Nth transaction may be the worker's last."""

    def __init__(self, store: SQLAlchemyStore, step: Callable[[], None]) -> None:
        self._store = store
        self._step = step

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._step()
            result = method(*args, **kwargs)
            self._step()
            return result

        return counted


class ModelProvisioner:
    """Places instances on made-up addresses; agents are model nodes."""

    def __init__(self, plane: 'ControlPlane') -> None:
        self._plane = plane

    def provision(self, claim: Claim, instance: Instance) -> None:
        plane = self._plane
        if instance.address is None:
            number = next(plane.addresses)
            address = Address(f'10.0.{number // 250}.{number % 250 + 1}', 6379, 16379)
            plane.counted.place_instance(claim, instance.id, HOST, address)
        plane.model.add(instance.id)
        plane.heartbeat(instance.id)

    def destroy(self, instance: Instance) -> None:
        self._plane.model.nodes.pop(instance.id, None)

    def tend(self) -> None:
        """Model agents need no care."""

    def close(self) -> None:
        """Nothing is held."""


class ControlPlane:
    """Everything there is, in one thread; the tables are at ``url`` already."""

    def __init__(self, url: str, strategy: TaskManagerStrategy | None = None) -> None:
        self.now = 1_000_000.0
        self.store = SQLAlchemyStore.connect(url, now=lambda: self.now)
        self.model = ModelCluster()
        self.counted: Any = CountingStore(self.store, self._step)
        self.addresses = itertools.count()
        self._ids = itertools.count()
        self.steps = 0
        self.crash_at = 0
        self.budget = 600.0
        provisioner = ModelProvisioner(self)
        actions = ActionRunner(
            self.counted, self, provisioner, self.new_id, lambda _: True, join_patience=1.0
        )
        self.runner = OperationRunner(
            self.counted,
            self,
            actions,
            strategy or RedisTaskManagerStrategy(),
            fanout=self._one_by_one,
            waiter=self,
            clock=lambda: self.now,
            timing=Timing(budget=self.budget, patience=30.0),
        )

    # What the runner is given.

    def node(self, instance_id: str) -> 'CountingGuest':
        return CountingGuest(self, instance_id)

    def wait(self, seconds: float) -> None:
        self.now += max(seconds, 1.0)
        self.model.now = self.now
        self.model.gossip()
        if self._claim is not None:
            self.store.renew([self._claim], LEASE)

    def new_id(self) -> str:
        return f'00000000-0000-4000-8000-{next(self._ids):012}'

    def _one_by_one(self, calls: Mapping[str, Callable[[], Any]]) -> Mapping[str, Any]:
        outcomes: dict[str, Any] = {}
        for key, call in calls.items():
            try:
                outcomes[key] = call()
            except Exception as error:  # noqa: BLE001 - as the port has it
                outcomes[key] = error
        self.model.gossip()
        return outcomes

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.crash_at:
            raise Crash

    # What a test does.

    def heartbeat(self, instance_id: str) -> None:
        node = self.model.nodes[instance_id]
        if node.agent_up:
            self.store.report(
                instance_id,
                running=node.running,
                node_id=node.node_id or None,
                volume_used=0.0,
                wiped=False,
            )

    def create(self, masters: int) -> Cluster:
        members = [NewInstance(self.new_id(), '1', 1) for _ in range(masters)]
        operation = NewOperation(
            self.new_id(), OperationKind.CREATE, 'req-1', tuple(m.id for m in members)
        )
        new = NewCluster(self.new_id(), PROJECT, 'c', 'redis', '3.0', secret='s' * 64)
        return self.store.create_cluster(new, members, operation)

    def begin(
        self, cluster_id: str, kind: OperationKind, instances: tuple[str, ...] = (), new: int = 0
    ) -> Cluster:
        members = [NewInstance(self.new_id(), '1', 1) for _ in range(new)]
        instances = instances or tuple(m.id for m in members)
        operation = NewOperation(self.new_id(), kind, 'req-2', instances)
        return self.store.begin_operation(PROJECT, cluster_id, operation, members)

    def work(self, owner: str = 'worker') -> None:
        """Claim and run whatever there is, once; a crash of the worker comes through."""
        for operation_id in self.store.list_claimable(10):
            self._claim = self.store.claim(operation_id, owner, LEASE)
            if self._claim is not None:
                self.runner.run(self._claim, lambda: False)

    def work_through_crash(
        self, crash_at: int, between: Callable[[], object] = lambda: None
    ) -> bool:
        """Work, be killed at the given step, and let a second worker go on.

        Answers whether there was a step so late, that is, whether it crashed. ``between``
        is what happens before the second worker comes, in any case.
        """
        self.steps, self.crash_at = 0, crash_at
        crashed = False
        try:
            self.work('first')
        except Crash:
            crashed = True
        self.crash_at = 0
        between()
        if crashed:
            self.now += LEASE + 1
        self.work('second')
        return crashed

    _claim: Claim | None = None


class CountingGuest:
    """A model guest, whose Nth command may be the worker's last."""

    def __init__(self, plane: ControlPlane, instance_id: str) -> None:
        self._plane = plane
        self._guest = plane.model.node(instance_id)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._guest, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._plane._step()
            result = method(*args, **kwargs)
            self._plane._step()
            return result

        return counted
