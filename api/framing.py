"""What counts as a request, before the application sees it (RFC 9112), and how its body is read.

A proxy in front of us and we have to agree where a request ends and what its headers say, or
somebody could send one inside another. So whatever can be read in two ways is refused. Headers
are bounded and bodies are read as far as asked for: callers we do not know yet get here.
"""

import re
from typing import Protocol

from cheroot import server as cheroot_server

from slotwright.domain.errors import InvalidRequest

#: Bytes of the request line and all headers together.
LARGEST_HEAD = 65536

_LONGEST_CHUNK_LINE = 256  # bytes: a size, and extensions that nobody uses
_LONGEST_SIZE = 12  # hexadecimal digits

_METHOD = re.compile(rb"[!#$%&'*+.^`|~0-9A-Z-]+")
# Without the underscore: WSGI has one name for X-Roles and X_Roles, proxies have two.
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+")
_LENGTH = re.compile(rb'[0-9]{1,18}')
_CHUNK_SIZE = re.compile(rb'[0-9A-Fa-f]+')
#: Two of one of these say that sender and receiver disagree.
_ONCE = frozenset(
    {b'Authorization', b'Content-Length', b'Content-Type', b'Host', b'Origin', b'X-Auth-Token'}
)


class MalformedHead(ValueError):
    """A request line or header that can be read in two ways, or not at all."""


class Stream(Protocol):
    """What the bytes of a connection are read from; all methods may raise OSError."""

    def read(self, size: int) -> bytes: ...

    def readline(self, size: int) -> bytes: ...


class Headers(dict[bytes, bytes]):
    """Headers by name, as cheroot collects them.

    :raises MalformedHead: for one that is there twice, or goes on in the next line.
    """

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise MalformedHead(f'The header {name.decode("latin-1")} is there twice.')
        if b'\r' in value or b'\0' in value:
            raise MalformedHead(f'The header {name.decode("latin-1")} has a control character.')
        super().__setitem__(name, value)


class HeaderReader(cheroot_server.HeaderReader):
    """cheroot's, but for names that others would read otherwise."""

    def _transform_key(self, name: bytes) -> bytes:
        if not _HEADER_NAME.fullmatch(name):
            shown = name[:60].decode('latin-1')
            raise MalformedHead(f'{shown!r} is no name of a header; hyphens, not underscores.')
        return name.title()


def check_method(method: bytes) -> None:
    """:raises MalformedHead: for one with spaces or control characters, which would be logged."""
    if not _METHOD.fullmatch(method):
        raise MalformedHead('Malformed method name.')


def check_length(headers: Headers, protocol: str) -> None:
    """See that there is one way only to tell where the body ends.

    :param protocol: of the answer: ``HTTP/1.0`` or ``HTTP/1.1``
    :raises MalformedHead: otherwise.
    """
    length = headers.get(b'Content-Length')
    if length is not None and not _LENGTH.fullmatch(length):
        raise MalformedHead('Malformed Content-Length Header.')
    if b'Transfer-Encoding' in headers:
        if length is not None:
            raise MalformedHead('Send Content-Length or Transfer-Encoding, not both.')
        if protocol != 'HTTP/1.1':
            raise MalformedHead('Transfer-Encoding needs HTTP/1.1.')
        if headers[b'Transfer-Encoding'].lower() != b'chunked':
            raise MalformedHead('Transfer-Encoding can only be chunked.')


class SizedBody:
    """A body of announced length; ``remaining`` are the bytes not read yet."""

    def __init__(self, stream: Stream, length: int) -> None:
        self._stream = stream
        self.remaining = length

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end.

        :raises InvalidRequest: when they do not come.
        """
        wanted = self.remaining if size < 0 else min(size, self.remaining)
        data = _read(self._stream, wanted)
        if data is None:
            raise InvalidRequest('The body has fewer bytes than Content-Length says.')
        self.remaining -= wanted
        return data


class ChunkedBody:
    """A body in chunks (RFC 9112, 7.1), of which no more is held than was asked for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = 0  # of the chunk
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end.

        :raises InvalidRequest: for malformed chunks, and when they do not come.
        """
        parts = []
        while size and (self._left or self._next_chunk()):
            part = self._take(self._left if size < 0 else min(size, self._left))
            self._left -= len(part)
            if not self._left and self._take(2) != b'\r\n':
                raise _unreadable('a chunk does not end where it should')
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b''.join(parts)

    def _next_chunk(self) -> int:
        """Read a chunk's first line; answers its size, 0 when that was the last chunk."""
        if self._ended:
            return 0
        try:
            line = self._stream.readline(_LONGEST_CHUNK_LINE)
        except OSError:
            line = b''
        size = line.partition(b';')[0].strip()
        if not line.endswith(b'\r\n') or not _CHUNK_SIZE.fullmatch(size):
            raise _unreadable('a chunk has no size')
        if len(size) > _LONGEST_SIZE:
            raise _unreadable('a chunk is too large')
        self._left = int(size, 16)
        self._ended = not self._left  # what may follow, trailers, nobody reads
        return self._left

    def _take(self, size: int) -> bytes:
        data = _read(self._stream, size)
        if data is None:
            raise _unreadable('it ends within a chunk')
        return data


Body = SizedBody | ChunkedBody


def _unreadable(why: str) -> InvalidRequest:
    return InvalidRequest(f'The body cannot be read: {why}.')


def _read(stream: Stream, size: int) -> bytes | None:
    """``size`` bytes; None when the caller is gone or silent for too long."""
    try:
        data = stream.read(size) if size else b''
    except OSError:
        return None
    return data if len(data) == size else None
