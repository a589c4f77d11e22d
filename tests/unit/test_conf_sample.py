"""The sample configuration is what the generator makes of our options now."""

import io
import pathlib
import re

from oslo_config import cfg, generator

from slotwright import conf as options
from slotwright.defaults import set_library_defaults
from tests import base

SAMPLE = pathlib.Path(__file__).parents[2] / 'etc/slotwright/slotwright.conf'
REFRESH = (
    'run: oslo-config-generator --config-file etc/slotwright/config-generator.conf '
    '(with the package installed)'
)


def sections(text: str) -> dict[str, str]:
    """Section name to its text."""
    parts = re.split(r'^\[([^\]]+)\]$', text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


class SampleTest(base.TestCase):
    maxDiff = None

    def test_our_sections_are_up_to_date(self) -> None:
        found = sections(SAMPLE.read_text(encoding='utf-8'))
        ours = sections(self.generate())
        self.assertEqual('', ours.pop('DEFAULT'))
        self.assertEqual({str(name) for name, _ in options.list_opts()}, set(ours))
        for name, text in ours.items():
            self.assertEqual(text, found.get(name), f'[{name}] is stale, {REFRESH}')

    def test_every_registered_option_is_listed(self) -> None:
        conf = options.register(cfg.ConfigOpts())
        conf([])
        listed = {(str(group), opt.dest) for group, opts in options.list_opts() for opt in opts}
        registered = {(group, name) for group in conf._groups for name in conf[group]}
        self.assertEqual(registered, listed)

    def test_the_libraries_show_our_defaults(self) -> None:
        text = SAMPLE.read_text(encoding='utf-8')
        for line in (
            '#control_exchange = slotwright',
            '#amqp_durable_queues = true',
            '#heartbeat_timeout_threshold = 15',
        ):
            self.assertIn(f'\n{line}\n', text, REFRESH)

    def generate(self) -> str:
        """What oslo-config-generator writes for our namespace."""
        set_library_defaults()
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(['--namespace', 'slotwright', '--wrap-width', '79'])
        output = io.StringIO()
        generator.generate(conf, output)
        return output.getvalue()
