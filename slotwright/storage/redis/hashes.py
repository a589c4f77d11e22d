"""What the fields of a hash say. Others may have written it, so they may say anything."""

import json
from typing import Any, NoReturn

from slotwright.domain.pools import HEAVIEST


def read_object(text: str | None) -> dict[str, Any] | None:
    """The JSON object in a field; None when there is no such thing in it.

    >>> read_object('{"ram":512}'), read_object('[1]'), read_object('{"ram":NaN}')
    ({'ram': 512}, None, None)
    """
    try:
        found = json.loads(text or '', parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_weight(text: str | None) -> int | None:
    """The weight in a field; None when there is none in it.

    >>> read_weight('100'), read_weight('1.5'), read_weight('-1'), read_weight('4294967296')
    (100, None, None, None)
    """
    if not text or not (text.isascii() and text.isdigit() and len(text) <= len(str(HEAVIEST))):
        return None
    weight = int(text)
    return weight if weight <= HEAVIEST else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f'{name} is no JSON number')
