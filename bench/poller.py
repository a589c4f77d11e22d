"""Tells when Redis nodes have become one cluster, as nobody's client.

A program of its own that imports nothing of ours: raw sockets, and CLOCK_MONOTONIC, which
all processes of a machine share. It reads one JSON line, ``{"nodes": [[ip, port], …],
"user": …, "password": …}``, writes ``ready``, and then looks every few milliseconds. When
every node says ``cluster_state:ok`` and all have the same full slot map, it writes the time.
"""

import json
import socket
import sys
import time

EVERY = 0.005  # seconds
PATIENCE = 120.0  # seconds
SLOTS = 16384


class Link:
    """One connection; answers are bulk strings or errors, which suffices here."""

    def __init__(self, ip: str, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection((ip, port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile('rb')
        if password:
            self.send('AUTH', user, password)
            self._line()

    def send(self, *words: str) -> None:
        parts = [f'*{len(words)}\r\n', *(f'${len(word)}\r\n{word}\r\n' for word in words)]
        self._socket.sendall(''.join(parts).encode())

    def read(self) -> str:
        size = int(self._line()[1:])
        return self._file.read(size + 2).decode()

    def ask(self, *words: str) -> str:
        self.send(*words)
        return self.read()

    def _line(self) -> bytes:
        line = self._file.readline()
        if line[:1] not in (b'$', b'+'):
            raise RuntimeError(f'Redis answers {line!r}')
        return line


def is_ok(link: Link) -> bool:
    return 'cluster_state:ok' in link.ask('CLUSTER', 'INFO')


def slot_map(nodes: str, expected: int) -> frozenset[tuple[str, ...]]:
    """(Owner, its slots as Redis writes them …) from CLUSTER NODES.

    Empty unless exactly ``expected`` nodes are known and well. Not a dictionary by slot: the
    looking must not take the processor from those who form.
    """
    lines = [line.split() for line in nodes.splitlines() if line]
    if len(lines) != expected or any('handshake' in f[2] or 'fail' in f[2] for f in lines):
        return frozenset()
    return frozenset((fields[0], *fields[8:]) for fields in lines)


def covered(owners: frozenset[tuple[str, ...]]) -> int:
    """How many slots are owned; ranges come as "0-5460" or "7"."""
    bounds = [item.partition('-') for owner in owners for item in owner[1:]]
    return sum(int(last or first) - int(first) + 1 for first, _, last in bounds)


def agree(links: list[Link]) -> bool:
    """Ask all nodes at once."""
    for link in links:
        link.send('CLUSTER', 'INFO')
        link.send('CLUSTER', 'NODES')
    answers = [(link.read(), link.read()) for link in links]
    if any('cluster_state:ok' not in info for info, _ in answers):
        return False
    first, *others = (slot_map(nodes, len(links)) for _, nodes in answers)
    return all(other == first for other in others) and covered(first) == SLOTS


def wait(links: list[Link]) -> float:
    """Look at one node until it is ok, then at the next, and then at all together.

    :raises TimeoutError: after ``PATIENCE`` seconds.
    """
    began = time.monotonic()
    remaining = list(links)
    while time.monotonic() < began + PATIENCE:
        while remaining and is_ok(remaining[-1]):
            remaining.pop()
        if not remaining and agree(links):
            return time.monotonic()
        time.sleep(EVERY)
    raise TimeoutError(f'no cluster after {PATIENCE:g} s')


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    links = [Link(ip, port, asked['user'], asked['password']) for ip, port in asked['nodes']]
    print('ready', flush=True)
    print(wait(links), flush=True)


if __name__ == '__main__':
    main()
