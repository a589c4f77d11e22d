"""/v1.0/{tenant_id}/flavors"""

import falcon

from api import lookup, views
from api.database.resources import Resource, links_of
from slotwright.domain.clusters import Flavor as Record


class Flavors(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        links = links_of(req, tenant_id)
        resp.media = {'flavors': [views.flavor(links, f) for f in self._flavors.list_flavors()]}


class Flavor(Resource):
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, flavor_id: str
    ) -> None:
        flavor = lookup.find('Flavor', flavor_id, self._flavors.get_flavor, self._named)
        resp.media = {'flavor': views.flavor(links_of(req, tenant_id), flavor)}

    def _named(self, name: str, limit: int) -> list[Record]:
        return [f for f in self._flavors.list_flavors() if f.name == name][:limit]
