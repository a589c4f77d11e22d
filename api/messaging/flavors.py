"""/v2/flavors"""

from typing import Any

import falcon

from api.messaging import schemas
from api.messaging.requests import Resource, href_of, next_links, page_of, project_of
from slotwright.domain.errors import InvalidRequest, PoolDoesNotExist
from slotwright.domain.pools import PoolFlavor

_CHANGEABLE = ('pool_list', 'capabilities')


def view(below: str, flavor: PoolFlavor, *, capabilities: bool) -> dict[str, Any]:
    """A flavor as it is answered; without pools it has no ``pool_list``.

    ``below`` is as in ``href_of``.
    """
    body: dict[str, Any] = {'name': flavor.name, 'href': href_of(below, 'flavors', flavor.name)}
    if flavor.pools:
        body['pool_list'] = list(flavor.pools)
    if capabilities:
        body['capabilities'] = dict(flavor.capabilities)
    return body


class Flavors(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page = page_of(req)
        found = self._parts.store.flavors.list(project_of(req), page.marker, page.limit + 1)
        flavors, more = found[: page.limit], len(found) > page.limit
        resp.content_location = req.relative_uri
        resp.media = {
            'flavors': [
                view(req.root_path, flavor, capabilities=page.detailed) for flavor in flavors
            ],
            'links': next_links(req.root_path, 'flavors', page, flavors[-1].name if more else None),
        }


class OneFlavor(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, flavor: str) -> None:
        found = self._parts.store.flavors.get(flavor, project_of(req))
        resp.media = view(req.root_path, found, capabilities=True)

    def on_put(self, req: falcon.Request, resp: falcon.Response, flavor: str) -> None:
        body = schemas.FLAVOR.check(self._body(req))
        try:
            self._parts.store.flavors.create(
                flavor, project_of(req), body.get('capabilities'), body['pool_list']
            )
        except PoolDoesNotExist as error:
            raise InvalidRequest(
                f'Flavor {flavor} could not be created, error:{error.message}'
            ) from error
        resp.status = falcon.HTTP_201
        resp.set_header('Location', href_of(req.root_path, 'flavors', flavor))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, flavor: str) -> None:
        body = schemas.FLAVOR_CHANGE.check(self._body(req))
        if not any(name in body for name in _CHANGEABLE):
            raise InvalidRequest(f'There is nothing to change: give one of {_CHANGEABLE}.')
        try:
            found = self._parts.store.flavors.update(
                flavor,
                project_of(req),
                capabilities=body.get('capabilities'),
                pools=body.get('pool_list'),
            )
        except PoolDoesNotExist as error:
            raise InvalidRequest(
                f'Flavor {flavor} could not be updated, error:{error.message}'
            ) from error
        resp.media = view(req.root_path, found, capabilities=True)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, flavor: str) -> None:
        """Its pools stay, and are of no flavor then."""
        self._parts.store.flavors.delete(flavor, project_of(req), release=True)
        resp.status = falcon.HTTP_204
