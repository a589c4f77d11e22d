"""actions/{action_id}/reports and jobs/{job_id}/reports: how runs ended. In /v2 only."""

from collections.abc import Sequence

import falcon

from api.backups import reading, schemas, views
from api.backups.requests import Resource, caller_of, page_of
from slotwright.domain.backup_model import ActionReport

#: Reports of a page: each may have a log.
MOST = 100


class ActionReports(Resource):
    """actions/{action_id}/reports"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, action_id: str, **_: str) -> None:
        limit, offset = page_of(req, MOST)
        project = caller_of(req).project
        found = self._store.reports.list_of_action(project, action_id, limit, offset)
        resp.media = _shown(found)

    def on_post(self, req: falcon.Request, resp: falcon.Response, action_id: str, **_: str) -> None:
        body = self._body(req, schemas.REPORT)
        now = self._parts.nanoseconds()
        # Within a second, which is all that report_date tells, ids grow.
        report_id = f'{now // 1000:013x}{self._parts.ids()}'[:32]
        project = caller_of(req).project
        made = reading.report(body, report_id, project, action_id, now // 10**9)
        self._store.reports.create(made)
        resp.status = falcon.HTTP_201
        resp.media = {'report_id': made.id}


class JobReports(Resource):
    """jobs/{job_id}/reports"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str, **_: str) -> None:
        limit, offset = page_of(req, MOST)
        project = caller_of(req).project
        found = self._store.reports.list_of_job(project, job_id, limit, offset)
        resp.media = _shown(found)


def _shown(found: Sequence[ActionReport]) -> views.View:
    return {'reports': [views.report(one) for one in found]}
