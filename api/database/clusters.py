"""/v1.0/{tenant_id}/clusters"""

import falcon

from api import lookup, paging
from api.database.resources import Resource, accept, caller_of, links_of
from slotwright.domain.errors import NotFound


class Clusters(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        page = paging.parse(req, self._parts.settings.clusters_page_size)
        found = self._store.list_clusters(tenant_id, page.fetch, page.marker)
        clusters, marker = page.cut(found)
        links = links_of(req, tenant_id)
        resp.media = {
            'clusters': [self._views.cluster_item(links, cluster) for cluster in clusters],
            **paging.next_links(req, page, marker),
        }

    def on_post(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        accepted = self._parts.clusters.create(caller_of(req, tenant_id), self._body(req))
        links = links_of(req, tenant_id)
        accept(resp, links, accepted.cluster)
        resp.media = {'cluster': self._views.accepted(links, accepted)}


class Cluster(Resource):
    """One cluster, shown by its id or name.

    Its actions come to its own URL (the real client) or to ``…/action``.
    """

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        cluster = lookup.find(
            'Cluster',
            cluster_id,
            lambda wanted: self._store.get_cluster(tenant_id, wanted),
            lambda name, limit: self._store.find_clusters(tenant_id, name, limit),
        )
        resp.media = {'cluster': self._views.cluster(links_of(req, tenant_id), cluster)}

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        accepted = self._parts.clusters.delete(caller_of(req, tenant_id), cluster_id)
        accept(resp, links_of(req, tenant_id), accepted.cluster)

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        caller = caller_of(req, tenant_id)
        accepted = self._parts.clusters.act(caller, cluster_id, self._body(req))
        links = links_of(req, tenant_id)
        accept(resp, links, accepted.cluster)
        if accepted.new:  # a shrink has no body, as the seed has it
            resp.media = {'cluster': self._views.accepted(links, accepted)}

    def on_post_action(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        self.on_post(req, resp, tenant_id, cluster_id)


class ClusterInstance(Resource):
    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        tenant_id: str,
        cluster_id: str,
        instance_id: str,
    ) -> None:
        cluster = self._store.get_cluster(tenant_id, cluster_id)
        instance = cluster.instance(instance_id)
        if instance is None:
            raise NotFound(f'Instance {instance_id} cannot be found.')
        links = links_of(req, tenant_id)
        seen = self._parts.gauges(cluster.id).get(instance.id)
        resp.media = {'instance': self._views.instance(links, instance, cluster, seen)}
