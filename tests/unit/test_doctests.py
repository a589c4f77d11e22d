"""The examples in docstrings are what the code does."""

import doctest
import importlib
import pkgutil

from tests.base import TestCase

PACKAGES = ('api', 'guestagent', 'slotwright', 'taskmanager')
#: Alembic's, which only it can import.
NOT_OURS = '.alembic'


class DoctestTest(TestCase):
    def test_examples(self) -> None:
        tried = 0
        for package in PACKAGES:
            path = importlib.import_module(package).__path__
            for found in pkgutil.walk_packages(path, f'{package}.'):
                if NOT_OURS in found.name:
                    continue
                results = doctest.testmod(importlib.import_module(found.name))
                self.assertEqual(0, results.failed, f'{found.name}: see standard output')
                tried += results.attempted
        self.assertLess(20, tried)
