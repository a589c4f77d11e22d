"""How a request's connection outlives its thread.

A worker thread of the server answers a request and goes on to the next one. An application that
wants to go on sending gives the server, before it answers, somebody who takes the connection.
"""

import socket
from typing import Protocol

#: In the environ of a request: a function to call with a ``Taker``. Not every server has it.
KEY = 'slotwright.handover'


class Taker(Protocol):
    """Gets a connection once the head and the body so far have been sent; one of both is called."""

    def take(self, connection: socket.socket, *, chunked: bool) -> None:
        """It is the taker's to close. ``chunked``: how the body goes on."""

    def cancel(self) -> None:
        """The connection was lost before."""
