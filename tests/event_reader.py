"""A reader of a live stream of events, on a plain socket."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit


class EventReader:
    """Asks for a stream, and reads it with the rules of the HTML standard.

    :param headers: sent besides.
    :param window: bytes that the kernel takes in for us; 0 for its own choice.
    """

    def __init__(self, url: str, path: str, window: int = 0, **headers: str) -> None:
        self.link = socket.socket()
        if window:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.link.settimeout(100)
        parts = urlsplit(url)
        self.link.connect((parts.hostname, parts.port))
        named = {'Host': 'localhost', 'Accept': 'text/event-stream'}
        named.update({name.replace('_', '-'): value for name, value in headers.items()})
        lines = [f'GET {path} HTTP/1.1', *(f'{name}: {value}' for name, value in named.items())]
        self.link.sendall('\r\n'.join([*lines, '', '']).encode())
        self._file = self.link.makefile('rb')
        self.status = 0
        self.headers: dict[str, str] = {}
        self.last_id = ''
        self.comments = 0
        #: Whether the stream has come to its end, and was not cut.
        self.ended = False
        self._text = b''

    def begin(self) -> 'EventReader':
        """Read the head of the answer and how the stream opens; see ``refusal`` for others."""
        self.status = int(self._file.readline().split()[1])
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(': ')
            self.headers[name.lower()] = value
        if self.status == 200:
            assert self.headers['content-type'] == 'text/event-stream', self.headers
            assert self.headers['transfer-encoding'] == 'chunked', self.headers
            self._read(self._frame() or b'')
        return self

    def refusal(self) -> str:
        """The message of an error."""
        ((_, error),) = json.loads(self._file.read(int(self.headers['content-length']))).items()
        return str(error['message'])

    def next(self) -> tuple[str, Any] | None:
        """The kind and the data of the next event; None at the end of the stream."""
        while (frame := self._frame()) is not None:
            fields = self._read(frame)
            if 'data' in fields:
                return fields['event'], json.loads(fields['data'])
        return None

    def wait_for_comment(self) -> None:
        """Read until the next comment, or the end; nothing else may come before."""
        before = self.comments
        while self.comments == before and (frame := self._frame()) is not None:
            assert not self._read(frame), frame

    def take(self, count: int) -> list[Any]:
        """The data of so many events."""
        found = [self.next() for _ in range(count)]
        return [event[1] for event in found if event is not None]

    def close(self) -> None:
        self._file.close()
        self.link.close()

    def _read(self, frame: bytes) -> dict[str, str]:
        """The fields of a frame, by name."""
        fields: dict[str, str] = {}
        for line in frame.decode().split('\n'):
            name, _, value = line.partition(': ')
            if name:
                fields[name] = value
            self.comments += line.startswith(':')
        self.last_id = fields.get('id', self.last_id)
        return fields

    def _frame(self) -> bytes | None:
        while b'\n\n' not in self._text:
            data = self._chunk()
            if not data:
                return None
            self._text += data
        frame, _, self._text = self._text.partition(b'\n\n')
        return frame

    def _chunk(self) -> bytes:
        try:
            line = self._file.readline()
            size = int(line, 16) if line else 0
            data = self._file.read(size + 2)[:-2]
        except OSError:
            return b''
        self.ended = bool(line) and not size
        return data if len(data) == size else b''
