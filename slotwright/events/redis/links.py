"""Connections of redis-py that never repair themselves behind our back."""

from collections.abc import Mapping
from typing import Any

import redis
from redis import connection, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from slotwright.redis_uri import Target

#: As many as there are threads: who bounds those has bounded these.
MOST_CONNECTIONS = 2**16


def _options(target: Target) -> dict[str, Any]:
    # RESP2: in RESP3 redis-py adds handlers of its own. No retries: a publish whose answer is
    # lost would be published twice.
    return {**target.options, 'retry': Retry(NoBackoff(), 0), 'protocol': 2}


def client(target: Target) -> redis.Redis:
    """A client with connections of its own, made when needed, that tries everything once."""
    pool = redis.ConnectionPool(
        connection_class=target.kind, max_connections=MOST_CONNECTIONS, **_options(target)
    )
    return redis.Redis(connection_pool=pool)


class _Once:
    """A connection that connects once.

    redis-py's connect by themselves whenever they are used and are not connected. Then a
    subscriber would read from a connection on which nothing is subscribed, and never know.
    """

    _used = False

    def _connect(self) -> Any:
        if self._used:
            raise exceptions.ConnectionError('The connection is lost.')
        self._used = True
        return super()._connect()  # type: ignore[misc]


class _TCP(_Once, connection.Connection):
    pass


class _TLS(_Once, connection.SSLConnection):
    pass


class _Unix(_Once, connection.UnixDomainSocketConnection):
    pass


_ONCE: Mapping[Any, Any] = {
    connection.Connection: _TCP,
    connection.SSLConnection: _TLS,
    connection.UnixDomainSocketConnection: _Unix,
}


def connect(target: Target) -> Any:
    """A connection that has been answered a PING, and once it is lost stays lost.

    :raises redis.RedisError: it cannot be made.
    """
    made = _ONCE[target.kind](**_options(target))
    try:
        made.connect()
        made.send_command('PING', check_health=False)
        made.read_response()
    except BaseException:
        made.disconnect()
        raise
    return made
