"""/v2/pools"""

from typing import Any

import falcon

from api.messaging import schemas
from api.messaging.requests import Resource, detailed, href_of, next_links, page_of
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.pools import Pool
from slotwright.domain.targets import check_pool

_CHANGEABLE = ('uri', 'weight', 'flavor', 'options')


def view(below: str, pool: Pool, *, options: bool) -> dict[str, Any]:
    """A pool as it is answered; ``below`` is as in ``href_of``."""
    body = {
        'name': pool.name,
        'uri': pool.uri,
        'weight': pool.weight,
        'flavor': pool.flavor,
        'href': href_of(below, 'pools', pool.name),
    }
    return {**body, 'options': dict(pool.options)} if options else body


class Pools(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page = page_of(req)
        found = self._parts.store.pools.list(page.marker, page.limit + 1)
        pools, more = found[: page.limit], len(found) > page.limit
        resp.content_location = req.relative_uri
        resp.media = {
            'pools': [view(req.root_path, pool, options=page.detailed) for pool in pools],
            'links': next_links(req.root_path, 'pools', page, pools[-1].name if more else None),
        }


class OnePool(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, pool: str) -> None:
        found = self._parts.store.pools.get(pool)
        resp.media = view(req.root_path, found, options=detailed(req))

    def on_put(self, req: falcon.Request, resp: falcon.Response, pool: str) -> None:
        body = schemas.POOL.check(self._body(req))
        check_pool(body['uri'], body.get('options', {}))
        self._parts.store.pools.create(pool, **body)
        resp.status = falcon.HTTP_201
        resp.set_header('Location', href_of(req.root_path, 'pools', pool))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, pool: str) -> None:
        """Answers the pool; what is given besides is ignored, as Zaqar does."""
        body = schemas.POOL_CHANGE.check(self._body(req))
        change = {name: body[name] for name in _CHANGEABLE if name in body}
        if not change:
            raise InvalidRequest(f'There is nothing to change: give one of {_CHANGEABLE}.')
        pools = self._parts.store.pools
        if 'uri' in change or 'options' in change:
            now = pools.get(pool)
            check_pool(change.get('uri', now.uri), change.get('options', now.options))
        resp.media = view(req.root_path, pools.update(pool, **change), options=False)

    def on_delete(self, _req: falcon.Request, resp: falcon.Response, pool: str) -> None:
        self._parts.store.pools.delete(pool)
        resp.status = falcon.HTTP_204
