"""slotwright: everything that needs no deployment."""

import argparse
from collections.abc import Sequence

import slotwright
from slotwright import standalone


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser('slotwright', description=slotwright.__doc__)
    parser.add_argument('--version', action='version', version=slotwright.__version__)
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('standalone', help='run the whole service in this process', add_help=False)
    _, arguments = parser.parse_known_args(argv)
    return standalone.main(arguments)
