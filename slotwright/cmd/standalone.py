"""slotwright standalone: the whole service in one process, on one directory."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from slotwright import standalone
from slotwright.cmd import startup
from slotwright.daemon import Daemon

PROGRAM = 'slotwright standalone'


class UrlFile:
    """Tells in a file where the API listens, while it does."""

    def __init__(self, service: standalone.Standalone, path: str) -> None:
        self._service = service
        self._path = path

    def start(self) -> None:
        unfinished = f'{self._path}.new'
        with open(unfinished, 'w', encoding='utf-8') as file:
            file.write(f'{self._service.url}\n')
        os.replace(unfinished, self._path)

    def stop(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def wait(self) -> None:
        """Nothing is under way."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__)
    default = os.path.join(os.path.expanduser('~'), '.local/share/slotwright')
    parser.add_argument('--data-dir', default=default, help='default: %(default)s')
    parser.add_argument('--host', default='127.0.0.1', help='of the REST API, a loopback address')
    parser.add_argument('--port', type=int, default=8779, help='of the REST API; 0 takes any')
    parser.add_argument('--url-file', help='a file to write the URL of the REST API to')
    parser.add_argument(
        '--until-eof', action='store_true', help='stop when standard input ends, too'
    )
    arguments, others = parser.parse_known_args(argv)
    conf = startup.configure(PROGRAM, others)
    with startup.explained(PROGRAM):
        standalone.configure(conf, arguments.data_dir, arguments.host, arguments.port)
        service = standalone.Standalone(conf, arguments.data_dir)
        url_files = [UrlFile(service, arguments.url_file)] if arguments.url_file else []
        ended = sys.stdin.read if arguments.until_eof else None
        return Daemon(conf, [service, *url_files], ended=ended).run()
