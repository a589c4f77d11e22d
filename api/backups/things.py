"""actions, jobs, sessions and backups: listed, made, shown, changed, replaced, deleted."""

from typing import Generic

import falcon

from api.backups import reading, schemas
from api.backups.kinds import Kind, Made
from api.backups.requests import Parts, Resource, caller_of, page_of, truth
from api.schemas import Schema
from slotwright.domain.errors import NotFound
from slotwright.storage.backups import T, Things

_ID = Schema(schemas.IDENTIFIER, 'the id in the URL')


class _Of(Resource, Generic[T]):
    """Resources of a kind."""

    def __init__(self, parts: Parts, api_version: int, kind: Kind[T]) -> None:
        super().__init__(parts, api_version)
        self._kind: Kind[T] = kind
        self._things: Things[T] = kind.things(parts.store)

    def _made(self, req: falcon.Request, thing_id: str) -> Made:
        caller = caller_of(req)
        return Made(thing_id, caller.project, caller.user, self._parts.now())


class All(_Of[T]):
    """``/{kind}``"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        limit, offset = page_of(req)
        project: str | None = caller_of(req).project
        if self._kind.name == 'jobs' and truth(req, 'all_projects'):
            req.context.authorize('jobs:get_all_projects')
            project = None
        found = self._things.list(project, self._search(req), limit, offset)
        shown = [self._kind.view(one, self._api_version) for one in found]
        if self._api_version == 1:
            # As in Freezer: its schedulers send back, again and again, what they listed once.
            for view in shown:
                del view['_version']
        resp.media = {self._kind.name: shown}

    def on_post(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        body = self._body(req, self._kind.created)
        chosen = body.get(self._kind.id_name) if self._kind.own_id else None
        made = self._made(req, chosen or self._parts.ids())
        self._things.create(self._kind.make(body, made))
        resp.status = falcon.HTTP_201
        resp.media = {self._kind.id_name: made.thing_id}


class One(_Of[T]):
    """``/{kind}/{id}``"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        found = self._things.get(caller_of(req).project, ids[self._kind.id_name])
        resp.media = self._kind.view(found, self._api_version)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        body = self._body(req, self._kind.changed)
        thing_id, now = ids[self._kind.id_name], self._parts.now()

        def change(old: T | None) -> T:
            if old is None:
                raise NotFound(f'There is no {self._kind.name[:-1]} {thing_id!r} in this project.')
            return self._kind.change(old, body, now)

        project = caller_of(req).project
        found = self._things.write(project, thing_id, change, reading.version_of(body))
        resp.media = (
            self._kind.view(found, self._api_version)
            if self._kind.name == 'backups'
            else {self._kind.id_name: thing_id, 'version': found.version}
        )

    def on_post_replace(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        body = self._body(req, self._kind.replaced)
        thing_id = _ID.check(ids[self._kind.id_name])
        made = self._made(req, thing_id)

        def change(old: T | None) -> T:
            if old is None:
                return self._kind.make(body, made)
            return self._kind.remake(old, body, made)

        found = self._things.write(made.project, thing_id, change, reading.version_of(body))
        resp.status = falcon.HTTP_201
        resp.media = {self._kind.id_name: thing_id, 'version': found.version}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        self._things.delete(caller_of(req).project, ids[self._kind.id_name])
        resp.status = falcon.HTTP_204


class Replaceable(One[T]):
    """``/{kind}/{id}`` of what can be replaced whole."""

    on_post = One.on_post_replace
