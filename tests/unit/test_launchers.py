"""Both ways to run agents, when an agent cannot start."""

import os
import tempfile
from typing import Any, cast

from slotwright.domain.errors import Unavailable
from slotwright.standalone import InProcessLauncher
from taskmanager.ports import Launcher
from taskmanager.provisioners.launcher import ProcessLauncher
from tests.base import TestCase


class Agent:
    """Has the life of ``guestagent.service.AgentService``, and refuses what that refuses."""

    def __init__(self, broken: bool) -> None:
        self._broken = broken
        self._started = False
        self.runs = False
        self.stopped = False

    def start(self) -> None:
        if self._broken:
            raise OSError('no space left')
        self._started = self.runs = True

    def wait(self, _timeout: float | None = None) -> bool:
        return not self.runs

    def stop(self) -> None:
        if not self._started:
            raise RuntimeError('cannot join thread before it is started')
        self.runs = False
        self.stopped = True


class InProcessLauncherTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name
        self.broken: set[str] = set()
        self.agents: dict[str, Agent] = {}

        def make(instance_id: str, _directory: str) -> Any:
            self.agents[instance_id] = Agent(instance_id in self.broken)
            return self.agents[instance_id]

        self.launcher = InProcessLauncher(make)

    def start(self, name: str) -> None:
        self.launcher.start(name, os.path.join(self.root, name))

    def test_an_agent_that_did_not_start_is_tried_again(self) -> None:
        self.broken.add('a')
        for _ in range(2):
            self.assertRaises(Unavailable, self.start, 'a')
        self.broken.clear()
        self.start('a')
        self.assertTrue(self.agents['a'].runs)

    def test_one_that_ended_by_itself_is_let_go_of(self) -> None:
        self.start('a')
        self.start('b')
        self.agents['a'].runs = False  # as after a wipe
        self.launcher.reap()
        self.assertTrue(self.agents['a'].stopped)
        self.assertTrue(self.agents['b'].runs)

    def test_closing_stops_all_that_run_beside_one_that_does_not(self) -> None:
        self.start('a')
        self.broken.add('b')
        self.assertRaises(Unavailable, self.start, 'b')
        self.start('c')
        self.launcher.close()
        self.assertEqual([False] * 3, [agent.runs for agent in self.agents.values()])


class NoRoomTest(TestCase):
    def test_a_directory_that_cannot_be_made_is_told(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            launchers = (ProcessLauncher(()), InProcessLauncher(lambda *_: cast(Any, Agent(False))))
            for launcher in cast(tuple[Launcher, ...], launchers):
                error = self.assertRaises(Unavailable, launcher.start, 'a', f'{file.name}/a')
                self.assertIn(file.name, str(error))
