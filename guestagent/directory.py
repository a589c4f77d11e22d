"""What an instance keeps on this host: one directory, served by one agent."""

import contextlib
import os
import shutil
from pathlib import Path

from slotwright import dirlock
from slotwright.domain.errors import SlotwrightError


class DirectoryInUse(SlotwrightError):
    """Another agent serves this directory."""

    code = 'directory_in_use'


class InstanceDirectory:
    """The paths of an instance, its lock, its size and its end."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self.data = self.path / 'data'
        self.nodes_conf = self.data / 'nodes.conf'  # Redis's own memory of its cluster
        self.redis_conf = self.path / 'redis.conf'
        self.redis_log = self.path / 'redis.log'
        self.process_record = self.path / 'redis.proc'
        self.state = self.path / 'agent.json'
        self.answers = self.path / 'answers.json'
        self._lock: int | None = None

    def lock(self) -> None:
        """Make the directory ours until ``unlock`` or the end of the process.

        The lock is on the directory itself, so that nothing of it stays behind a wipe.

        :raises DirectoryInUse: when another agent has it.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock = dirlock.acquire(self.path)
        except dirlock.Held as e:
            raise DirectoryInUse(f'another guest agent serves {self.path}') from e

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def wipe(self) -> None:
        """Remove everything in the directory. What vanishes meanwhile does not matter."""
        if not self.path.exists():
            return
        for entry in self.path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the directory itself, if nothing is in it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def used(self) -> float:
        """GiB on disk, rounded to two decimals."""
        return round(_bytes_under(self.path) / 2**30, 2)


def _bytes_under(path: Path) -> int:
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            # Redis renames and removes files under our feet.
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


def write_private(path: Path, text: str, *, durable: bool = False) -> None:
    """Replace a file in one step, readable by its owner only.

    ``durable``: on disk before this returns, the file's name included.
    """
    draft = path.with_name(path.name + '.new')
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, 'w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.replace(draft, path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
