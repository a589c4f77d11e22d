"""Runs unit tests on eventlet's threads: ``python -m tests.green tests.unit.test_api_streams``"""

import sys
import unittest

import eventlet
from eventlet import patcher


def is_green() -> bool:
    """Whether the threads of this process are eventlet's."""
    return bool(patcher.is_monkey_patched('thread'))


if __name__ == '__main__':
    eventlet.monkey_patch()
    unittest.main(module=None, argv=sys.argv)
