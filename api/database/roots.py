"""/v1.0/{tenant_id}/clusters/{cluster_id}/root: the tenant's password.

The client can disable root only by an instance, so …/instances/{instance_id}/root is
another name for the root of the instance's cluster.
"""

import falcon

from api import views
from api.database.resources import Resource, accept, caller_of, links_of
from api.service.roots import USER


class ClusterRoot(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        enabled = self._parts.roots.enabled(caller_of(req, tenant_id), cluster_id)
        resp.media = {'rootEnabled': enabled}

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        caller = caller_of(req, tenant_id)
        access = self._parts.roots.enable(caller, cluster_id, self._body(req))
        links = links_of(req, tenant_id)
        if not access.in_force:
            accept(resp, links, access.operation)
        resp.cache_control = ('no-store',)
        resp.media = {
            'user': {'name': USER, 'password': access.password},
            'operation': views.operation(links, access.operation),
        }

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        access = self._parts.roots.disable(caller_of(req, tenant_id), cluster_id)
        if access.in_force:
            resp.status = falcon.HTTP_204
        else:
            accept(resp, links_of(req, tenant_id), access.operation)

    def on_get_instance(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        self.on_get(req, resp, tenant_id, self._cluster_of(tenant_id, instance_id))

    def on_post_instance(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        self.on_post(req, resp, tenant_id, self._cluster_of(tenant_id, instance_id))

    def on_delete_instance(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        self.on_delete(req, resp, tenant_id, self._cluster_of(tenant_id, instance_id))

    def _cluster_of(self, tenant_id: str, instance_id: str) -> str:
        return self._store.get_instance(tenant_id, instance_id).cluster_id
