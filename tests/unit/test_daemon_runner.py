"""The daemon runner, with real signals to a real process."""

import pathlib
import signal
import subprocess
import sys
import textwrap

import fixtures

from slotwright.daemon import Daemon
from tests.base import TestCase

PROGRAM = """
import sys, threading, time
from oslo_config import cfg
from slotwright.daemon import Daemon

def say(text):
    print(text, flush=True)

class Service:
    def __init__(self, name, slow=0.0):
        self.name, self.slow = name, slow
    def start(self):
        say(f'start {self.name}')
    def stop(self):
        say(f'stop {self.name}')
    def wait(self):
        time.sleep(self.slow)
        say(f'wait {self.name}')

class Broken(Service):
    def start(self):
        raise RuntimeError('cannot start')

class Stubborn(Service):
    def stop(self):
        raise RuntimeError('cannot stop')

class Ready(Service):
    def start(self):
        threading.Timer(0.1, say, ['ready']).start()

conf = cfg.ConfigOpts()
conf.register_opts([cfg.StrOpt('mood', mutable=True), cfg.StrOpt('name')])
"""


class DaemonTest(TestCase):
    def start(self, script: str, *arguments: str) -> 'subprocess.Popen[str]':
        process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', PROGRAM + textwrap.dedent(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def read_until(self, process: 'subprocess.Popen[str]', line: str) -> list[str]:
        assert process.stdout is not None
        seen = []
        for text in process.stdout:
            seen.append(text.strip())
            if seen[-1] == line:
                return seen
        raise AssertionError(f'no {line!r} in {seen}: {process.communicate()[1]}')

    def test_each_of_the_two_signals_drains_in_reverse_order(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start(
                "sys.exit(Daemon(conf, [Service('a'), Service('b', 0.3), Ready('c')]).run())"
            )
            self.read_until(process, 'ready')
            process.send_signal(number)
            output, _ = process.communicate(timeout=60)
            self.assertEqual(
                ['stop c', 'wait c', 'stop b', 'wait b', 'stop a', 'wait a'],
                output.split('\n')[:-1],
            )
            self.assertEqual(0, process.returncode)

    def test_a_second_signal_leaves_at_once(self) -> None:
        process = self.start("Daemon(conf, [Service('slow', 600), Ready('c')]).run()")
        self.read_until(process, 'ready')
        process.terminate()
        self.read_until(process, 'stop slow')
        process.terminate()
        self.assertEqual(1, process.wait(timeout=60))

    def test_hangup_takes_over_mutable_options(self) -> None:
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'daemon.conf')
        path.write_text('[DEFAULT]\nmood = calm\nname = first\n')
        process = self.start(
            """
            conf(['--config-file', sys.argv[1]])
            conf.register_mutate_hook(lambda conf, fresh: say(f'{conf.mood} {conf.name}'))
            Daemon(conf, [Ready('c')]).run()
            """,
            str(path),
        )
        self.read_until(process, 'ready')
        path.write_text('[DEFAULT]\nmood = eager\nname = second\n')
        process.send_signal(signal.SIGHUP)
        self.read_until(process, 'eager first')
        path.write_text('no section and no value')
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        self.assertTrue(any('stays as it was' in line for line in process.stderr))
        path.write_text('[DEFAULT]\nmood = tired\nname = first\n')
        process.send_signal(signal.SIGHUP)
        self.read_until(process, 'tired first')
        process.terminate()
        self.assertEqual(0, process.wait(timeout=60))

    def test_periodic_work_goes_on_after_an_error(self) -> None:
        process = self.start(
            """
            ticks = []
            def tick():
                ticks.append(1)
                say(f'tick {len(ticks)}')
                raise RuntimeError('this time not')
            Daemon(conf, [], [(tick, 0.01)]).run()
            """
        )
        self.read_until(process, 'tick 3')
        process.terminate()
        _, errors = process.communicate(timeout=60)
        self.assertEqual(0, process.returncode)
        self.assertIn('RuntimeError: this time not', errors)

    def test_a_service_that_does_not_start_ends_the_others(self) -> None:
        process = self.start("Daemon(conf, [Service('a'), Broken('b'), Service('c')]).run()")
        output, errors = process.communicate(timeout=60)
        self.assertEqual(
            ['start a', 'stop b', 'wait b', 'stop a', 'wait a'], output.split('\n')[:-1]
        )
        self.assertEqual(1, process.returncode)
        self.assertIn('RuntimeError: cannot start', errors)

    def test_a_service_that_does_not_stop_keeps_nobody_from_it(self) -> None:
        process = self.start("Daemon(conf, [Service('a'), Stubborn('b'), Ready('c')]).run()")
        self.read_until(process, 'ready')
        process.terminate()
        output, _ = process.communicate(timeout=60)
        self.assertEqual(
            ['stop c', 'wait c', 'wait b', 'stop a', 'wait a'], output.split('\n')[:-1]
        )
        self.assertEqual(0, process.returncode)

    def test_it_ends_with_its_work(self) -> None:
        process = self.start(
            "sys.exit(Daemon(conf, [Service('a')], ended=lambda: time.sleep(0.1)).run())"
        )
        output, _ = process.communicate(timeout=60)
        self.assertEqual(['start a', 'stop a', 'wait a'], output.split('\n')[:-1])
        self.assertEqual(0, process.returncode)

    def test_it_can_be_stopped_from_within(self) -> None:
        handler = signal.getsignal(signal.SIGTERM)
        daemon = Daemon(None)
        daemon.stop()
        self.assertEqual(0, daemon.run())
        self.assertIs(handler, signal.getsignal(signal.SIGTERM))
