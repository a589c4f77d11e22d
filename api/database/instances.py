"""/v1.0/{tenant_id}/instances"""

import falcon

from api import paging
from api.database.resources import Resource, links_of
from slotwright.domain.errors import InvalidRequest

_TRUTH = {'true': True, 'false': False}


class Instances(Resource):
    """Every instance here belongs to a cluster, so the list without those is empty."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        page = paging.parse(req, self._parts.settings.instances_page_size)
        if not _include_clustered(req):
            resp.media = {'instances': []}
            return
        found = self._store.list_instances(tenant_id, page.fetch, page.marker)
        instances, marker = page.cut(found)
        links = links_of(req, tenant_id)
        resp.media = {
            'instances': [self._views.instance_item(links, i) for i in instances],
            **paging.next_links(req, page, marker, include_clustered='True'),
        }


class Instance(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        instance = self._store.get_instance(tenant_id, instance_id)
        cluster = self._store.get_cluster(tenant_id, instance.cluster_id)
        links = links_of(req, tenant_id)
        resp.media = {'instance': self._views.instance(links, instance, cluster)}


def _include_clustered(req: falcon.Request) -> bool:
    text = req.get_param('include_clustered', default='False')
    truth = _TRUTH.get(text.lower())
    if truth is None:
        raise InvalidRequest(f'include_clustered {text[:60]!r} must be True or False')
    return truth
