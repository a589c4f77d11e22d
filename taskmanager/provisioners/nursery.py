"""The way to a process that forks guest agents; see ``slotwright/cmd/nursery.py``."""

import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from slotwright.domain.errors import Unavailable

LOG = logging.getLogger(__name__)

#: Seconds for an answer; the nursery may have to be imported first, on a busy machine.
PATIENCE = 60.0


class Agent:
    """An agent that was started here, by its pidfd: nobody else can be meant."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def ended(self, patience: float = 0.0) -> bool:
        """Whether it has ended, waiting for that up to ``patience`` seconds."""
        ending = select.poll()
        ending.register(self._descriptor, select.POLLIN)
        return bool(ending.poll(patience * 1000))

    def kill(self) -> None:
        if not self.ended():
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it; it goes on."""
        os.close(self._descriptor)


class Nursery:
    """Starts agents. A nursery process that ended is replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None

    def warm_up(self) -> None:
        """See that the process runs, so that the next agent starts quickly."""
        with self._lock:
            self._connected()

    def spawn(self, command: Sequence[str], log: int) -> Agent:
        """Start an agent in a session of its own.

        :param command: its command line: a Python, ``-m``, a module, the arguments.
        :param log: descriptor for what it writes.
        :raises Unavailable: when the nursery fails, and its successor too.
        """
        with self._lock:
            for _ in range(2):
                try:
                    return _order(self._connected(), command, log)
                except OSError as error:
                    LOG.warning('The nursery of agents failed: %s', error)
                    self._drop()
        raise Unavailable('No guest agent can be started.')

    def close(self) -> None:
        """End the process; the agents go on."""
        with self._lock:
            self._drop()

    def _connected(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self._drop()
        if self._link is None:
            self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._link.settimeout(PATIENCE)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, '-m', 'slotwright.cmd.nursery', str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._link = self._process = None


def _order(link: socket.socket, command: Sequence[str], log: int) -> Agent:
    socket.send_fds(link, [json.dumps(list(command)).encode()], [log])
    data, descriptors, _, _ = socket.recv_fds(link, 16, 1)
    if not data:
        raise ConnectionError('it ended')
    return Agent(descriptors[0])
