"""The one datastore, redis, and its versions."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slotwright.domain.errors import InvalidRequest, NotFound

REDIS = 'redis'

#: Namespace of the ids below: they are the same on every host and after every restart.
_NAMESPACE = uuid.UUID('6f2f1f0e-6f63-5f1b-9b0a-0d1f4b1a7c55')


@dataclass(frozen=True, slots=True)
class Version:
    """A version that clusters can be made of."""

    id: str
    name: str


class Datastores:
    """Looks datastores and versions up by name or id.

    ``configured`` are names from the configuration, the first one is the default.
    ``engine_version`` gives the number of the server found on this host, or None; it is
    offered under that name too.
    """

    def __init__(
        self, configured: Sequence[str], engine_version: Callable[[], str | None] = lambda: None
    ) -> None:
        found = engine_version()
        names = dict.fromkeys([*configured, *([found] if found else [])])
        self.name = REDIS
        self.id = str(uuid.uuid5(_NAMESPACE, REDIS))
        self.versions = tuple(
            Version(str(uuid.uuid5(_NAMESPACE, f'{REDIS}/{name}')), name) for name in names
        )

    @property
    def default_version(self) -> Version | None:
        return self.versions[0] if self.versions else None

    def require(self, datastore: str) -> None:
        """:raises NotFound: unless ``datastore`` names the one there is."""
        if datastore not in (self.name, self.id):
            raise NotFound(f"Datastore '{datastore}' cannot be found.")

    def find_version(self, version: str) -> Version | None:
        return next((v for v in self.versions if version in (v.name, v.id)), None)

    def get_version(self, datastore: str, version: str) -> Version:
        """:raises NotFound: for either, as a resource of its own."""
        self.require(datastore)
        found = self.find_version(version)
        if found is None:
            raise NotFound(f"Datastore version '{version}' cannot be found.")
        return found

    def choose(self, wanted: Mapping[str, str]) -> Version:
        """The version a request body asks for: ``{'type': …, 'version': …}``.

        :raises NotFound: for the datastore.
        :raises InvalidRequest: for the version; it tells which there are.
        """
        self.require(wanted['type'])
        found = self.find_version(wanted['version'])
        if found is None:
            offered = ', '.join(v.name for v in self.versions) or 'none'
            raise InvalidRequest(
                f"Datastore version '{wanted['version']}' cannot be found. Offered: {offered}."
            )
        return found
