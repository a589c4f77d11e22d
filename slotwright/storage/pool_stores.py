"""The management store that the configuration names."""

from typing import Protocol, cast

from oslo_config import cfg

from slotwright.loading import InvalidConfiguration, load_class
from slotwright.storage import management
from slotwright.storage.sqlalchemy.transactions import Database

#: Short names of our own drivers. Any other value is the dotted path of a class.
DRIVERS = {
    'redis': 'slotwright.storage.redis.store.RedisPoolStore',
    'sqlalchemy': 'slotwright.storage.sqlalchemy.pool_store.SQLAlchemyPoolStore',
}
_OPTION = '[management_store] driver'


class Driver(Protocol):
    """The class of a driver."""

    def from_config(
        self,
        conf: cfg.ConfigOpts,
        database: Database,
        capabilities: management.SchemeCapabilities,
    ) -> management.PoolStore:
        """Open the store; ``database`` is the one of [database], which its owner closes.

        :raises InvalidConfiguration: for options that cannot be used.
        """


def from_config(
    conf: cfg.ConfigOpts,
    database: Database,
    capabilities: management.SchemeCapabilities = management.no_capabilities,
) -> management.PoolStore:
    """Open the store of ``[management_store] driver``.

    ``conf`` has the options of ``slotwright.conf``; ``capabilities`` knows what the
    provisioners can.

    :raises InvalidConfiguration: for an unknown driver, or options that it cannot use.
    """
    named = conf.management_store.driver
    driver = load_class(DRIVERS.get(named, named), _OPTION)
    if not callable(getattr(driver, 'from_config', None)):
        raise InvalidConfiguration(f'{_OPTION} = {named}: the class has no from_config')
    return cast(Driver, driver).from_config(conf, database, capabilities)
