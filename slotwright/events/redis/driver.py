"""The drivers on one Redis server and on a Redis Cluster."""

import re
import threading
from collections.abc import Sequence
from typing import TypeVar

from oslo_config import cfg
from redis import connection

from slotwright.events import base
from slotwright.events.redis.cluster import Cluster
from slotwright.events.redis.publisher import RedisPublisher
from slotwright.events.redis.servers import Node, OneServer, Servers, Spread
from slotwright.events.redis.subscriber import RedisSubscriber
from slotwright.events.redis.tables import RedisTables
from slotwright.loading import InvalidConfiguration
from slotwright.redis_uri import Target, parse

PREFIX = 'slotwright'
_URI = '[events] uri'
_Part = TypeVar('_Part', RedisPublisher, RedisSubscriber)


class RedisDriver:
    """See ``slotwright.events.base.Driver``."""

    def __init__(self, servers: Servers, prefix: str = PREFIX) -> None:
        """``prefix`` begins the names of all keys and channels."""
        if not re.fullmatch(r'[\w.:-]+', prefix, re.ASCII):
            raise InvalidConfiguration(
                f'[events] prefix = {prefix}: letters, digits and _ . : - make it up'
            )
        self._servers = servers
        self._prefix = prefix
        self._spread = Spread(servers)
        self._parts: set[RedisPublisher | RedisSubscriber] = set()
        self._lock = threading.Lock()
        self._tables = RedisTables(servers, prefix)
        self._closed = False
        try:
            servers.connect()
        except InvalidConfiguration:
            servers.close()
            raise

    @property
    def tables(self) -> base.Tables:
        return self._tables

    def publisher(self) -> base.Publisher:
        return self._keep(RedisPublisher(self._spread, self._prefix, self._parts.discard))

    def subscriber(self, told: base.Told) -> base.Subscriber:
        return self._keep(RedisSubscriber(self._spread, self._prefix, told, self._parts.discard))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            parts = list(self._parts)
        for part in parts:
            part.close()
        self._tables.close()
        self._servers.close()

    def _keep(self, part: _Part) -> _Part:
        with self._lock:
            closed = self._closed
            self._parts.add(part)
        if closed:
            part.close()
        return part


class OneServerDriver(RedisDriver):
    """``[events] driver = redis``."""

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts) -> 'OneServerDriver':
        """See ``slotwright.events.drivers.DriverClass``."""
        return cls.at(conf.events.uri, conf.events.prefix)

    @classmethod
    def at(cls, uri: str, prefix: str = PREFIX) -> 'OneServerDriver':
        """Connect to the server at ``uri``, see ``slotwright.redis_uri``.

        :raises InvalidConfiguration: for a uri or prefix that cannot be used.
        """
        return cls(OneServer(parse(uri, _URI)), prefix)


class ClusterDriver(RedisDriver):
    """``[events] driver = redis_cluster``."""

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts) -> 'ClusterDriver':
        """See ``slotwright.events.drivers.DriverClass``."""
        return cls.at(conf.events.uri, conf.events.nodes, conf.events.prefix)

    @classmethod
    def at(cls, uri: str, nodes: Sequence[str] = (), prefix: str = PREFIX) -> 'ClusterDriver':
        """Connect to the cluster of the node at ``uri``; ``nodes`` are more, as host:port.

        :raises InvalidConfiguration: for what cannot be used.
        """
        target = _clustered(parse(uri, _URI))
        first = (target.options['host'], target.options['port'])
        return cls(Cluster(target, [first, *(seed(node) for node in nodes)]), prefix)


def _clustered(target: Target) -> Target:
    if target.kind is connection.UnixDomainSocketConnection or target.options['db']:
        raise InvalidConfiguration(
            f'{_URI} cannot be used: a Redis Cluster has no Unix socket and no database but 0'
        )
    return target


def seed(text: str) -> Node:
    """Host and port of a node.

    :raises InvalidConfiguration: it is not host:port.

    >>> seed('[::1]:7000')
    ('::1', 7000)
    """
    host, _, port = text.rpartition(':')
    host = host.removeprefix('[').removesuffix(']')
    if not host or '@' in host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise InvalidConfiguration('[events] nodes: each is host:port, login is in uri')
    return host, int(port)
