"""Agents forked by a nursery: real processes, with a directory and no broker."""

import os
import signal
import sys
from pathlib import Path

import fixtures

from slotwright import dirlock
from taskmanager.provisioners.launcher import ProcessLauncher
from taskmanager.provisioners.nursery import Nursery
from tests import servers
from tests.base import TestCase
from tests.guarded import wait_until


class LauncherTests(TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        config = self.directory / 'slotwright.conf'
        # Nobody listens there: an agent waits for its broker.
        config.write_text(f'[DEFAULT]\ntransport_url = rabbit://127.0.0.1:{servers.free_port()}/\n')
        self.arguments = ['--config-file', str(config)]
        self.launcher = self.launch()

    def launch(self):
        launcher = ProcessLauncher(self.arguments)
        self.addCleanup(launcher.close)
        return launcher

    def start(self, name):
        path = str(self.directory / name)
        self.launcher.start(name, path)
        self.addCleanup(dirlock.terminate, path, 10.0)
        wait_until(lambda: dirlock.holder(path) is not None, f'agent {name} to run')
        return path, dirlock.holder(path)

    def test_agents_show_what_they_are_and_have_sessions_of_their_own(self):
        self.launcher.warm_up()
        (one, first), (two, second) = self.start('one'), self.start('two')
        for path, pid in ((one, first), (two, second)):
            words = Path(f'/proc/{pid}/cmdline').read_bytes().rstrip(b'\0').decode().split()
            self.assertEqual([sys.executable, '-m', 'slotwright.cmd.guestagent'], words[:3])
            self.assertEqual(['--guestagent-directory', path], words[-2:])
            self.assertEqual(pid, os.getsid(pid))
            self.assertEqual(f'{path}/agent.log', os.readlink(f'/proc/{pid}/fd/1'))
        self.assertNotEqual(first, second)

    def test_a_running_agent_is_not_started_again(self):
        path, pid = self.start('one')
        self.launcher.start('one', path)
        self.launcher = self.launch()  # as another taskmanager would
        self.launcher.start('one', path)
        self.assertEqual(pid, dirlock.holder(path))

    def test_agents_outlive_launcher_and_nursery(self):
        path, pid = self.start('one')
        self.launcher.close()
        self.assertEqual(pid, dirlock.holder(path))
        self.launcher.stop('one', path)
        self.assertFalse(dirlock.is_held(path))

    def test_an_agent_that_died_is_started_again(self):
        path, pid = self.start('one')
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not dirlock.is_held(path), 'the end of the agent')
        self.assertNotEqual(pid, self.start('one')[1])

    def test_stop_ends_the_agent(self):
        path, _ = self.start('one')
        self.launcher.stop('one', path)
        self.assertFalse(dirlock.is_held(path))
        self.launcher.stop('one', path)  # nothing to do


class NurseryTests(TestCase):
    def spawn(self, nursery):
        log = os.open(os.devnull, os.O_WRONLY)
        self.addCleanup(os.close, log)
        command = [sys.executable, '-m', 'slotwright.cmd.guestagent', '--version']
        agent = nursery.spawn(command, log)
        self.addCleanup(agent.close)
        return agent

    def test_a_killed_nursery_is_replaced(self):
        nursery = Nursery()
        self.addCleanup(nursery.close)
        self.assertTrue(self.spawn(nursery).ended(90.0))
        for pid in self.nurseries():
            os.kill(pid, signal.SIGKILL)
        self.assertTrue(self.spawn(nursery).ended(90.0))

    def test_nothing_is_left_of_it(self):
        nursery = Nursery()
        nursery.warm_up()
        # A process whose exec() is under way has no command line yet.
        wait_until(self.nurseries, 'the nursery to show what it is')
        nursery.close()
        self.assertEqual([], self.nurseries())

    def nurseries(self):
        """The pids of this process's children that are nurseries."""
        children = Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
        return [int(pid) for pid in children if b'slotwright.cmd.nursery' in self.words(pid)]

    def words(self, pid):
        try:
            return Path(f'/proc/{pid}/cmdline').read_bytes()
        except OSError:  # it has ended
            return b''
