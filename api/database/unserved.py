"""What Trove's clients ask for and a Redis cluster does not have (yet).

Lists are empty, so that a client that looks around finds nothing instead of failing; whoever
wants to change something is told why that cannot be.
"""

from dataclasses import dataclass
from typing import Any

import falcon

from api.database.resources import Parts, Resource
from slotwright.domain.errors import NotFound, NotSupported


@dataclass(frozen=True, slots=True)
class Nothing:
    """A kind of thing there is none of.

    ``key`` names the empty list that a GET answers; without, a GET is refused as well.
    """

    reason: str
    key: str | None = None


_BACKUPS = 'Backups are not supported yet.'
_CONFIGURATIONS = 'Configuration groups are not supported by the datastore.'
_PARAMETERS = 'configuration-parameters'
_MODULES = 'Modules are not supported by the datastore.'
_DATABASES = 'Redis Cluster has one keyspace; there are no databases to create or list.'
_USERS = "Redis has one user for tenants, 'default': enable root on the cluster for its password."
_LOGS = 'Logs stay on the host of the instance; ask the operator.'
_SSL = 'TLS is not supported yet.'
_VERSIONS = 'Datastore versions come from [redis] datastore_versions in the configuration.'

#: Path under /v1.0/{tenant_id} to what there is none of.
LISTS: tuple[tuple[str, Nothing], ...] = (
    ('backups', Nothing(_BACKUPS, 'backups')),
    ('backup_strategies', Nothing(_BACKUPS, 'backup_strategies')),
    ('configurations', Nothing(_CONFIGURATIONS, 'configurations')),
    ('modules', Nothing(_MODULES, 'modules')),
    (
        'datastores/{datastore}/versions/{version}/parameters',
        Nothing(_CONFIGURATIONS, _PARAMETERS),
    ),
    ('datastores/versions/{version}/parameters', Nothing(_CONFIGURATIONS, _PARAMETERS)),
    ('mgmt/datastore-versions', Nothing(_VERSIONS)),
    ('mgmt/datastore-versions/{version}', Nothing(_VERSIONS)),
)

#: The same, of one instance.
OF_INSTANCE: tuple[tuple[str, Nothing], ...] = (
    ('backups', Nothing(_BACKUPS, 'backups')),
    ('configuration', Nothing(_CONFIGURATIONS)),
    ('databases', Nothing(_DATABASES)),
    ('databases/{name}', Nothing(_DATABASES)),
    ('log', Nothing(_LOGS, 'logs')),
    ('modules', Nothing(_MODULES, 'modules')),
    ('modules/{name}', Nothing(_MODULES)),
    ('ssl', Nothing(_SSL)),
    ('ssl/{name}', Nothing(_SSL)),
    ('users', Nothing(_USERS)),
    ('users/{name}', Nothing(_USERS)),
    ('users/{name}/databases', Nothing(_USERS)),
    ('users/{name}/databases/{database}', Nothing(_USERS)),
)

#: Single things of which there are none: their path, and what to call one.
ITEMS: tuple[tuple[str, str], ...] = (
    ('backups/{name}', 'Backup'),
    ('configurations/{name}', 'Configuration'),
    ('configurations/{name}/instances', 'Configuration'),
    ('datastores/{datastore}/versions/{version}/parameters/{name}', 'Parameter'),
    ('datastores/versions/{version}/parameters/{name}', 'Parameter'),
    ('modules/{name}', 'Module'),
)


class Unserved(Resource):
    """An empty list, perhaps of an instance, that cannot be added to."""

    def __init__(self, parts: Parts, nothing: Nothing) -> None:
        super().__init__(parts)
        self._nothing = nothing

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, tenant_id: str, **path: str
    ) -> None:
        self._require_instance(tenant_id, path)
        if self._nothing.key is None:
            raise NotSupported(self._nothing.reason)
        resp.media = {self._nothing.key: []}

    def on_post(
        self, _req: falcon.Request, _resp: falcon.Response, tenant_id: str, **path: str
    ) -> None:
        self._require_instance(tenant_id, path)
        raise NotSupported(self._nothing.reason)

    on_put = on_patch = on_delete = on_post

    def _require_instance(self, tenant_id: str, path: dict[str, str]) -> None:
        if 'instance_id' in path:
            self._store.get_instance(tenant_id, path['instance_id'])


class Missing(Resource):
    """One of a kind that there is none of."""

    def __init__(self, parts: Parts, kind: str) -> None:
        super().__init__(parts)
        self._kind = kind

    def on_get(self, _req: falcon.Request, _resp: falcon.Response, **path: str) -> None:
        name = path.get('name', '')
        raise NotFound(f'{self._kind} {name} cannot be found.')

    on_put = on_patch = on_delete = on_get


def add_routes(app: falcon.App[Any, Any], parts: Parts, prefix: str) -> None:
    """Route all of it, under ``prefix``."""
    for path, nothing in LISTS:
        app.add_route(f'{prefix}/{path}', Unserved(parts, nothing))
    for path, nothing in OF_INSTANCE:
        app.add_route(f'{prefix}/instances/{{instance_id}}/{path}', Unserved(parts, nothing))
    for path, kind in ITEMS:
        app.add_route(f'{prefix}/{path}', Missing(parts, kind))
