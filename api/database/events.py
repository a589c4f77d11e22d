"""/v1.0/{tenant_id}/events: what happened, as pages or as a live stream."""

import re

import falcon

from api import lookup, paging, views
from api.database.resources import Resource
from api.streams import frames, handover
from api.streams.scope import ALL, Scope
from slotwright.domain.errors import InvalidRequest, NotFound, NotSupported, OverLimit, Unavailable

_NUMBER = re.compile(r'[0-9]{1,18}', re.ASCII)
_TYPES = (falcon.MEDIA_JSON, frames.MEDIA_TYPE)  # the first one for who takes any
_RETRY_AFTER = 5  # seconds


class _Told(Resource):
    """Events of a scope: a page, or a stream for who accepts ``text/event-stream``."""

    def _tell(self, req: falcon.Request, resp: falcon.Response, scope: Scope) -> None:
        page = paging.parse(req, self._parts.settings.events_page_size)
        marker = _number('marker', page.marker)
        if req.client_prefers(_TYPES) == frames.MEDIA_TYPE:
            sent = _number('Last-Event-ID', req.get_header('Last-Event-ID'))
            self._stream(req, resp, scope, marker if sent is None else sent)
            return
        found = scope.read(self._store, marker or 0, page.fetch)
        entries = [(scope.number(event), event) for event in found[: page.limit]]
        following = str(entries[-1][0]) if len(found) > page.limit else None
        resp.media = {
            'events': [views.event(event, number) for number, event in entries],
            **paging.next_links(req, page, following),
        }

    def _stream(
        self, req: falcon.Request, resp: falcon.Response, scope: Scope, after: int | None
    ) -> None:
        streams, hand_over = self._parts.streams, req.env.get(handover.KEY)
        if streams is None or hand_over is None:
            raise NotSupported(
                f'Events are not streamed here: list them, without Accept: {frames.MEDIA_TYPE}.'
            )
        last = scope.last(self._store)
        after = last if after is None else after
        if after > last:
            raise InvalidRequest(f'There is no event {after} yet: the newest is {last}.')
        opening = frames.opening(after)
        if after < last and scope.has_forgotten(self._store, after, last):
            opening += frames.forgotten(after)
        try:
            reader = streams.open(scope, after)
        except (OverLimit, Unavailable):
            resp.retry_after = _RETRY_AFTER
            raise
        resp.content_type = frames.MEDIA_TYPE
        resp.cache_control = ['no-store']
        resp.set_header('X-Accel-Buffering', 'no')  # nginx would wait for more
        resp.stream = iter([opening])
        hand_over(reader)


class Events(_Told):
    """Of a project; ``…/mgmt/events`` of all projects, pools and flavors, for operators."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        self._tell(req, resp, Scope(tenant_id))

    def on_get_all(self, req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:  # noqa: ARG002
        self._tell(req, resp, ALL)


class ClusterEvents(_Told):
    """Of a cluster by its id, also when it is deleted, or by its name."""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, cluster_id: str
    ) -> None:
        self._tell(req, resp, self._scope(tenant_id, cluster_id))

    def _scope(self, project_id: str, wanted: str) -> Scope:
        """:raises NotFound: when no cluster ever had that id, and none has the name now."""
        scope = Scope(project_id, wanted)
        try:
            scope.last(self._store)
        except NotFound:
            cluster = lookup.find(
                'Cluster',
                wanted,
                lambda cluster_id: self._store.get_cluster(project_id, cluster_id),
                lambda name, limit: self._store.find_clusters(project_id, name, limit),
            )
            return Scope(project_id, cluster.id)
        return scope


def _number(name: str, text: str | None) -> int | None:
    """:raises InvalidRequest: for what is no number of an event."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidRequest(f'{name} {text[:60]!r} must be the number of an event, or 0')
    return int(text)
