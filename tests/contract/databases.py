"""Databases to run the storage's contract on: new and empty ones, as many as a test wants.

A server is started at most once in a test process, on a Unix socket in a temporary
directory, with everything off that makes data durable; it ends with the process.
"""

import atexit
import functools
import getpass
import glob
import importlib.util
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import sqlalchemy as sa

_numbers = itertools.count(1)


class SQLite:
    """A file of its own for every database."""

    def missing(self) -> str | None:
        return None

    def create(self) -> str:
        return f'sqlite:///{_temporary_directory()}/{next(_numbers)}.sqlite'


class Server:
    """A database server of which a test process has one."""

    binaries: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    first_database = ''
    #: Ends it at once, as far as possible without a trace.
    stop_signal = signal.SIGKILL

    def missing(self) -> str | None:
        """What has to be installed before it can run; None when nothing."""
        lacking = [name for name in self.binaries if find_binary(name) is None]
        lacking += [name for name in self.drivers if importlib.util.find_spec(name) is None]
        return f'not installed: {", ".join(lacking)}' if lacking else None

    def create(self) -> str:
        """Make a database and answer its URL."""
        name = f'contract_{next(_numbers)}'
        server = _shared(type(self))
        server.execute(f'CREATE DATABASE {name}')
        return server.url(name)

    def __init__(self) -> None:
        self.directory = ''
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again with the data that it had."""
        if not self.directory:
            self.directory = _temporary_directory()
            self.initialize()
        with open(f'{self.directory}/log', 'ab') as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, **self.identity()
            )
        for _ in range(600):
            try:
                self.execute('SELECT 1')
                return
            except sa.exc.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(pathlib.Path(f'{self.directory}/log').read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.stop_signal)
            self.process.wait()
            self.process = None

    def execute(self, sql: str) -> None:
        engine = sa.create_engine(
            self.url(self.first_database), poolclass=sa.NullPool, isolation_level='AUTOCOMMIT'
        )
        with engine.connect() as conn:
            conn.exec_driver_sql(sql)

    def initialize(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def url(self, database: str) -> str:
        raise NotImplementedError

    def identity(self) -> dict[str, int]:
        return {}


class MariaDB(Server):
    binaries = ('mariadbd', 'mariadb-install-db')
    drivers = ('pymysql',)
    first_database = 'mysql'

    def initialize(self) -> None:
        _run(
            'mariadb-install-db',
            '--no-defaults',
            '--skip-test-db',
            f'--user={getpass.getuser()}',
            f'--datadir={self.directory}/data',
        )

    def command(self) -> list[str]:
        return [
            find_binary('mariadbd') or '',
            '--no-defaults',
            f'--user={getpass.getuser()}',
            f'--datadir={self.directory}/data',
            f'--socket={self.directory}/socket',
            f'--pid-file={self.directory}/pid',
            '--skip-networking',
            '--skip-grant-tables',
            '--innodb-flush-log-at-trx-commit=0',
            '--innodb-buffer-pool-size=32M',
        ]

    def url(self, database: str) -> str:
        return f'mysql+pymysql://root@localhost/{database}?unix_socket={self.directory}/socket'


class PostgreSQL(Server):
    binaries = ('initdb', 'postgres')
    drivers = ('psycopg2',)
    first_database = 'postgres'
    stop_signal = signal.SIGQUIT  # it has children to end

    def initialize(self) -> None:
        if os.getuid() == 0:
            os.chown(self.directory, pwd.getpwnam('postgres').pw_uid, -1)
        options = ['-A', 'trust', '-U', 'slotwright', '--no-sync', '-E', 'UTF8']
        _run('initdb', '-D', f'{self.directory}/data', *options, **self.identity())

    def command(self) -> list[str]:
        settings = ('listen_addresses=', 'fsync=off', f'unix_socket_directories={self.directory}')
        return [
            find_binary('postgres') or '',
            '-D',
            f'{self.directory}/data',
            *(part for setting in settings for part in ('-c', setting)),
        ]

    def url(self, database: str) -> str:
        return f'postgresql+psycopg2://slotwright@/{database}?host={self.directory}'

    def identity(self) -> dict[str, int]:
        """It refuses to run as root."""
        return {'user': pwd.getpwnam('postgres').pw_uid} if os.getuid() == 0 else {}


def find_binary(name: str) -> str | None:
    """On PATH, or where Debian keeps what is not meant to be there."""
    kept = sorted(glob.glob(f'/usr/lib/postgresql/*/bin/{name}'))
    return shutil.which(name) or shutil.which(name, path='/usr/sbin') or (kept or [None])[-1]


@functools.cache
def _shared(kind: type[Server]) -> Server:
    server = kind()
    server.start()
    atexit.register(server.stop)
    return server


def _temporary_directory() -> str:
    directory = tempfile.mkdtemp(prefix='slotwright-')
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def _run(name: str, *arguments: str, **identity: int) -> None:
    subprocess.run(
        [find_binary(name) or name, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd='/',
        **identity,
    )
