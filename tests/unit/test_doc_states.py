"""The architecture page shows the states as they are."""

from tests.base import TestCase
from tools import render_states


class StatesPageTest(TestCase):
    maxDiff = None

    def test_the_page_is_up_to_date(self) -> None:
        page = render_states.PAGE.read_text(encoding='utf-8')
        remedy = 'run: python -m tools.render_states'
        self.assertEqual(render_states.replaced(page), page, remedy)

    def test_a_page_without_marks_is_told(self) -> None:
        self.assertRaises(ValueError, render_states.replaced, '# Architecture\n')
