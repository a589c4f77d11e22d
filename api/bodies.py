"""Reading a request body: bounded, JSON, and nothing that the database cannot hold."""

import json
import math
from typing import Any, NoReturn

import falcon

from api.errors import UnsupportedMediaType
from slotwright.domain.errors import InvalidRequest, OverLimit

_DEEPEST = 20  # levels of nesting; the deepest body of ours has 6


def check_size(req: falcon.Request, limit: int) -> None:
    """Refuse a body by its announced size, before any of it is read.

    :raises OverLimit: for more than ``limit`` bytes.
    """
    if (req.content_length or 0) > limit:
        raise OverLimit(
            f'The body has {req.content_length} bytes; at most {limit} bytes are accepted.'
        )


def read(req: falcon.Request, limit: int) -> Any:
    """The JSON document in the body of ``req``, at most ``limit`` bytes; None if empty.

    :raises OverLimit: for a longer one (of unannounced length, so sent in chunks).
    :raises UnsupportedMediaType: when it is declared to be anything but JSON.
    :raises InvalidRequest: when it is no JSON text (RFC 8259).
    """
    raw = _read(req, limit)
    if not raw.strip():
        return None
    declared = (req.content_type or 'application/json').partition(';')[0].strip().lower()
    if declared != 'application/json' and not declared.endswith('+json'):
        raise UnsupportedMediaType(
            f'The body is declared as {declared!r}; send JSON with Content-Type: application/json.'
        )
    return parse(raw)


def _read(req: falcon.Request, limit: int) -> bytes:
    check_size(req, limit)
    if req.content_length is not None:
        return bytes(req.bounded_stream.read())
    if not req.env.get('wsgi.input_terminated'):
        return b''
    raw = bytes(req.stream.read(limit + 1))
    if len(raw) > limit:
        raise OverLimit(f'The body is too long; at most {limit} bytes are accepted.')
    return raw


def parse(raw: bytes) -> Any:
    r"""Parse JSON strictly.

    :raises InvalidRequest: for malformed text, NaN and infinities, deep nesting, and
        strings with a NUL or half a surrogate pair, which no database takes.

    >>> parse(b'{"a": [1, "x"]}')
    {'a': [1, 'x']}
    """
    try:
        text = raw.decode(json.detect_encoding(raw))
        document = _DECODER.decode(text)
    except RecursionError:
        raise InvalidRequest(_malformed('it is nested too deep')) from None
    except ValueError as error:  # also UnicodeDecodeError, and integers of 4301 digits
        raise InvalidRequest(_malformed(str(error))) from None
    # Most bodies need no look inside: both faults take an escape, and no body without that
    # many brackets is that deep.
    if '\\u' in text or text.count('[') + text.count('{') > _DEEPEST:
        _check(document)
    return document


def _check(document: Any) -> None:
    pending = [(document, 1)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict | list):
            if depth > _DEEPEST:
                raise InvalidRequest(_malformed(f'it is nested deeper than {_DEEPEST} levels'))
            inner = value if isinstance(value, list) else [*value, *value.values()]
            pending.extend((item, depth + 1) for item in inner)


def _check_text(text: str) -> None:
    if '\0' in text:
        raise InvalidRequest(_malformed('a string has a NUL character in it'))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(_malformed('a string has half a surrogate pair in it')) from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f'{text} is out of range')
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is no JSON number')


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _malformed(why: str) -> str:
    return f'Malformed request body: {why}.'
