"""clients"""

import falcon

from api.backups import reading, schemas, views
from api.backups.requests import Resource, caller_of, page_of


class Clients(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        limit, offset = page_of(req)
        project = caller_of(req).project
        found = self._store.clients.list(project, self._search(req), limit, offset)
        resp.media = {'clients': [views.client(one, self._api_version) for one in found]}

    def on_post(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        body = self._body(req, schemas.CLIENT)
        caller = caller_of(req)
        if body.get('is_central'):
            req.context.authorize('clients:create_central')
        made = reading.client(body, caller.project, caller.user, self._parts.ids())
        self._store.clients.create(made)
        resp.status = falcon.HTTP_201
        resp.media = {'client_id': made.id}


class OneClient(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response, client_id: str, **_: str) -> None:
        found = self._store.clients.get(caller_of(req).project, client_id)
        resp.media = views.client(found, self._api_version)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, client_id: str, **_: str
    ) -> None:
        self._store.clients.delete(caller_of(req).project, client_id)
        resp.status = falcon.HTTP_204
