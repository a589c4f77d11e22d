"""Hands each instance to the provisioner that its pool's uri names."""

from collections.abc import Mapping

from slotwright.domain import targets
from slotwright.domain.clusters import Instance
from slotwright.domain.errors import InvalidRequest, SlotwrightError
from slotwright.storage.base import Claim
from taskmanager.ports import Provisioner


class PoolUnusable(SlotwrightError):
    """Nothing runs in a pool like that. An instance keeps it as it was, so for good."""

    code = 'pool_unusable'
    permanent = True


class PoolProvisioner:
    """See ``taskmanager.ports.Provisioner``.

    What an instance keeps of its pool counts, not what has become of the pool since.

    :param by_scheme: what runs the instances of a pool, by the scheme of its uri.
    :param default: the scheme of instances that are in no pool.
    """

    def __init__(self, by_scheme: Mapping[str, Provisioner], default: str) -> None:
        self._by_scheme = by_scheme
        self._default = default

    def provision(self, claim: Claim, instance: Instance) -> None:
        """:raises PoolUnusable: no provisioner can make sense of the instance's pool."""
        if instance.pool_uri is not None:
            _check(instance, instance.pool_uri)
        self._of(instance).provision(claim, instance)

    def destroy(self, instance: Instance) -> None:
        """:raises PoolUnusable: as ``provision``."""
        self._of(instance).destroy(instance)

    def tend(self) -> None:
        for provisioner in self._by_scheme.values():
            provisioner.tend()

    def close(self) -> None:
        for provisioner in self._by_scheme.values():
            provisioner.close()

    def _of(self, instance: Instance) -> Provisioner:
        uri = instance.pool_uri
        scheme, _ = (self._default, '') if uri is None else targets.split(uri)
        if scheme not in self._by_scheme:
            raise PoolUnusable(
                f'Pool {instance.pool}: nothing here runs instances at {uri}, only at '
                f'{", ".join(f"{known}://" for known in self._by_scheme)}.'
            )
        return self._by_scheme[scheme]


def _check(instance: Instance, uri: str) -> None:
    """See that the pool is one that the management API takes; others write the store too.

    Options that are not known here are for somebody else.
    """
    known = {n: value for n, value in instance.pool_options.items() if n in targets.OPTIONS}
    try:
        targets.check_pool(uri, known)
    except InvalidRequest as error:
        raise PoolUnusable(f'Pool {instance.pool}: {error}') from error
