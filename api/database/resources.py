"""What the resources of v1.0 have in common: who calls, and which links they can follow."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import falcon

from api import bodies, request_ids
from api.auth.guard import Authorize
from api.datastores import Datastores
from api.ports import Store
from api.service.clusters import ClusterService
from api.service.quotas import QuotaService
from api.service.roots import RootService
from api.settings import Settings
from api.streams.service import Streams
from api.views import Links, Views
from slotwright.domain.clusters import Cluster, Operation
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.gauges import Seen
from slotwright.storage.base import FlavorStore

_PROJECT = re.compile(r'[0-9A-Za-z_.@~:-]{1,255}', re.ASCII)


LookUp = Callable[[str], Mapping[str, Seen]]


def nothing_known(_cluster_id: str) -> Mapping[str, Seen]:
    return {}


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the resources need; ``wiring`` builds it.

    Without ``streams`` events are listed only. ``gauges`` has what nodes of a cluster are measured
    by, as far as it is known: ``slotwright.events.board.BoardReader.of_cluster``.
    """

    store: Store
    flavors: FlavorStore
    settings: Settings
    datastores: Datastores
    clusters: ClusterService
    roots: RootService
    quotas: QuotaService
    views: Views
    streams: Streams | None = None
    gauges: LookUp = nothing_known


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let into a project."""

    project_id: str
    request_id: str
    authorizer: Authorize

    def authorize(self, rule: str) -> None:
        self.authorizer(rule)


class Resource:
    """One kind of thing under ``/v1.0/{tenant_id}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._flavors = parts.flavors
        self._views = parts.views

    def _body(self, req: falcon.Request) -> Any:
        return bodies.read(req, self._parts.settings.max_request_body_size)


def caller_of(req: falcon.Request, tenant_id: str) -> Caller:
    request_id = req.env.get(request_ids.ENVIRON_KEY, '')
    return Caller(tenant_id, request_id, req.context.authorize)


def require_project(project_id: str) -> None:
    """:raises InvalidRequest: for what can be no project."""
    if not _PROJECT.fullmatch(project_id):
        raise InvalidRequest(
            'The project in the URL must have 1 to 255 letters, digits or _ . @ ~ : -'
        )


def links_of(req: falcon.Request, tenant_id: str) -> Links:
    return Links(req.prefix, tenant_id)


def accept(resp: falcon.Response, links: Links, work: Cluster | Operation) -> None:
    """202, and where to watch the work."""
    operation = work.operation if isinstance(work, Cluster) else work
    resp.status = falcon.HTTP_202
    if operation is not None:
        resp.location = links.href('operations', operation.id)
