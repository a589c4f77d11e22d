"""The driver that the configuration names."""

from typing import Protocol, cast

from oslo_config import cfg

from slotwright.events import base
from slotwright.loading import InvalidConfiguration, load_class

#: Short names of our own drivers. Any other value is the dotted path of a class.
DRIVERS = {
    'memory': 'slotwright.events.memory.MemoryDriver',
    'redis': 'slotwright.events.redis.driver.OneServerDriver',
    'redis_cluster': 'slotwright.events.redis.driver.ClusterDriver',
}
_OPTION = '[events] driver'


class DriverClass(Protocol):
    """The class of a driver."""

    def from_config(self, conf: cfg.ConfigOpts) -> base.Driver:
        """Connect to the store, also when it does not answer yet.

        :raises InvalidConfiguration: for options that cannot be used.
        """


def from_config(conf: cfg.ConfigOpts) -> base.Driver:
    """Connect to the store of ``[events] driver``; ``conf`` has those of ``slotwright.conf``.

    :raises InvalidConfiguration: for an unknown driver, or options that it cannot use.
    """
    named = conf.events.driver
    driver = load_class(DRIVERS.get(named, named), _OPTION)
    if not callable(getattr(driver, 'from_config', None)):
        raise InvalidConfiguration(f'{_OPTION} = {named}: the class has no from_config')
    return cast(DriverClass, driver).from_config(conf)
