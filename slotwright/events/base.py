"""The interface of a driver: what another database would overwrite.

Values and payloads are whatever JSON can say. Names of tables, topics, keys and channels are
text, none of them empty but the topic. Everything here may be used from any thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: Called with each payload of a channel, one after the other. It may use the driver. What it
#: raises is logged and harms nobody.
Function = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages may have been missed: these subscriptions were cleared, and stay so.

    Whoever wants them subscribes again, then reads anew what the messages would have told.
    """

    channels: tuple[str, ...]
    reason: str


#: Called once for each loss, when the connection stands again.
Told = Callable[[Lost], None]


class Tables(Protocol):
    """Tables of rows; a row is a value under table, topic and key.

    A topic is a part of a table that is listed by itself. A table is there once it has a row.
    All raise ``StoreUnavailable`` when up to three tries lost their connections (case 1 of the
    blueprint), ``StoreRefused`` at once for any other failure, and ``NotJson`` for names and
    values that cannot be.
    """

    def create(self, table: str, key: str, value: Any, topic: str = '') -> None:
        """Add a row.

        What fails leaves nothing: a row that was added though the answer was lost is deleted
        again, later where the store cannot be reached now.

        :raises RowExists: there is one, and it stays as it is.
        """

    def get(self, table: str, key: str, topic: str = '') -> Any:
        """Read the value of a row.

        :raises RowNotFound: there is none.
        """

    def set(self, table: str, key: str, value: Any, topic: str = '') -> None:
        """Change the value of a row. A failure does not tell whether it was changed.

        :raises RowNotFound: there is none, and none is made.
        """

    def delete(self, table: str, key: str, topic: str = '') -> None:
        """Remove a row. Never undone: a failure does not tell whether it is gone.

        :raises RowNotFound: there is none.
        """

    def keys(self, table: str, topic: str | None = None) -> Sequence[str]:
        """The keys of a topic, or of all topics of the table, in no order; [] for none."""

    def values(self, table: str, topic: str | None = None) -> Sequence[Any]:
        """The values of a topic, or of all topics of the table, in no order; [] for none."""

    def allocate(self, table: str) -> int:
        """A number from 1 that this table never gave before; some may be left out."""


class Publisher(Protocol):
    """Sends messages, over one node."""

    def publish(self, channel: str, payload: Any) -> None:
        """Hand ``payload`` to whoever is subscribed to ``channel`` now; it is sent once.

        :raises PublishFailed: it may or may not have been published (case 2); the connection
            has been made anew where that was the reason and it can be.
        :raises NotJson: nothing was sent.
        """

    def publish_many(self, channel: str, payloads: Sequence[Any]) -> None:
        """The same for several, in their order and in one round trip.

        :raises PublishFailed: any number of them may have been published.
        :raises NotJson: nothing was sent.
        """

    def close(self) -> None:
        """Leave no connection."""


class Subscriber(Protocol):
    """Calls functions with what is published, over one node."""

    def subscribe(self, channel: str, function: Function) -> None:
        """From when this returns, ``function`` is called with each payload.

        A loss from then on names the channel.

        A slow function delays its own channel only. Far behind, its subscription is lost.
        A function that the channel had is replaced.

        :raises SubscribeFailed: it is not subscribed (case 3).
        """

    def unsubscribe(self, channel: str) -> None:
        """When this returns no further call begins. Silent where nothing was subscribed.

        :raises SubscribeFailed: the server did not confirm; no call begins all the same.
        """

    def close(self) -> None:
        """Leave no thread and no connection; functions that run are waited for, not for ever."""


class Driver(Protocol):
    """A store, connected to all of its nodes."""

    @property
    def tables(self) -> Tables:
        """The tables."""

    def publisher(self) -> Publisher:
        """A new one, on the node that has the fewest. It never fails: publishing may."""

    def subscriber(self, told: Told) -> Subscriber:
        """A new one, on the node that has the fewest. It never fails: subscribing may.

        When its connection is lost (case 4) all of its subscriptions are cleared; it connects
        again, elsewhere if that node stays dead, and then calls ``told`` once.
        """

    def close(self) -> None:
        """Close all, publishers and subscribers too."""
