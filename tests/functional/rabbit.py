"""A RabbitMQ of a test's own, on a free loopback port, that can be stopped and started."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

import fixtures
import kombu

SYSTEM_PATH = '/usr/lib/rabbitmq/bin:/usr/libexec/rabbitmq:/usr/local/sbin:/usr/bin:/bin'
START_TIMEOUT = 90.0  # seconds


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class RabbitMQ(fixtures.Fixture):
    """Starts with the fixture; ``url`` is its transport URL."""

    def _setUp(self) -> None:
        program = shutil.which('rabbitmq-server', path=SYSTEM_PATH)
        if program is None:
            raise unittest.SkipTest('needs rabbitmq-server (Debian package rabbitmq-server)')
        self._program = program
        self._directory = tempfile.mkdtemp(prefix='rabbitmq-')
        self.addCleanup(shutil.rmtree, self._directory, ignore_errors=True)
        self.port = free_port()
        epmd_port = free_port()
        self._environment = {
            'PATH': SYSTEM_PATH,
            'HOME': self._directory,
            'ERL_EPMD_PORT': str(epmd_port),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODENAME': f'test-{uuid.uuid4().hex[:8]}@localhost',
            'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODE_PORT': str(self.port),
            'RABBITMQ_DIST_PORT': str(free_port()),
            'RABBITMQ_MNESIA_BASE': self._directory,
            'RABBITMQ_LOG_BASE': self._directory,
            'RABBITMQ_PID_FILE': f'{self._directory}/pid',
            'RABBITMQ_ENABLED_PLUGINS_FILE': f'{self._directory}/no-plugins',
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.addCleanup(self._kill_epmd)
        self.addCleanup(self.stop)
        self.start()

    @property
    def url(self) -> str:
        return f'rabbit://guest:guest@127.0.0.1:{self.port}//'

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl and answer its output."""
        done = subprocess.run(
            [shutil.which('rabbitmqctl', path=SYSTEM_PATH) or 'rabbitmqctl', '-q', *arguments],
            env=self._environment,
            cwd=self._directory,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def queues(self, url: str) -> set[str]:
        """Names of the queues in the URL's virtual host."""
        vhost = url.rpartition('/')[2] or '/'
        return set(self.control('list_queues', '--no-table-headers', '-p', vhost, 'name').split())

    def start(self) -> None:
        with open(f'{self._directory}/output', 'ab') as output:
            self._process = subprocess.Popen(
                [self._program],
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                with open(f'{self._directory}/output') as output:
                    raise RuntimeError(f'RabbitMQ does not start: {output.read()}')
            time.sleep(0.2)

    def _answers(self) -> bool:
        connection = kombu.Connection(
            f'amqp://guest:guest@127.0.0.1:{self.port}//', connect_timeout=2
        )
        try:
            connection.connect()
        except (OSError, *connection.connection_errors):
            return False
        finally:
            connection.release()
        return True

    def stop(self) -> None:
        """SIGKILL, which is how brokers fail."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Keep every socket open and answer nobody."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def _kill_epmd(self) -> None:
        """End the port mapper that the first node started; it refuses while it knows one."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            done = subprocess.run(
                ['epmd', '-kill'], env=self._environment, check=False, capture_output=True
            )
            if b'Killed' in done.stdout or b'Cannot connect' in done.stderr + done.stdout:
                return
            time.sleep(0.1)
