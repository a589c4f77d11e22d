"""Guest agents by fork, from a process that has imported all they need.

An agent takes 0.5 s of CPU until it serves, most of it for imports, so six that start at
once on two cores keep one another from serving for 1.5 s. One forked here takes 0.06 s and
shares its memory. The taskmanager's side is ``taskmanager/provisioners/nursery.py``.

The nursery has one thread, a socket to its taskmanager, and no other state: it ends with
the socket, and the agents go on.
"""

import gc
import json
import os
import select
import socket
import sys

import kombu
import setproctitle
from stevedore import driver

from slotwright.cmd import guestagent
from slotwright.engine import version_found

MAX_ORDER = 65536  # bytes
#: Plug-ins that every agent loads, by group. The first look for any reads the metadata of
#: all that is installed (measured: 0.2 s of CPU).
PLUGINS = (('oslo.messaging.drivers', 'rabbit'), ('oslo.messaging.executors', 'threading'))


class Nursery:
    """Takes orders from ``link``, a socket of SOCK_SEQPACKET.

    An order is a JSON list, the agent's whole command line as it shall show, and the
    descriptor of its log; the answer is the agent's pidfd.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._children: dict[int, int] = {}  # pid by pidfd

    def serve(self) -> list[str] | None:
        """Serve until the socket ends; answers None then.

        Answers in each child as well: what it was ordered to be.
        """
        while True:
            waiting = select.poll()
            for descriptor in (self._link.fileno(), *self._children):
                waiting.register(descriptor, select.POLLIN)
            for descriptor, _ in waiting.poll():
                if descriptor in self._children:
                    os.waitpid(self._children.pop(descriptor), 0)
                    os.close(descriptor)
                    continue
                order, (log, *_) = _received(self._link)
                if not order:
                    return None
                if self._fork(log):
                    return order

    def _fork(self, log: int) -> bool:
        """True in the child, which has nothing of ours any more but its log."""
        pid = os.fork()
        if pid:
            os.close(log)
            child = os.pidfd_open(pid)  # not reaped yet, so it can be no other
            self._children[child] = pid
            socket.send_fds(self._link, [b'.'], [child])
            return False
        os.setsid()
        self._link.close()
        for descriptor in self._children:
            os.close(descriptor)
        for standard in (1, 2):
            os.dup2(log, standard)
        os.close(log)
        return True


def _received(link: socket.socket) -> tuple[list[str], list[int]]:
    data, descriptors, _, _ = socket.recv_fds(link, MAX_ORDER, 1)
    if not data:
        return [], [-1]
    return json.loads(data), descriptors


def main() -> int:
    """The only argument is the descriptor of the socket."""
    for group, name in PLUGINS:
        driver.DriverManager(group, name)
    # Both would be imported at an agent's first connection.
    kombu.Connection('amqp://').get_transport_cls()
    'localhost'.encode('idna')
    version_found({})  # and remembered for all agents
    gc.collect()
    gc.freeze()  # or a collection in a child would touch, and so copy, all that is shared
    with socket.socket(fileno=int(sys.argv[1])) as link:
        command = Nursery(link).serve()
    if command is None:
        return 0
    # Else ps would call every agent a nursery.
    setproctitle.setproctitle(' '.join(command))
    return guestagent.main(command[3:])


if __name__ == '__main__':
    raise SystemExit(main())
