"""Whether a daemon's threads are the operating system's or eventlet's.

There is no second code path: eventlet changes what the standard library's modules do. It must
do so before others have taken anything out of them, so this module, which a daemon asks before
it imports the rest of itself, imports next to nothing.
"""

import argparse
from collections.abc import Sequence

from oslo_config import cfg

from slotwright.conf import api

EVENTLET = 'eventlet'


def wanted(program: str, argv: Sequence[str] | None = None) -> str:
    """``[api] concurrency`` of the files that ``program`` will read.

    What cannot be read is left for ``startup.configure`` to complain about.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ('--config-file', '--config-dir'):
        parser.add_argument(name, action='append', default=[])
    known, _ = parser.parse_known_args(argv)
    files = [f'--config-file={path}' for path in known.config_file]
    folders = [f'--config-dir={path}' for path in known.config_dir]
    conf = cfg.ConfigOpts()
    conf.register_opt(api.CONCURRENCY, group=api.GROUP)
    try:
        conf([*files, *folders], project='slotwright', prog=program)
        return str(conf.api.concurrency)
    except cfg.Error:
        return str(api.CONCURRENCY.default)


def start_patched(program: str) -> None:
    """Make all threads, locks and sockets of this process green.

    :raises SystemExit: without eventlet.
    """
    try:
        import eventlet
    except ImportError as error:
        raise SystemExit(
            f'{program}: [api] concurrency = eventlet needs eventlet: pip install '
            "'slotwright[eventlet]'"
        ) from error
    eventlet.monkey_patch()


def require_green_database(url: str) -> None:
    """Refuse databases whose drivers would stop all green threads at once.

    :raises ValueError: for any but those that PyMySQL, pure Python, speaks to.
    """
    if url.partition(':')[0] != 'mysql+pymysql':
        raise ValueError(
            '[api] concurrency = eventlet needs [database] connection to be mysql+pymysql://…: '
            f'while {url.partition(":")[0]} waits for a lock or an answer, no green thread '
            'runs. Use MariaDB or MySQL, or concurrency = threading.'
        )
