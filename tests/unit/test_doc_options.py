"""The configuration reference shows the options as they are."""

from tests.base import TestCase
from tools import render_options


class OptionsPageTest(TestCase):
    maxDiff = None

    def test_the_page_is_up_to_date(self) -> None:
        page = render_options.PAGE.read_text(encoding='utf-8')
        self.assertEqual(render_options.render(), page, 'run: python -m tools.render_options')
