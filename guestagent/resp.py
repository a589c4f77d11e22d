"""The wire protocol of Redis, version 2 (redis.io, "RESP"): as much as an agent needs.

A client library would double what an agent imports, and so the time a host needs to start
many of them (measured: 0.19 of 0.45 s of CPU).
"""

import select
import socket
from collections.abc import Iterable, Sequence
from typing import Any

Command = Sequence[str | int]


class ReplyError(Exception):
    """An error that Redis answered; the text is without the generic ``ERR``."""


class ProtocolError(OSError):
    """What came is no answer of a Redis, or it came in pieces and then ended."""


def pack(commands: Iterable[Command]) -> bytes:
    r"""Write commands as arrays of bulk strings.

    >>> pack([('CLUSTER', 'MEET', '::1', 7000)])
    b'*4\r\n$7\r\nCLUSTER\r\n$4\r\nMEET\r\n$3\r\n::1\r\n$4\r\n7000\r\n'
    """
    parts: list[bytes] = []
    for command in commands:
        parts.append(b'*%d\r\n' % len(command))
        for word in command:
            data = str(word).encode()
            parts.append(b'$%d\r\n%b\r\n' % (len(data), data))
    return b''.join(parts)


class Connection:
    """One connection; not for several threads at a time."""

    def __init__(self, ip: str, port: int, connect_timeout: float, timeout: float) -> None:
        """Connect.

        :param timeout: seconds that each wait for something to read or write may take.
        :raises OSError: when nobody takes the connection in ``connect_timeout`` seconds.
        """
        self._socket = socket.create_connection((ip, port), timeout=connect_timeout)
        self._socket.settimeout(timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile('rb')

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one go; answers in order, error answers as ReplyError.

        :raises OSError: when the connection breaks or an answer takes too long; it cannot
            be used any more.
        """
        self._socket.sendall(pack(commands))
        return [self._read() for _ in commands]

    def is_idle(self) -> bool:
        """Whether nothing is to be read; between commands that would be its end."""
        waiting = select.poll()  # select() refuses descriptors above 1023
        waiting.register(self._socket, select.POLLIN)
        return not waiting.poll(0)

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def _read(self) -> Any:
        line = self._reader.readline()
        if not line.endswith(b'\r\n'):
            raise ProtocolError('the connection was closed')
        kind, rest = line[:1], line[1:-2]
        try:
            return self._value(kind, rest)
        except ValueError as e:
            raise ProtocolError(f'no answer of a Redis: {line[:40]!r}') from e

    def _value(self, kind: bytes, rest: bytes) -> Any:
        match kind:
            case b'+':
                return rest.decode()
            case b'-':
                return ReplyError(rest.decode(errors='replace').removeprefix('ERR '))
            case b':':
                return int(rest)
            case b'$':
                return self._bulk(int(rest))
            case b'*':
                count = int(rest)
                return None if count < 0 else [self._read() for _ in range(count)]
            case _:
                raise ValueError(kind)

    def _bulk(self, size: int) -> str | None:
        if size < 0:
            return None
        data = self._reader.read(size + 2)
        if len(data) != size + 2:
            raise ProtocolError('the connection was closed')
        return data[:-2].decode()
