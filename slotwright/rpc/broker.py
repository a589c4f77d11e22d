"""What is asked of the message broker itself, besides carrying messages.

Everything here is bounded in time: oslo.messaging would go on trying for ever.
"""

import ssl
from typing import Any
from urllib.parse import quote

import kombu
from kombu.exceptions import ChannelError, ConnectionError, KombuError
from oslo_config import cfg

from slotwright.domain.errors import Unavailable

#: What kombu raises when the broker is away or refuses us.
BROKER_ERRORS = (KombuError, ConnectionError, ChannelError, OSError)

DEFAULT_PORT = 5672
TIMEOUT = 1.5  # seconds a host may take to let us in, and for each answer after that

_RESOURCE_LOCKED = 405
_NOT_FOUND = 404
_PRECONDITION_FAILED = 406


class Broker:
    """A RabbitMQ, as a transport URL of oslo.messaging names it (maybe several hosts)."""

    def __init__(self, conf: cfg.ConfigOpts, url: Any) -> None:
        self._options = conf.oslo_messaging_rabbit
        self._url = url
        self._seen = False

    def ensure_reachable(self) -> None:
        """Return at once, or after a look, when there was none yet or since a ``doubt``.

        :raises Unavailable: no host let us in.
        """
        if not self._seen:
            self.check()
            self._seen = True

    def doubt(self) -> None:
        """A delivery failed: look before the next one."""
        self._seen = False

    def check(self) -> None:
        """Log in once and leave.

        :raises Unavailable: no host let us in.
        """
        with self._connect():
            pass

    def delete_queue(self, name: str) -> bool:
        """Delete the queue with all that waits in it, unless somebody consumes from it.

        Answers whether it is gone; a queue that never was is.

        :raises Unavailable: no host let us in.
        """
        with self._connect() as connection:
            try:
                kombu.Queue(name, channel=connection.channel()).delete(if_unused=True)
            except ChannelError as error:
                if error.code == _NOT_FOUND:
                    return True
                if error.code in (_PRECONDITION_FAILED, _RESOURCE_LOCKED):
                    return False
                raise Unavailable(f'The message broker refuses: {error}') from error
            except BROKER_ERRORS as error:
                raise Unavailable(f'The message broker went away: {error}') from error
        return True

    def _connect(self) -> kombu.Connection:
        urls = self._kombu_urls()
        connection = kombu.Connection(
            ';'.join(urls),
            ssl=self._tls(),
            login_method=self._options.rabbit_login_method,
            connect_timeout=TIMEOUT,
            transport_options={'read_timeout': TIMEOUT, 'write_timeout': TIMEOUT},
        )
        try:
            connection.ensure_connection(
                max_retries=len(urls) - 1, interval_start=0, interval_step=0, interval_max=0
            )
        except BROKER_ERRORS as error:
            connection.release()
            raise Unavailable(f'The message broker does not answer: {error}') from error
        return connection

    def _kombu_urls(self) -> list[str]:
        """One URL for each host, as kombu writes them.

        Without a host in the transport URL, oslo.messaging takes guest on localhost.
        """
        path = quote(self._url.virtual_host or '', safe='')
        if not self._url.hosts:
            return [f'amqp://guest:guest@localhost:{DEFAULT_PORT}/{path}']
        return [
            f'amqp://{quote(host.username or "", safe="")}:{quote(host.password or "", safe="")}'
            f'@{_bracketed(host.hostname)}:{host.port or DEFAULT_PORT}/{path}'
            for host in self._url.hosts
        ]

    def _tls(self) -> Any:
        """kombu's ``ssl`` argument, from the options that oslo.messaging has for it."""
        if not self._options.ssl:
            return False
        wanted: dict[str, Any] = {}
        if self._options.ssl_key_file:
            wanted['keyfile'] = self._options.ssl_key_file
        if self._options.ssl_cert_file:
            wanted['certfile'] = self._options.ssl_cert_file
        if self._options.ssl_ca_file:
            wanted['ca_certs'] = self._options.ssl_ca_file
            wanted['cert_reqs'] = ssl.CERT_REQUIRED
            if len(self._url.hosts) == 1:
                wanted['server_hostname'] = self._url.hosts[0].hostname
        return wanted or True


def _bracketed(hostname: str) -> str:
    return f'[{hostname}]' if ':' in hostname else hostname
