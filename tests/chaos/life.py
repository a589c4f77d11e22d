"""One deployment through create, grow, shrink and delete, with a kill in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import fixtures
import redis

from tests.chaos.hook.crashplan import NEVER, CrashPlan
from tests.chaos.snapshot import Observer, Snapshot, differences
from tests.deployment import Deployment, cluster_body, members
from tests.guarded import Process, wait_until

ROOT = Path(__file__).parents[2]
HOOK = Path(__file__).with_name('hook')
KINDS = ('create', 'grow', 'shrink', 'delete')
PATIENCE = 120.0  # seconds that a test waits for an end that should come within ten
#: A killed agent is waited for in vain only so long, and its node is never given up.
OPTIONS: Mapping[str, Mapping[str, object]] = {
    'taskmanager': {'patience': 60},
    'rpc': {'agent_high_timeout': 8},
}


@dataclass(frozen=True)
class Phase:
    """What one operation came to."""

    snapshot: Snapshot
    events: Sequence[str]


class Life(fixtures.Fixture):
    """A deployment whose ``role`` can be killed at the Nth event of each operation.

    A taskmanager that is gone is started again, as an operator's service manager does.
    Agents are the taskmanager's own care.
    """

    def __init__(self, broker: str, role: str) -> None:
        super().__init__()
        self._broker = broker
        self._role = role
        self._cluster_id = ''

    def _setUp(self) -> None:
        plan = Path(self.useFixture(fixtures.TempDir()).path) / 'plan'
        self._plan = CrashPlan(plan)
        self._plan.disarm()
        environment = {'PYTHONPATH': f'{HOOK}:{ROOT}', 'SLOTWRIGHT_CRASH': str(plan)}
        self.plane = self.useFixture(
            Deployment(self._broker, options=OPTIONS, environment=environment)
        )
        self._observer = Observer(self.plane)
        self.addCleanup(self._observer.close)

    def pass_through(
        self, kind: str, number: int = NEVER, expected: Snapshot | None = None
    ) -> Phase:
        """Run one operation, killed at the given event, to its end.

        :param expected: the state to end in; any, when not given
        :raises TimeoutError: telling how the state that it ended in differs
        """
        self._plan.arm(self._role, number)
        self._request(kind)
        self._wait(self._settled, f'the {kind} to end')
        self._wait(self._complete, f'all agents to run after the {kind}')
        snapshot = self._snapshot(expected)
        if kind != 'delete' and (complaint := self._observer.check()):
            raise AssertionError(f'redis-cli --cluster check: {complaint}')
        events = self._plan.events()
        self._plan.disarm()
        return Phase(snapshot, events)

    def events(self) -> Sequence[str]:
        """What was counted in the operation so far."""
        return self._plan.events()

    def logs(self) -> str:
        """The ends of the logs of all taskmanagers and agents there were."""
        texts = [p.log_tail().decode(errors='replace') for p in self.plane.taskmanagers]
        for log in sorted(self.plane.data_dir.glob('*/agent.log')):
            texts.append(f'-- {log.parent.name}\n{log.read_text(errors="replace")[-4000:]}')
        return '\n'.join(texts)

    def _request(self, kind: str) -> None:
        """Until it is accepted: a silent node has a shrink refused, and nothing stored."""
        self._wait(lambda: self._ask(kind) == 202, f'the {kind} to be accepted')

    def _ask(self, kind: str) -> int:
        api = self.plane.api
        if kind == 'create':
            status, body = api('POST', '/clusters', {'cluster': cluster_body(2)})
            self._cluster_id = body['cluster']['id'] if status == 202 else ''
            return status
        path = f'/clusters/{self._cluster_id}'
        if kind == 'delete':
            return api('DELETE', path)[0]
        newest = self._observer.members()[-1].id
        action = {'grow': members(1)} if kind == 'grow' else {'shrink': [{'id': newest}]}
        return api('POST', f'{path}/action', action)[0]

    def _settled(self) -> bool:
        cluster = self.plane.api.cluster(self._cluster_id)
        return cluster is None or cluster['task']['name'] == 'NONE'

    def _complete(self) -> bool:
        """Every member's agent runs, and has reported after all did; no other runs."""
        wanted = {member.id for member in self._observer.members()}
        if set(self.plane.agent_pids()) != wanted:
            return False
        now = datetime.now(UTC).replace(tzinfo=None)
        self._wait(
            lambda: all(m.reported and m.reported > now for m in self._observer.members()),
            'heartbeats of all agents',
        )
        return set(self.plane.agent_pids()) == wanted

    def _snapshot(self, expected: Snapshot | None) -> Snapshot:
        """The state there is, when it is the expected one or stays another."""
        found: list[Snapshot] = []

        def as_expected() -> bool:
            try:
                found[:] = [self._observer.snapshot()]
            except (redis.RedisError, OSError):
                return False
            return expected is None or found[0] == expected

        try:
            self._wait(as_expected, 'the expected state', timeout=60)
        except TimeoutError as error:
            found = found or [{}]
            raise TimeoutError(f'{error}\n{differences(expected or {}, found[0])}') from error
        return found[0]

    def _wait(self, ready: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        def tended() -> bool:
            self._tend()
            return ready()

        wait_until(tended, what, timeout)

    def _tend(self) -> None:
        taskmanagers: list[Process] = self.plane.taskmanagers
        if not taskmanagers[-1].is_running():
            taskmanagers.append(self.plane.start_taskmanager())
