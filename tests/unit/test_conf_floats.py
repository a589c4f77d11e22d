"""Options that are numbers with a fraction: what is none is told at the start."""

from pathlib import Path

import fixtures
from oslo_config import cfg

from slotwright import conf as options
from slotwright.cmd import startup
from slotwright.conf import floats
from tests.base import TestCase


def all_floats() -> list[tuple[str, cfg.Opt]]:
    return [
        (group, option)
        for group, opts in options.list_opts()
        for option in opts
        if isinstance(option, cfg.FloatOpt)
    ]


class FloatsTest(TestCase):
    def read(self, group: str, name: str, text: str) -> object:
        """The value that a file with this line gives."""
        file = Path(self.useFixture(fixtures.TempDir()).path, 'slotwright.conf')
        file.write_text(f'[{group}]\n{name} = {text}\n')
        conf = options.register(cfg.ConfigOpts())
        conf(['--config-file', str(file)], project='slotwright')
        startup.require_values(conf)
        return conf[group][name]

    def test_every_one_is_finite(self) -> None:
        found = all_floats()
        self.assertGreater(len(found), 10)
        for group, option in found:
            for text in ('nan', 'inf', '-inf', '1e300', '1e10'):
                error = self.assertRaises(cfg.Error, self.read, group, option.name, text)
                self.assertIn(f'[{group}] {option.name}: ', str(error), text)

    def test_defaults_are_taken(self) -> None:
        for group, option in all_floats():
            self.assertEqual(
                option.default, self.read(group, option.name, str(option.default)), option.name
            )

    def test_what_is_kept_for_days(self) -> None:
        for text, days in (('0', 0.0), ('0.01', 0.01), ('36500', 36500.0)):
            self.assertEqual(days, self.read('taskmanager', 'deleted_retention', text))
        for text in ('0.001', '-1', '36501'):
            self.assertRaises(cfg.Error, self.read, 'taskmanager', 'deleted_retention', text)
        self.assertRaises(cfg.Error, self.read, 'taskmanager', 'event_retention', '0')

    def test_nothing_is_no_number(self) -> None:
        numbers = (cfg.FloatOpt, cfg.IntOpt, cfg.PortOpt)
        for group, opts in options.list_opts():
            for option in opts:
                if isinstance(option, numbers) and option.default is not None:
                    error = self.assertRaises(cfg.Error, self.read, group, option.name, '')
                    self.assertEqual(f'[{group}] {option.name}: it has no value', str(error))

    def test_without_bounds(self) -> None:
        option = floats.FloatOpt('any')
        self.assertEqual(-5.5, option.type('-5.5'))
        self.assertRaises(ValueError, option.type, '-1e10')
