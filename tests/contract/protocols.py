"""Holding a client or an endpoint against a protocol of ``slotwright.rpc.contract``."""

import inspect
import unittest

from slotwright.rpc.server import methods_of


def signatures(api: type) -> dict[str, tuple[str, ...]]:
    """Method to the names of its arguments, without self and the context."""
    return {
        name: tuple(inspect.signature(getattr(api, name)).parameters)[2:]
        for name in methods_of(api)
    }


def assert_speaks(case: unittest.TestCase, spoken: type, protocol: type) -> None:
    """``spoken`` has every method of the protocol, with the same arguments in order.

    For clients and endpoints alike; on the wire arguments travel by name, the context
    apart from them.
    """
    for name, arguments in signatures(protocol).items():
        method = getattr(spoken, name, None)
        case.assertTrue(callable(method), f'{spoken.__name__} lacks {name}')
        found = tuple(inspect.signature(method).parameters)[2:]
        case.assertEqual(arguments, found, f'{spoken.__name__}.{name}')
