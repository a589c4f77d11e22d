"""Kill the taskmanager, or an agent, at everything it does: the end is always the same.

First an undisturbed life of a cluster (create 2 masters, grow by 1, shrink by 1, delete)
counts what the role does in each operation: its N events, see hook/sitecustomize.py. Then
life after life is killed at one event in each operation, and has to end every operation
in the state of the undisturbed one.

SLOTWRIGHT_CHAOS says which events: ``all`` of them (``make chaos``, most of an hour), or
else about ``SAMPLE`` of each operation, evenly spread. A sample starts at an event that
moves on by one with each day, so some days in a row see them all; SLOTWRIGHT_CHAOS=<number>
repeats the sample of a day, which every failure names.
"""

import itertools
import os
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from tests import servers
from tests.base import TestCase
from tests.chaos.hook.crashplan import NEVER
from tests.chaos.life import KINDS, Life, Phase

SAMPLE = 8
LANES = 2  # lives at the same time; they mostly wait
DAY = 24 * 3600
#: How many more events than the undisturbed one an operation may have, and still be killed
#: at each of them: its rounds differ a little from run to run.
SLACK = 4

Kills = Mapping[str, int]


def choice() -> str:
    return os.environ.get('SLOTWRIGHT_CHAOS') or str(int(time.time() // DAY))


def chosen(count: int, choice: str) -> Sequence[int]:
    """Which of ``count`` events (and maybe some more) to kill at.

    >>> list(chosen(20, '0')), list(chosen(20, '1'))
    ([1, 4, 7, 10, 13, 16, 19], [2, 5, 8, 11, 14, 17, 20])
    """
    if choice == 'all':
        return range(1, count + SLACK + 1)
    stride = -(-count // SAMPLE)
    return range(1 + int(choice) % stride, count + 1, stride)


def lives(undisturbed: Mapping[str, Phase], choice: str) -> Iterator[Kills]:
    """The event to be killed at in each operation, for each life."""
    numbers = [chosen(len(undisturbed[kind].events), choice) for kind in KINDS]
    for row in itertools.zip_longest(*numbers, fillvalue=NEVER):
        yield dict(zip(KINDS, row, strict=True))


def tell(text: str) -> None:
    """Show how far a run of most of an hour is."""
    if choice() == 'all':
        sys.stderr.write(f'{text}\n')


class Lanes:
    """Goes through lives side by side and keeps what they came to."""

    def __init__(self, role: str, undisturbed: Mapping[str, Phase], todo: Iterator[Kills]) -> None:
        self._role = role
        self._undisturbed = undisturbed
        self._todo: queue.SimpleQueue[Kills | None] = queue.SimpleQueue()
        for kills in todo:
            self._todo.put(kills)
        self.failures: list[str] = []
        self.tried: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def run(self, brokers: Sequence[str]) -> None:
        """One lane for each virtual host; back when all lives are over."""
        threads = [threading.Thread(target=self._run, args=(url,), daemon=True) for url in brokers]
        for thread in threads:
            self._todo.put(None)
            thread.start()
        for thread in threads:
            thread.join()

    def table(self) -> str:
        lines = [f'{"role":12} {"operation":10} {"tried":>5} {"killed":>6} {"failed":>6}']
        lines += [
            f'{self._role:12} {kind:10} {self.tried[kind]:5} {self.killed[kind]:6} '
            f'{self.failed[kind]:6}'
            for kind in KINDS
        ]
        return '\n'.join(lines)

    def _run(self, broker: str) -> None:
        while (kills := self._todo.get()) is not None:
            try:
                with Life(broker, self._role) as life:
                    self._live(life, kills)
            except Exception as error:  # noqa: BLE001 - the lane goes on with the next
                self._failed(f'{kills}: {type(error).__name__}: {error}')

    def _live(self, life: Life, kills: Kills) -> None:
        for kind, number in kills.items():
            expected = self._undisturbed[kind].snapshot
            self.tried[kind] += number != NEVER
            try:
                phase = life.pass_through(kind, number, expected)
            except Exception as error:  # noqa: BLE001 - told with all that helps to find out
                self.failed[kind] += 1
                events = life.events()
                at = events[number - 1] if NEVER < number <= len(events) else 'no kill'
                self._failed(
                    f'{kind} {number}, {at}: {type(error).__name__}: {error}\n'
                    f'{life.logs()}\nall events: {events}'
                )
                return
            self.killed[kind] += NEVER < number <= len(phase.events)
        tell(f'{self._role} {kills}')

    def _failed(self, what: str) -> None:
        self.failures.append(what)
        tell(f'FAILED {what}')


class TaskManagerKillTest(TestCase):
    role: ClassVar[str] = 'taskmanager'
    timeout = 4 * 3600 if choice() == 'all' else 1200

    def test_every_operation_ends_as_if_nothing_had_happened(self) -> None:
        broker = servers.shared(servers.RabbitMQ)
        hosts = [broker.new_vhost() for _ in range(LANES)]
        with Life(hosts[0], self.role) as life:
            undisturbed = {kind: life.pass_through(kind) for kind in KINDS}
        self.assert_sound(undisturbed)
        lanes = Lanes(self.role, undisturbed, lives(undisturbed, choice()))
        lanes.run(hosts)
        tell(lanes.table())
        repeat = f'SLOTWRIGHT_CHAOS={choice()}\n{lanes.table()}\n'
        self.assertEqual([], lanes.failures, repeat + '\n\n'.join(lanes.failures))
        for kind in KINDS:
            self.assertGreater(lanes.killed[kind], lanes.tried[kind] / 2, repeat)

    def assert_sound(self, undisturbed: Mapping[str, Phase]) -> None:
        """What all others are compared with has to be right itself."""
        masters = {'create': 2, 'grow': 3, 'shrink': 2, 'delete': 0}
        for kind, phase in undisturbed.items():
            self.assertGreater(len(phase.events), 10, kind)
            found = phase.snapshot
            self.assertEqual(kind, found['operations'][-1]['kind'])
            self.assertEqual({'completed'}, {o['state'] for o in found['operations']})
            self.assertEqual(masters[kind], found['servers'])
            self.assertEqual(masters[kind], len(found['agents']))
            self.assertEqual(found['agents'], found['directories'])
            nodes = found['nodes']['of'].values()
            self.assertEqual(masters[kind], len(nodes))
            for node in nodes:
                owned = {slots for seen in node['sees'].values() for slots in seen['slots']}
                self.assertEqual(('ok', {'0-8191', '8192-16383'}), (node['state'], owned))
            statuses = [i['status'] for i in found['instances'] if i['status'] != 'DELETED']
            self.assertEqual(['ACTIVE'] * masters[kind], statuses)


class AgentKillTest(TaskManagerKillTest):
    role = 'agent'
