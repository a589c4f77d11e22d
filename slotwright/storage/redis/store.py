"""The management store on Redis."""

from oslo_config import cfg

from slotwright.redis_uri import parse
from slotwright.storage import management
from slotwright.storage.redis.catalogue import Catalogue
from slotwright.storage.redis.flavors import Flavors
from slotwright.storage.redis.link import Link
from slotwright.storage.redis.pools import Pools
from slotwright.storage.sqlalchemy.transactions import Database

GROUP = 'drivers:management_store:redis'


class RedisPoolStore:
    """Pools, flavors and catalogue in one database of a Redis (7) or Valkey server.

    Each operation is one script, or one command, and one round trip.
    """

    def __init__(
        self, link: Link, capabilities: management.SchemeCapabilities = management.no_capabilities
    ) -> None:
        self._link = link
        self.pools: management.PoolsController = Pools(link, capabilities)
        self.flavors: management.FlavorsController = Flavors(link)
        self.catalogue: management.CatalogueController = Catalogue(link)

    @classmethod
    def connect(
        cls,
        uri: str,
        *,
        max_reconnect_attempts: int = 10,
        reconnect_sleep: float = 1.0,
        capabilities: management.SchemeCapabilities = management.no_capabilities,
    ) -> 'RedisPoolStore':
        """Open the store at ``uri``, see ``slotwright.redis_uri``.

        Nothing is connected before it is needed. ``reconnect_sleep`` is in seconds.

        :raises InvalidConfiguration: for a uri that cannot be used.
        """
        return cls(
            Link(parse(uri, f'[{GROUP}] uri'), max_reconnect_attempts, reconnect_sleep),
            capabilities,
        )

    @classmethod
    def from_config(
        cls,
        conf: cfg.ConfigOpts,
        database: Database,  # noqa: ARG003 - of the other driver
        capabilities: management.SchemeCapabilities = management.no_capabilities,
    ) -> 'RedisPoolStore':
        """See ``slotwright.storage.pool_stores.Driver``."""
        section = conf[GROUP]
        return cls.connect(
            section.uri,
            max_reconnect_attempts=section.max_reconnect_attempts,
            reconnect_sleep=section.reconnect_sleep,
            capabilities=capabilities,
        )

    def close(self) -> None:
        self._link.close()
