"""/v1.0/{tenant_id}/flavors"""

import falcon

from api import views
from api.database.resources import Resource, links_of


class Flavors(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        links = links_of(req, tenant_id)
        resp.media = {'flavors': [views.flavor(links, f) for f in self._store.list_flavors()]}


class Flavor(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, flavor_id: str
    ) -> None:
        flavor = self._store.get_flavor(flavor_id)
        resp.media = {'flavor': views.flavor(links_of(req, tenant_id), flavor)}
