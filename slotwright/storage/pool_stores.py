"""The management store that the configuration names."""

from oslo_config import cfg

from slotwright.storage import management
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.transactions import Database


def from_config(
    conf: cfg.ConfigOpts,
    database: Database,
    capabilities: management.SchemeCapabilities = management.no_capabilities,
) -> management.PoolStore:
    """Open the store of ``[management_store] driver``; ``database`` is the one of [database].

    ``conf`` has the options of ``slotwright.conf``.

    :raises InvalidConfiguration: for a Redis uri that cannot be used.
    """
    if conf.management_store.driver == 'sqlalchemy':
        return SQLAlchemyPoolStore(database, capabilities)
    section = conf['drivers:management_store:redis']
    return RedisPoolStore.connect(
        section.uri,
        max_reconnect_attempts=section.max_reconnect_attempts,
        reconnect_sleep=section.reconnect_sleep,
        capabilities=capabilities,
    )
