"""/v1.0/{tenant_id}/operations: what was accepted, and how far it is."""

import falcon

from api import lookup, paging, views
from api.database.resources import Resource, links_of


class ClusterOperations(Resource):
    """/v1.0/{tenant_id}/clusters/{cluster_id}/operations, newest first.

    Of a cluster by its id, also when it is deleted, or by its name.
    """

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        page = paging.parse(req, self._parts.settings.clusters_page_size)
        found = self._store.list_operations(tenant_id, cluster_id, page.limit)
        if not found:  # a cluster has had at least the operation that made it
            cluster = lookup.find(
                'Cluster',
                cluster_id,
                lambda wanted: self._store.get_cluster(tenant_id, wanted),
                lambda name, limit: self._store.find_clusters(tenant_id, name, limit),
            )
            found = self._store.list_operations(tenant_id, cluster.id, page.limit)
        resp.media = views.operations(links_of(req, tenant_id), found)


class Operation(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, operation_id: str
    ) -> None:
        found = self._store.get_operation(tenant_id, operation_id)
        resp.media = {'operation': views.operation(links_of(req, tenant_id), found)}
