"""The sample policy is what the generator makes of our rules now."""

import pathlib

import fixtures
from oslo_config import cfg
from oslo_policy import generator

from tests.base import TestCase

SAMPLE = pathlib.Path(__file__).parents[2] / 'etc/slotwright/policy.yaml.sample'
REFRESH = (
    'run: oslopolicy-sample-generator --config-file etc/slotwright/policy-generator.conf '
    '(with the package installed)'
)


class SampleTest(TestCase):
    def test_the_sample_is_up_to_date(self) -> None:
        made = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'sample')
        generator.generate_sample(
            ['--namespace', 'slotwright', '--output-file', str(made)], conf=cfg.ConfigOpts()
        )
        self.assertEqual(
            made.read_text(encoding='utf-8'), SAMPLE.read_text(encoding='utf-8'), REFRESH
        )
