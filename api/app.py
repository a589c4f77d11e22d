"""The WSGI application: routes, errors, and what holds for every request."""

import logging
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIApplication

import falcon
from prometheus_client import CollectorRegistry

from api import bodies, errors, request_ids
from api.auth.guard import Guard
from api.backups import errors as backup_errors
from api.backups import requests as backups
from api.backups import routes as backup_routes
from api.database import (
    clusters,
    datastores,
    events,
    flavors,
    instances,
    operations,
    quotas,
    roots,
    unserved,
    versions,
)
from api.database.resources import Parts, require_project
from api.health import Healthcheck
from api.messaging import errors as messaging_errors
from api.messaging import flavors as pool_flavors
from api.messaging import pools
from api.messaging import requests as messaging
from api.metrics import Metrics, Requests
from api.openapi.document import OpenApi
from slotwright.domain.errors import Forbidden, InvalidRequest, SlotwrightError

LOG = logging.getLogger(__name__)

#: Path under /v1.0/{tenant_id}, resource, suffix of its methods.
ROUTES: tuple[tuple[str, type[Any], str | None], ...] = (
    ('clusters', clusters.Clusters, None),
    ('clusters/{cluster_id}', clusters.Cluster, None),
    ('clusters/{cluster_id}/action', clusters.Cluster, 'action'),
    ('clusters/{cluster_id}/instances/{instance_id}', clusters.ClusterInstance, None),
    ('clusters/{cluster_id}/operations', operations.ClusterOperations, None),
    ('clusters/{cluster_id}/events', events.ClusterEvents, None),
    ('clusters/{cluster_id}/root', roots.ClusterRoot, None),
    ('instances', instances.Instances, None),
    ('instances/{instance_id}', instances.Instance, None),
    ('instances/{instance_id}/action', instances.Instance, 'action'),
    ('instances/{instance_id}/root', roots.ClusterRoot, 'instance'),
    ('events', events.Events, None),
    ('mgmt/events', events.Events, 'all'),
    ('mgmt/instances', instances.Instances, 'all'),
    ('mgmt/instances/{instance_id}/action', instances.Instance, 'action'),
    ('mgmt/quotas/{project_id}', quotas.Quotas, None),
    ('limits', quotas.Limits, None),
    ('projects/{project_id}', quotas.Project, None),
    ('operations/{operation_id}', operations.Operation, None),
    ('flavors', flavors.Flavors, None),
    ('flavors/{flavor_id}', flavors.Flavor, None),
    ('datastores', datastores.Datastores, None),
    ('datastores/versions/{version}', versions.VersionById, None),
    ('datastores/{datastore}', datastores.Datastore, None),
    ('datastores/{datastore}/versions', versions.DatastoreVersions, None),
    ('datastores/{datastore}/versions/{version}', versions.DatastoreVersion, None),
    ('datastores/{datastore}/versions/{version}/flavors', versions.DatastoreVersion, 'flavors'),
)


#: Path under /v2, resource.
MESSAGING_ROUTES: tuple[tuple[str, type[messaging.Resource]], ...] = (
    ('pools', pools.Pools),
    ('pools/{pool}', pools.OnePool),
    ('flavors', pool_flavors.Flavors),
    ('flavors/{flavor}', pool_flavors.OneFlavor),
)


#: Which part of the API a path is of, and so in which shape it is refused.
_OF_MESSAGING = tuple(f'{messaging.PREFIX}/{kind}/' for kind in ('pools', 'flavors'))
_OF_BACKUPS = ('/v1/', '/v2/')


def build(
    parts: Parts,
    places: messaging.Parts,
    kept: backups.Parts,
    guard: Guard,
    health: Healthcheck,
    registry: CollectorRegistry,
) -> WSGIApplication:
    """The application, for ``wiring`` to put a proxy's word and request ids around."""
    app: falcon.App[Any, Any] = falcon.App(
        middleware=[Requests(registry), Limits(parts.settings.max_request_body_size), guard]
    )
    app.req_options.strip_url_path_trailing_slash = True
    app.set_error_serializer(_serialize)
    app.add_error_handler(SlotwrightError, _answer_error)
    app.add_error_handler(Exception, _answer_unexpected)

    for path, kind, suffix in ROUTES:
        app.add_route(f'/v1.0/{{tenant_id}}/{path}', kind(parts), suffix=suffix)
    unserved.add_routes(app, parts, '/v1.0/{tenant_id}')
    for path, resource in MESSAGING_ROUTES:
        app.add_route(f'{messaging.PREFIX}/{path}', resource(places))
    backup_routes.add_routes(app, kept)
    app.add_route('/', versions.ApiVersions())
    app.add_route('/v1.0', versions.ApiVersions(), suffix='one')
    app.add_route('/openapi.json', OpenApi())
    app.add_route('/healthcheck', health)
    app.add_route('/metrics', Metrics(registry))
    return app


class Limits:
    """What is refused whatever the resource: long bodies, foreign web pages, odd URLs."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        bodies.check_size(req, self._max_body)
        # A browser on this machine can reach us too; it names the site its page is from.
        origin = req.get_header('Origin')
        if origin is not None and origin.partition('://')[2] != req.netloc:
            raise Forbidden(f'Web pages of other sites ({origin[:60]!r}) may not call this API.')
        values = [v for value in req.params.values() for v in _every(value)]
        if any('\0' in text for text in (req.path, *values)):
            raise InvalidRequest('The URL has a NUL character in it.')
        # Falcon's replacement for such bytes: many names would be one.
        if any('\N{REPLACEMENT CHARACTER}' in text for text in (req.path, *values)):
            raise InvalidRequest('The URL has bytes that are no UTF-8.')

    def process_resource(
        self,
        _req: falcon.Request,
        _resp: falcon.Response,
        _resource: object,
        params: Mapping[str, str],
    ) -> None:
        project = params.get('tenant_id')
        if project is not None:
            require_project(project)


def _every(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _say(req: falcon.Request, resp: falcon.Response, body: errors.Envelope) -> None:
    """Give an error the shape that the client of this part of the API understands."""
    (said,) = body.values()
    status, message = int(said['code']), str(said['message'])
    if f'{req.path}/'.startswith(_OF_MESSAGING):
        resp.media = messaging_errors.envelope(status, message)
    elif f'{req.path}/'.startswith(_OF_BACKUPS):
        resp.media = backup_errors.envelope(status, message)
    else:
        resp.media = body


def _answer_error(
    req: falcon.Request, resp: falcon.Response, error: SlotwrightError, _params: object
) -> None:
    status, body = errors.of_error(error)
    if status in (500, 503):
        LOG.warning('Answering %d: %s', status, error)
    resp.status = falcon.code_to_http_status(status)
    _say(req, resp, body)


def _answer_unexpected(
    req: falcon.Request, resp: falcon.Response, error: Exception, _params: object
) -> None:
    LOG.error('Unexpected error at %s %r', req.method, req.path, exc_info=error)
    resp.status = falcon.HTTP_500
    _say(req, resp, errors.unexpected(req.env.get(request_ids.ENVIRON_KEY, '')))


def _serialize(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    _say(req, resp, errors.of_status(error.status_code, error.description))
