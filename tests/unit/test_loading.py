"""Classes by dotted path."""

import collections

from slotwright.loading import InvalidConfiguration, load_class
from tests.base import TestCase


class LoadClassTest(TestCase):
    def test_a_class_is_found(self) -> None:
        self.assertIs(collections.OrderedDict, load_class('collections.OrderedDict'))

    def test_what_is_no_class_is_told_with_its_option(self) -> None:
        for path, reason in (
            ('', 'not a dotted path'),
            ('OrderedDict', 'not a dotted path'),
            ('collections.', 'not a dotted path'),
            ('.OrderedDict', 'not a dotted path'),
            ('no_such_module.Thing', 'cannot import no_such_module'),
            ('..collections.Thing', 'not a dotted path'),
            ('collections.NoSuchClass', 'no class NoSuchClass in collections'),
            ('collections.namedtuple', 'no class namedtuple in collections'),
        ):
            with self.subTest(path=path):
                with self.assertRaises(InvalidConfiguration) as caught:
                    load_class(path, '[redis] api_strategy')
                self.assertIn(f'[redis] api_strategy = {path}: {reason}', str(caught.exception))
