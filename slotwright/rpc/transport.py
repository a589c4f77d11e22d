"""The transport under all RPC: which driver, with which defaults."""

from collections.abc import Callable

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import transport as oslo_transport
from oslo_messaging._drivers import amqp, impl_rabbit

from slotwright.loading import InvalidConfiguration
from slotwright.rpc.broker import Broker
from slotwright.rpc.contract import EXCHANGE

#: Exceptions of these modules cross the wire as themselves.
ERROR_MODULES = ('slotwright.domain.errors',)


def set_defaults() -> None:
    """Change defaults of oslo.messaging's options, before anybody registers them.

    Durable queues: what waits in them outlives a restart of the broker (measured: 20 of
    20 casts, instead of none). A heartbeat of 15 s: a broker that fell silent is noticed
    in that time and not in a minute, and a listener stops within 3 s. The shorter
    reconnect delay bounds what a request waits for while the broker is down, and after an
    outage everybody listens again within 5 s, not 30. A queue for answers or a fanout that
    nobody listens on any more goes after 5 minutes: longer than any call, and not half an
    hour of what a killed daemon or a removed node left.
    """
    oslo_messaging.set_transport_defaults(EXCHANGE)
    cfg.set_defaults(amqp.amqp_opts, amqp_durable_queues=True)
    cfg.set_defaults(
        impl_rabbit.rabbit_opts,
        heartbeat_timeout_threshold=15,
        kombu_reconnect_delay=0.2,
        rabbit_interval_max=5,
        rabbit_transient_queues_ttl=300,
    )


def register_options(conf: cfg.ConfigOpts) -> None:
    """Register ``transport_url`` and ``control_exchange``, which may then be overridden."""
    set_defaults()
    oslo_transport.TransportURL(conf)


#: Told of each message sent: topic, method, outcome and seconds. The outcome is 'sent' (nobody
#: was to answer), 'answered', 'silent', or the code of an error.
Observer = Callable[[str, str, str, float], None]


def observe_nothing(_topic: str, _method: str, _outcome: str, _seconds: float) -> None:
    """For who does not measure."""


class Transport(oslo_transport.RPCTransport):
    """An RPC transport that finds out in bounded time whether its broker answers.

    oslo.messaging makes the queue for answers at the first call and tries that for ever,
    whatever timeout and retry are given. So nothing is sent before the broker was seen
    to answer, and after a failed delivery it has to be seen again.
    """

    url: oslo_transport.TransportURL
    broker: Broker | None = None
    observe: Observer = staticmethod(observe_nothing)
    _called = False  # the queue for answers is there

    def ensure_reachable(self, for_call: bool = False) -> None:
        """Return at once, or after one look at the broker, when it is to be doubted.

        It is doubted before every call until the first one was ``answered``.

        :raises Unavailable: it does not answer.
        """
        if self.broker is not None:
            if for_call and not self._called:
                self.broker.doubt()
            self.broker.ensure_reachable()

    def answered(self) -> None:
        """A call went out, whatever came back: it had a queue for its answer."""
        self._called = True

    def doubt(self) -> None:
        """A delivery failed: look before the next one, here and in all twins."""
        if self.broker is not None:
            self.broker.doubt()

    def forget_server(self, topic: str, server: str) -> bool:
        """Delete the queue of a server that will not come back, with all that waits in it.

        Answers whether it is gone; it stays while somebody listens on it. Does nothing
        where no broker is: there a queue goes with its last message.

        :raises Unavailable: the broker does not answer.
        """
        return self.broker is None or self.broker.delete_queue(f'{topic}.{server}')

    def twin(self) -> 'Transport':
        """Another transport to the same place, with connections of its own."""
        return _open(self.conf, self.url, self.broker)


def get_transport(conf: cfg.ConfigOpts, url: str | None = None) -> Transport:
    """Open the transport at ``url``, else at the option ``transport_url``.

    Connects to nothing yet. ``conf`` has to be oslo.config's global object, because
    oslo.messaging registers some of its options only there.

    :raises InvalidConfiguration: for a URL that is none, or names no known driver.
    """
    set_defaults()
    try:
        return _open(conf, oslo_transport.TransportURL.parse(conf, url))
    except (
        oslo_messaging.InvalidTransportURL,
        oslo_messaging.DriverLoadFailure,
        ValueError,
    ) as error:
        raise InvalidConfiguration(f'transport_url: {error}') from error


def _open(
    conf: cfg.ConfigOpts, url: oslo_transport.TransportURL, broker: Broker | None = None
) -> Transport:
    transport: Transport = oslo_messaging.get_rpc_transport(
        conf, url, allowed_remote_exmods=list(ERROR_MODULES), transport_cls=Transport
    )
    transport.url = url
    if url.transport == 'rabbit':
        transport.broker = broker or Broker(conf, url)
    return transport
