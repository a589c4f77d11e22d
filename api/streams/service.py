"""Live streams, as the REST daemon has them: one hub, and one sender for all readers."""

import socket

from prometheus_client import CollectorRegistry, Gauge

from api.streams.hub import ROOM, Hub
from api.streams.scope import Scope
from api.streams.sender import Sender, Times
from api.streams.stream import Render, Stream
from slotwright.storage.events import EventStore


class Reader:
    """An opened stream that waits for its connection; a ``handover.Taker``."""

    def __init__(self, hub: Hub, sender: Sender, stream: Stream) -> None:
        self._hub = hub
        self._sender = sender
        self._stream = stream

    def take(self, connection: socket.socket, *, chunked: bool) -> None:
        self._sender.add(
            connection,
            self._stream.outbox,
            chunked=chunked,
            drained=self._drained,
            over=self.cancel,
        )

    def cancel(self) -> None:
        self._hub.close(self._stream)

    def _drained(self) -> None:
        if not self._stream.live:
            self._hub.refill()


class Streams:
    """A service; ``hub`` is for whoever subscribes to events.

    :param most: streams at the same time.
    :param most_of_project: of them, those of one project.
    """

    def __init__(
        self,
        store: EventStore,
        render: Render,
        *,
        most: int,
        most_of_project: int,
        poll: float = 1.0,
        room: int = ROOM,
        times: Times | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._sender = Sender(times)
        self.hub = Hub(
            store,
            render,
            most=most,
            most_of_project=most_of_project,
            poll=poll,
            room=room,
            wake=self._sender.wake,
        )
        if registry is not None:
            gauge = Gauge(
                'slotwright_event_streams',
                'Live streams of events that are open at this daemon.',
                registry=registry,
            )
            gauge.set_function(lambda: self.hub.open_streams)

    def open(self, scope: Scope, after: int) -> Reader:
        """A stream of what comes after a number, to be taken or cancelled.

        :raises OverLimit: when the project has too many.
        :raises Unavailable: when there are too many, or none any more.
        """
        return Reader(self.hub, self._sender, self.hub.open(scope, after))

    def start(self) -> None:
        self.hub.start()
        self._sender.start()

    def stop(self) -> None:
        """End all streams; what is ready for them is sent before."""
        self.hub.stop()
        self._sender.stop()

    def wait(self) -> None:
        self.hub.wait()
        self._sender.wait()
