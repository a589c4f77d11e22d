"""slotwright: what needs no deployment."""

import argparse
from collections.abc import Sequence

import slotwright
from slotwright import demo
from slotwright.cmd import events, operations, standalone, wait

COMMANDS = {
    'standalone': (standalone.main, 'run the whole service in this process'),
    'demo': (demo.main, 'make a cluster, show it, use it and clean up'),
    'events': (events.main, 'show what happened, or follow what happens'),
    'operations': (operations.main, 'list what was asked of a cluster, and how it ended'),
    'wait': (wait.main, 'wait until what was asked of a cluster is done'),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser('slotwright', description=slotwright.__doc__)
    parser.add_argument('--version', action='version', version=slotwright.__version__)
    commands = parser.add_subparsers(dest='command', required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    chosen, others = parser.parse_known_args(argv)
    return COMMANDS[chosen.command][0](others)


if __name__ == '__main__':
    raise SystemExit(main())
