"""/v1.0/{tenant_id}/mgmt/quotas, and limits: the same numbers for operators and tenants."""

import falcon

from api import views
from api.database.resources import Resource, require_project
from api.service.quotas import QuotaService


class Quotas(Resource):
    """/v1.0/{tenant_id}/mgmt/quotas/{project_id}"""

    @property
    def _quotas(self) -> QuotaService:
        return self._parts.quotas

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, project_id: str, **_path: str
    ) -> None:
        require_project(project_id)
        resp.media = {'quotas': views.quotas(self._quotas.usage(project_id))}

    def on_put(
        self, req: falcon.Request, resp: falcon.Response, project_id: str, **_path: str
    ) -> None:
        require_project(project_id)
        resp.media = {'quotas': self._quotas.update(project_id, self._body(req))}


class Limits(Resource):
    """/v1.0/{tenant_id}/limits"""

    def on_get(self, _req: falcon.Request, resp: falcon.Response, tenant_id: str) -> None:
        resp.media = {'limits': [views.limits(self._parts.quotas.usage(tenant_id))]}


class Project(Resource):
    """/v1.0/{tenant_id}/projects/{project_id}

    The client asks an identity service for a project before it asks for its quota. With
    none, it asks here; a project is known by its id and nothing else.
    """

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, project_id: str, **_path: str
    ) -> None:
        require_project(project_id)
        resp.media = {'project': {'id': project_id, 'name': project_id}}
