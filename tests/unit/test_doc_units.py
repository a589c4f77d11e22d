"""The systemd units start what we install, and leave alive what has to outlive them."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from tests.base import TestCase

TREE = Path(__file__).parents[2]
UNITS = TREE / 'etc/systemd'
PREFIX = '/opt/slotwright/bin/'


def service(name: str) -> Mapping[str, str]:
    """The [Service] section of a unit."""
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser['Service']


class UnitsTest(TestCase):
    def test_they_start_our_programs(self) -> None:
        setup = configparser.RawConfigParser()
        setup.read(TREE / 'setup.cfg')
        scripts = setup['options.entry_points']['console_scripts'].split()
        started = set()
        for unit in UNITS.glob('*.service'):
            program = service(unit.name)['ExecStart'].split()[0]
            self.assertTrue(program.startswith(PREFIX), program)
            started.add(program.removeprefix(PREFIX))
        self.assertEqual(
            {'slotwright-api', 'slotwright-taskmanager', 'slotwright-guestagent'}, started
        )
        self.assertEqual(set(), started - set(scripts))

    def test_what_they_start_outlives_them(self) -> None:
        for name in ('slotwright-taskmanager', 'slotwright-guestagent@'):
            self.assertEqual('process', service(f'{name}.service')['KillMode'])

    def test_they_may_write_their_state(self) -> None:
        for unit in UNITS.glob('*.service'):
            section = service(unit.name)
            self.assertEqual('strict', section['ProtectSystem'])
            self.assertEqual('slotwright', section['StateDirectory'])
