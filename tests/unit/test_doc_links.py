"""What the documents point at is there: files, tests, and functions named beside a file."""

import re
from pathlib import Path

from tests.base import TestCase

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob('*.md'), *ROOT.glob('doc/**/*.md')]

LINK = re.compile(r'\]\(([^)#:\s]+)(?:#[^)]*)?\)')
FILE = re.compile(r'`((?:[a-z_]+/)+[a-z_0-9]+\.(?:py|conf))`')
TEST = re.compile(r'`(test_[a-z_0-9]+)`')


class PagesTest(TestCase):
    def test_there_are_pages(self) -> None:
        self.assertGreater(len(PAGES), 5)

    def test_links_lead_somewhere(self) -> None:
        for page in PAGES:
            for target in LINK.findall(page.read_text(encoding='utf-8')):
                with self.subTest(page=page.name, target=target):
                    self.assertTrue((page.parent / target).exists())

    def test_files_exist(self) -> None:
        """Paths are from the top of the tree, or within one of our packages."""
        tops = [ROOT, *(ROOT / name for name in ('slotwright', 'taskmanager', 'guestagent', 'api'))]
        for page in PAGES:
            for path in FILE.findall(page.read_text(encoding='utf-8')):
                with self.subTest(page=page.name, path=path):
                    self.assertTrue(any((top / path).exists() for top in tops))

    def test_tests_exist(self) -> None:
        sources = '\n'.join(p.read_text(encoding='utf-8') for p in ROOT.glob('tests/**/test_*.py'))
        for page in PAGES:
            for name in TEST.findall(page.read_text(encoding='utf-8')):
                with self.subTest(page=page.name, name=name):
                    self.assertIn(f'def {name}(', sources)
