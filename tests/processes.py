"""The processes that instances have on this machine, found in /proc."""

import os
from collections.abc import Iterator
from pathlib import Path


def redis_servers(data_dir: Path) -> dict[str, int]:
    """The pids of the servers that run on instances below ``data_dir``, by instance id."""
    found = {}
    for process in _processes():
        try:
            place = os.readlink(process / 'cwd')
            name = (process / 'comm').read_text().strip()
        except OSError:  # it ended while we looked
            continue
        if name.endswith('-server') and place.startswith(f'{data_dir}/'):
            found[Path(place).relative_to(data_dir).parts[0]] = int(process.name)
    return found


def agents(config: Path) -> dict[str, int]:
    """The pids of the agents that were started with the file ``config``, by instance id."""
    found = {}
    for process in _processes():
        try:
            # One that was forked shows its words as a title, with blanks between them.
            words = (process / 'cmdline').read_bytes().decode().replace('\0', ' ').split()
        except OSError:
            continue
        if (
            str(config) in words
            and 'slotwright.cmd.guestagent' in words
            and '--guestagent-instance_id' in words  # else a host that enrolled
        ):
            place = words.index('--guestagent-instance_id')
            found[words[place + 1]] = int(process.name)
    return found


def _processes() -> Iterator[Path]:
    return (entry for entry in Path('/proc').iterdir() if entry.name.isdigit())
