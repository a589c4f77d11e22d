"""Instances move as ``domain/states.py`` says, and in no other way."""

import sqlalchemy as sa

from slotwright.domain import errors
from slotwright.domain.states import INSTANCE_TRANSITIONS, InstanceStatus, OperationKind
from slotwright.storage.base import NewOperation
from tests.controlplane import PROJECT, ControlPlane
from tests.unit.test_taskmanager_operations import OperationTestCase

RECORDER = """
    CREATE TRIGGER recorder AFTER UPDATE OF status ON instances WHEN old.status != new.status
    BEGIN INSERT INTO moves VALUES (old.status, new.status); END
"""


class InstanceStatusTest(OperationTestCase):
    """Every kind of operation, ended well and badly, with the database writing it down."""

    def plane(self) -> ControlPlane:  # type: ignore[override]
        plane = super().plane()
        self.engines.append(plane.store.database.engine)
        with self.engines[-1].begin() as connection:
            connection.exec_driver_sql('CREATE TABLE moves (before TEXT, after TEXT)')
            connection.exec_driver_sql(RECORDER)
        return plane

    def moves(self) -> set[tuple[str, str]]:
        found = set()
        for engine in self.engines:
            with engine.connect() as connection:
                rows = connection.exec_driver_sql('SELECT before, after FROM moves')
                found |= {(before, after) for before, after in rows}
        return found

    def test_moves(self) -> None:
        self.engines: list[sa.Engine] = []
        self.live_and_die()
        self.fail_to_create()
        self.fail_to_grow()
        self.fail_to_shrink()
        self.reset_and_force()
        allowed = {
            (before.value, after.value)
            for before, following in INSTANCE_TRANSITIONS.items()
            for after in following
        }
        self.assertEqual(allowed, self.moves())

    def test_every_status_has_a_row(self) -> None:
        self.assertEqual(set(InstanceStatus), set(INSTANCE_TRANSITIONS))

    def live_and_die(self) -> None:
        plane, cluster = self.created(2)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
        plane.work()
        plane.begin(cluster.id, OperationKind.SHRINK, (grown.instances[-1].id,))
        plane.work()
        plane.begin(cluster.id, OperationKind.DELETE)
        plane.work()

    def fail_to_create(self) -> None:
        plane = self.plane()
        cluster = plane.create(2)
        self.refuse(plane, cluster.instances[0].id, 'prepare')
        plane.work()
        plane.begin(cluster.id, OperationKind.DELETE)
        plane.work()

    def fail_to_grow(self) -> None:
        plane, cluster = self.created(1)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=1)
        self.refuse(plane, grown.instances[-1].id, 'prepare')
        plane.work()

    def fail_to_shrink(self) -> None:
        plane, cluster = self.created(1)
        grown = plane.begin(cluster.id, OperationKind.GROW, new=2)
        plane.work()
        refused, broken = (i.id for i in grown.instances[-2:])
        plane.model.nodes[refused].keys = 1
        plane.begin(cluster.id, OperationKind.SHRINK, (refused,))
        plane.work()
        # It will not go, and cannot be taken back either: it is another Redis node by now.
        self.refuse(plane, broken, 'retire', 'leave')
        plane.model.nodes[broken].node_id = 'f' * 40
        plane.begin(cluster.id, OperationKind.SHRINK, (broken,))
        plane.work()

    def reset_and_force(self) -> None:
        plane, cluster = self.created(1)
        node = plane.model.nodes[cluster.instances[0].id]
        for node.running in (False, True):
            plane.begin(cluster.id, OperationKind.RESET_STATUS)
            plane.work()
        plane.begin(cluster.id, OperationKind.GROW, new=1)
        operation = NewOperation(plane.new_id(), OperationKind.DELETE, 'req-3')
        plane.store.begin_operation(
            PROJECT, cluster.id, operation, supersedes=(OperationKind.GROW,)
        )
        plane.work()

    def refuse(self, plane: ControlPlane, victim: str, *methods: str) -> None:
        """From here on the guest fails these commands for good."""
        earlier = plane.model.before

        def before(instance_id: str, method: str) -> None:
            earlier(instance_id, method)
            if instance_id == victim and method in methods:
                raise errors.EngineFailed('it does not work')

        plane.model.before = before
