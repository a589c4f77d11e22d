"""Server-Sent Events as text (HTML standard, 9.2)."""

import json
from typing import Any

MEDIA_TYPE = 'text/event-stream'

#: Milliseconds after which a browser connects again.
RETRY = 2000

#: Says nothing, but that the stream is alive.
KEEP_ALIVE = b': still here\n\n'


def opening(after: int) -> bytes:
    """What a stream begins with: a reader that loses it now goes on after this number.

    >>> opening(7)
    b'id: 7\\nretry: 2000\\n\\n'
    """
    return f'id: {after}\nretry: {RETRY}\n\n'.encode()


def event(number: int, kind: str, body: dict[str, Any]) -> bytes:
    r"""One event. JSON has no line ends of its own.

    >>> event(8, 'cluster.deleted', {'id': 8})
    b'id: 8\nevent: cluster.deleted\ndata: {"id": 8}\n\n'
    """
    return f'id: {number}\nevent: {kind}\ndata: {json.dumps(body)}\n\n'.encode()


def forgotten(after: int) -> bytes:
    """Tells that events are missing between this number and the next event."""
    told = {
        'after': after,
        'message': f'Events after {after} are forgotten: look at the state of what they were about',
    }
    return f'event: forgotten\ndata: {json.dumps(told)}\n\n'.encode()


def chunk(data: bytes) -> bytes:
    r"""As one chunk of a body (RFC 9112, 7.1); of nothing, the last one.

    >>> chunk(b'ab'), chunk(b'')
    (b'2\r\nab\r\n', b'0\r\n\r\n')
    """
    return b'%x\r\n%b\r\n' % (len(data), data)
