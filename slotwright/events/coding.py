"""Names and payloads, as they are stored and sent."""

import json
from typing import Any
from urllib.parse import quote

from slotwright.events.errors import NotJson

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(',', ':'))


def encode(value: Any) -> bytes:
    """As JSON.

    :raises NotJson: for what has no JSON, NaN and infinity among it.
    """
    try:
        return _encoder.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:  # also lone surrogates
        raise NotJson(f'This has no JSON: {error}') from error


def decode(written: bytes) -> Any:
    """Read JSON.

    :raises ValueError: it is none.
    """
    try:
        return json.loads(written)
    except RecursionError as error:
        raise ValueError('It is nested too deep.') from error


def named(name: str, what: str) -> str:
    """The name of a ``what``, as it is.

    :raises NotJson: it is empty, no text, or has lone surrogates.
    """
    if not isinstance(name, str) or not name:
        raise NotJson(f'A {what} is a text that is not empty, not {name!r}.')
    return text(name, what)


def text(name: str, what: str) -> str:
    """A name that may be empty, as a topic may.

    :raises NotJson: it is no text, or has lone surrogates.
    """
    try:
        name.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise NotJson(f'This is no name of a {what}: {name!r}') from error
    return name


def escaped(name: str) -> str:
    """A part of a Redis key that holds no ``:``, ``{`` or ``}``; no two names give the same.

    >>> escaped('a:{b}')
    'a%3A%7Bb%7D'
    """
    return quote(name, safe='')
