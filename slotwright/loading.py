"""Classes named in the configuration."""

import importlib
from typing import Any

from slotwright.domain.errors import SlotwrightError


class InvalidConfiguration(SlotwrightError):
    """An option has a value that nothing can be made of."""

    code = 'invalid_configuration'


def load_class(path: str, option: str = '') -> type[Any]:
    """Import the class at a dotted path, as ``package.module.Class``.

    ``option`` names where the path came from, for the message.

    :raises InvalidConfiguration: there is no such module or class, or it cannot be
        imported.

    >>> load_class('slotwright.domain.slots.SlotRange').__name__
    'SlotRange'
    """
    origin = f'{option} = {path}' if option else path
    module_name, _, class_name = path.rpartition('.')
    if not module_name or not class_name:
        raise InvalidConfiguration(f'{origin}: not a dotted path of a class')
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError, ValueError) as error:
        raise InvalidConfiguration(f'{origin}: cannot import {module_name}: {error}') from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise InvalidConfiguration(f'{origin}: no class {class_name} in {module_name}')
    return found
