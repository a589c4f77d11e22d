"""/v1.0/{tenant_id}/datastores"""

import falcon

from api.database.resources import Resource, links_of


class Datastores(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        resp.media = {'datastores': [self._views.datastore(links_of(req, tenant_id))]}


class Datastore(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, datastore: str
    ) -> None:
        self._parts.datastores.require(datastore)
        resp.media = {'datastore': self._views.datastore(links_of(req, tenant_id))}
