"""/v1.0/{tenant_id}/operations: what was accepted, and how far it is."""

import falcon

from api import paging, views
from api.database.resources import Resource, links_of
from slotwright.domain.errors import NotFound


class ClusterOperations(Resource):
    """/v1.0/{tenant_id}/clusters/{cluster_id}/operations, newest first."""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        page = paging.parse(req, self._parts.settings.clusters_page_size)
        found = self._store.list_operations(tenant_id, cluster_id, page.limit)
        if not found:  # a cluster has had at least the operation that made it
            raise NotFound(f'Cluster {cluster_id} cannot be found.')
        resp.media = views.operations(links_of(req, tenant_id), found)


class Operation(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, operation_id: str
    ) -> None:
        found = self._store.get_operation(tenant_id, operation_id)
        resp.media = {'operation': views.operation(links_of(req, tenant_id), found)}
