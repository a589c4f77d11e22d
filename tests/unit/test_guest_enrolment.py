"""An enrolled host: who it is, and what it takes on."""

import os
import pathlib
import threading
import uuid
from typing import Any

import fixtures

from guestagent.directory import DirectoryInUse
from guestagent.enrolment import EnrolledHost, StateDirectory
from slotwright.domain.errors import Unavailable
from slotwright.domain.hosts import Announcement
from slotwright.domain.topology import Address
from tests.base import TestCase
from tests.guarded import wait_until

ADDRESS = Address('10.0.0.1', 6379, 16379)


class NotedAgent:
    """An agent by what the host sees of it."""

    def __init__(self, instance_id: str, directory: str) -> None:
        self.instance_id, self.directory = instance_id, directory
        self.ended = threading.Event()
        self.stopped = False
        self.wiped = False

    def start(self) -> None:
        pathlib.Path(self.directory, 'agent.json').touch()

    def wait(self, timeout: float) -> bool:
        return self.ended.wait(timeout)

    def wipe(self) -> None:
        os.unlink(os.path.join(self.directory, 'agent.json'))
        self.wiped = True

    def stop(self) -> None:
        self.stopped = True
        if self.wiped:
            os.rmdir(self.directory)


class Desk:
    """The taskmanager that hosts announce themselves to."""

    def __init__(self) -> None:
        self.given = ''
        self.away = False
        self.said: list[Any] = []

    def announce(self, context: Any, host_id: str, announcement: Any) -> dict[str, str]:
        if self.away:
            raise Unavailable('the broker is away')
        self.said.append((host_id, announcement['holds']))
        return {'instance_id': self.given}


class EnrolmentTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / 'state'
        self.desk = Desk()
        self.agents: list[NotedAgent] = []

    def host(self) -> EnrolledHost:
        """A started host; stopped at the end."""

        def agent(instance_id: str, directory: str) -> Any:
            self.agents.append(NotedAgent(instance_id, directory))
            return self.agents[-1]

        def describe(host_id: str, holds: str) -> Announcement:
            return Announcement(host_id, 'g', 'm', ADDRESS, 512, holds)

        clock = iter(range(10**9)).__next__
        host = EnrolledHost(StateDirectory(self.path), describe, agent, self.desk, 0.01, clock)
        host.start()
        self.addCleanup(host.wait)
        self.addCleanup(host.stop)
        return host

    def await_said(self, holds: str) -> None:
        before = len(self.desk.said)
        wait_until(
            lambda: any(said[1] == holds for said in self.desk.said[before:]), f'holds {holds!r}'
        )

    def test_it_is_the_same_as_long_as_it_has_its_disk(self) -> None:
        first = StateDirectory(self.path)
        first.lock()
        host_id = first.host_id()
        self.assertRaises(DirectoryInUse, StateDirectory(self.path).lock)
        first.unlock()
        again = StateDirectory(self.path)
        again.lock()
        self.addCleanup(again.unlock)
        self.assertEqual(host_id, again.host_id())
        for damage in ('', '[]', '{"host_id": "me"}'):
            (self.path / 'host.json').write_text(damage)
            self.assertRaises(ValueError, again.host_id)
        (self.path / 'host.json').unlink()
        self.assertNotEqual(host_id, again.host_id())
        self.assertRaises(ValueError, again.instance_directory, '../elsewhere')

    def test_it_serves_what_it_was_given_until_that_is_wiped(self) -> None:
        first, second = str(uuid.uuid4()), str(uuid.uuid4())
        self.host()
        self.await_said('')
        self.desk.given = first
        self.await_said(first)
        self.desk.away = True
        self.desk.given = second  # nobody has wiped the first
        self.desk.away = False
        self.await_said(first)
        (agent,) = self.agents
        self.assertFalse(agent.stopped)
        agent.wipe()
        self.await_said(second)
        self.assertTrue(agent.stopped)
        self.assertEqual([first, second], [agent.instance_id for agent in self.agents])
        self.assertEqual([second], os.listdir(self.path / 'instances'))

    def test_what_lies_there_is_served_before_anything_else(self) -> None:
        left = str(uuid.uuid4())
        (self.path / 'instances' / left).mkdir(parents=True)
        self.desk.given = str(uuid.uuid4())
        self.host()
        self.await_said(left)
        self.assertEqual([left], [agent.instance_id for agent in self.agents])
        self.assertNotIn('', [holds for _, holds in self.desk.said])

    def test_an_agent_that_ended_is_followed_by_another(self) -> None:
        left = str(uuid.uuid4())
        (self.path / 'instances' / left).mkdir(parents=True)
        self.host()
        self.await_said(left)
        self.agents[0].ended.set()
        wait_until(lambda: len(self.agents) == 2, 'another agent')
        self.assertTrue(self.agents[0].stopped)
