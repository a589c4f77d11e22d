"""What the measurements say, as one Markdown table."""

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata

from tests import servers

HEAD = ('what', 'Slotwright', 'against', 'it takes', 'ratio', 'target')


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement beside what it is held against; empty strings where nothing is."""

    what: str
    ours: str
    against: str = ''
    theirs: str = ''
    ratio: str = ''
    target: str = ''


def spread(values: Sequence[float], unit: str = 's') -> str:
    """The median, and the smallest and largest value.

    >>> spread([0.52, 0.5, 0.61])
    '0.52 s (0.50-0.61)'
    """
    return f'{statistics.median(values):.2f} {unit} ({min(values):.2f}-{max(values):.2f})'


def table(rows: Iterable[Row]) -> str:
    """Render as Markdown."""
    cells = [(r.what, r.ours, r.against, r.theirs, r.ratio, r.target) for r in rows]
    lines = [HEAD, tuple('---' for _ in HEAD), *cells]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def machine() -> str:
    """Cores, load and versions: what the numbers depend on."""
    redis = version(servers.find_program('redis-server', package='redis-server'), '--version')
    packages = ('oslo.messaging', 'SQLAlchemy', 'falcon')
    return ', '.join(
        [
            f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}',
            f'Python {platform.python_version()}',
            redis.split(' sha=')[0],
            *(f'{name} {metadata.version(name)}' for name in packages),
        ]
    )


def version(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
