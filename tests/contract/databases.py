"""Databases to run the storage's contract on: new and empty, as many as a test wants."""

import atexit
import itertools
import shutil
import tempfile
from typing import Protocol

from tests import servers


class Backend(Protocol):
    """A kind of database."""

    def create(self) -> str:
        """Make an empty database and answer its URL.

        :raises unittest.SkipTest: naming the package of a server that is not installed.
        """


class SQLite:
    """A file of its own for every database."""

    _numbers = itertools.count(1)

    def create(self) -> str:
        directory = tempfile.mkdtemp(prefix='slotwright-')
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        return f'sqlite:///{directory}/{next(self._numbers)}.sqlite'


class MariaDB:
    """One server for all databases of a test process."""

    kind = servers.MariaDB

    def create(self) -> str:
        return servers.shared(self.kind).new_database()


class PostgreSQL:
    """One server for all databases of a test process."""

    kind = servers.PostgreSQL

    def create(self) -> str:
        return servers.shared(self.kind).new_database()
