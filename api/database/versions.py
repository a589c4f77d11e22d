"""Datastore versions, and the versions of the API itself."""

import falcon

from api import views
from api.database.resources import Resource, links_of
from slotwright.domain.errors import NotFound

API_VERSION = 'v1.0'


class DatastoreVersions(Resource):
    """/v1.0/{tenant_id}/datastores/{datastore}/versions"""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, datastore: str
    ) -> None:
        self._parts.datastores.require(datastore)
        links = links_of(req, tenant_id)
        versions = self._parts.datastores.versions
        resp.media = {'versions': [self._views.version(links, v) for v in versions]}


class DatastoreVersion(Resource):
    """…/versions/{version} and …/versions/{version}/flavors: all flavors fit all versions."""

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        tenant_id: str,
        datastore: str,
        version: str,
    ) -> None:
        found = self._parts.datastores.get_version(datastore, version)
        resp.media = {'version': self._views.version(links_of(req, tenant_id), found)}

    def on_get_flavors(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        tenant_id: str,
        datastore: str,
        version: str,
    ) -> None:
        self._parts.datastores.get_version(datastore, version)
        links = links_of(req, tenant_id)
        resp.media = {'flavors': [views.flavor(links, f) for f in self._flavors.list_flavors()]}


class VersionById(Resource):
    """/v1.0/{tenant_id}/datastores/versions/{version}: the client has an id and no more."""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant_id: str, version: str
    ) -> None:
        found = self._parts.datastores.find_version(version)
        if found is None:
            raise NotFound(f"Datastore version '{version}' cannot be found.")
        resp.media = {'version': self._views.version(links_of(req, tenant_id), found)}


class ApiVersions:
    """/ and /v1.0"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {'versions': [_document(req)]}

    def on_get_one(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {'version': _document(req)}


def _document(req: falcon.Request) -> views.Body:
    return {
        'id': API_VERSION,
        'status': 'CURRENT',
        'updated': '2015-01-29T00:00:00Z',
        'links': [
            {'rel': 'self', 'href': f'{req.prefix}/{API_VERSION}/'},
        ],
    }
