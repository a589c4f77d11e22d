"""/v1.0/{tenant_id}/instances: they are made, changed and removed by their clusters."""

import falcon

from api import lookup, paging
from api.database.resources import Resource, links_of
from slotwright.domain.clusters import Instance as Record
from slotwright.domain.errors import InvalidRequest, MemberOfCluster, NotSupported

_TRUTH = {'true': True, 'false': False}

_SHRINK = "remove it with the action 'shrink' of its cluster, or delete the cluster"
_DOWN = 'a redis-server that dies is started again by its agent'
_MASTERS = 'its cluster has masters only'
_OTHER = 'make a cluster of the flavor and volume size wanted'

#: Actions of Trove's instances, and what a caller may do instead.
INSTEAD = {
    'delete': _SHRINK,
    'update': 'its name and configuration are given by its cluster',
    'restart': _DOWN,
    'reboot': _DOWN,
    'stop': _SHRINK,
    'migrate': 'grow its cluster, move the slots, and shrink it by this instance',
    'rebuild': 'grow its cluster, move the slots, and shrink it by this instance',
    'resize': _OTHER,
    'promote_to_replica_source': _MASTERS,
    'eject_replica_source': _MASTERS,
    'reset_status': "reset the status of its cluster with the action 'reset-status'",
}


class Instances(Resource):
    """Every instance here belongs to a cluster, so the list without those is empty."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        resp.media = self._page(req, tenant_id, tenant_id)

    def on_get_all(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        """…/mgmt/instances: those of all projects, for operators."""
        resp.media = self._page(req, tenant_id, None)

    def on_post(self, _req: falcon.Request, _resp: falcon.Response, **_path: str) -> None:
        raise NotSupported(
            'An instance is made with its cluster: create a cluster, which may have one instance, '
            'or grow one.'
        )

    def _page(
        self, req: falcon.Request, tenant_id: str, project_id: str | None
    ) -> dict[str, object]:
        """A page of one project's, or of all projects' (None) instances."""
        page = paging.parse(req, self._parts.settings.instances_page_size)
        if not _include_clustered(req):
            return {'instances': []}
        found = self._store.list_instances(project_id, page.fetch, page.marker)
        instances, marker = page.cut(found)
        links = links_of(req, tenant_id)
        return {
            'instances': [
                {
                    **self._views.instance_item(links, instance),
                    **({'tenant_id': instance.project_id} if project_id is None else {}),
                }
                for instance in instances
            ],
            **paging.next_links(req, page, marker, include_clustered='True'),
        }


class Instance(Resource):
    """One instance, shown by its id or name, and changed by its cluster only."""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        instance = self._find(tenant_id, instance_id)
        cluster = self._store.get_cluster(tenant_id, instance.cluster_id)
        links = links_of(req, tenant_id)
        seen = self._parts.gauges(cluster.id).get(instance.id)
        resp.media = {'instance': self._views.instance(links, instance, cluster, seen)}

    def on_delete(
        self, _req: falcon.Request, _resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        self._refuse(self._find(tenant_id, instance_id), 'delete')

    def on_put(
        self, _req: falcon.Request, _resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        self._refuse(self._find(tenant_id, instance_id), 'update')

    on_patch = on_put

    def on_post_action(
        self, req: falcon.Request, _resp: falcon.Response, tenant_id: str, instance_id: str
    ) -> None:
        """…/instances/{instance_id}/action, and the same under …/mgmt."""
        body = self._body(req)
        if not isinstance(body, dict) or len(body) != 1:
            raise InvalidRequest('Action request should have exactly one action specified in body.')
        self._refuse(self._find(tenant_id, instance_id), next(iter(body)))

    def _find(self, tenant_id: str, wanted: str) -> Record:
        return lookup.find(
            'Instance',
            wanted,
            lambda instance_id: self._store.get_instance(tenant_id, instance_id),
            lambda name, limit: self._store.find_instances(tenant_id, name, limit),
        )

    def _refuse(self, instance: Record, action: str) -> None:
        if action not in INSTEAD:
            raise InvalidRequest(f'Action {action[:60]} not supported.')
        raise MemberOfCluster(
            f'Action {action} is not supported for instances that are part of a cluster: '
            f'{INSTEAD[action]} (cluster {instance.cluster_id}).'
        )


def _include_clustered(req: falcon.Request) -> bool:
    text = req.get_param('include_clustered', default='False')
    truth = _TRUTH.get(text.lower())
    if truth is None:
        raise InvalidRequest(f'include_clustered {text[:60]!r} must be True or False')
    return truth
