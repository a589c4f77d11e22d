"""Reads Server-Sent Events (HTML standard, 9.2), as far as our API sends them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = 'text/event-stream'


@dataclass(frozen=True, slots=True)
class Message:
    """``number`` is the newest so far, to go on after. Without ``data`` it is all that was told."""

    number: int | None
    kind: str = ''
    data: Mapping[str, Any] | None = None


def parse(lines: Iterable[bytes]) -> Iterator[Message]:
    r"""Messages of a stream; what comes after the last empty line is none.

    >>> list(parse([b'id: 7\n', b'\n', b': still here\n', b'\n', b'data: {}\n']))
    [Message(number=7, kind='', data=None)]
    >>> list(parse([b'id: 8\n', b'event: x.y\n', b'data: {"id": 8}\n', b'\n']))
    [Message(number=8, kind='x.y', data={'id': 8})]

    :raises ValueError: for what is no such stream.
    """
    number: int | None = None
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip('\r\n').partition(':')
        if name:
            fields[name] = value.removeprefix(' ')
        elif not value and fields:
            if fields.get('id'):
                number = int(fields['id'])
            data = json.loads(fields['data']) if 'data' in fields else None
            if data is not None and not isinstance(data, dict):
                raise ValueError('an event that is no object')
            yield Message(number, fields.get('event', ''), data)
            fields = {}
