"""What is asked of jobs and sessions: events, rounds, and who is in a session."""

import falcon

from api import bodies
from api.backups import schemas
from api.backups.requests import Resource, caller_of, one_member
from slotwright.domain import job_events, session_rounds
from slotwright.domain.backup_model import Job, Session
from slotwright.domain.errors import InvalidRequest, NotFound


class JobEvent(Resource):
    """jobs/{job_id}/event"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, job_id: str, **_: str) -> None:
        event, _params = one_member(bodies.read(req, self._parts.max_body), 'event')
        said = ''

        def change(job: Job | None) -> Job:
            nonlocal said
            if job is None:
                raise NotFound(f'There is no job {job_id!r} in this project.')
            changed, said = job_events.request(job, event)
            return changed

        self._store.jobs.write(caller_of(req).project, job_id, change)
        resp.status = falcon.HTTP_202
        resp.media = {'result': said}


class SessionAction(Resource):
    """sessions/{session_id}/action"""

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, session_id: str, **_: str
    ) -> None:
        action, given = one_member(bodies.read(req, self._parts.max_body), 'action')
        if action not in ('start', 'end'):
            raise InvalidRequest(f'{action[:60]!r} is no action of a session: start and end are.')
        body = (schemas.START if action == 'start' else schemas.END).check(given)
        job_id, now = body['job_id'], self._parts.now()
        tag = int(body['current_tag']) if 'current_tag' in body else None
        said = ''

        def change(session: Session | None) -> Session:
            nonlocal said
            if session is None:
                raise NotFound(f'There is no session {session_id!r} in this project.')
            if action == 'start':
                changed, said = session_rounds.start(session, job_id, tag or 0, now)
            else:
                changed, said = session_rounds.end(session, job_id, body['result'], tag, now)
            return changed

        session = self._store.sessions.write(caller_of(req).project, session_id, change)
        resp.status = falcon.HTTP_202
        resp.media = {'result': said, 'session_tag': session.session_tag}


class SessionJob(Resource):
    """sessions/{session_id}/jobs/{job_id}"""

    def on_put(
        self, req: falcon.Request, resp: falcon.Response, session_id: str, job_id: str, **_: str
    ) -> None:
        self._store.sessions.add_job(caller_of(req).project, session_id, job_id)
        resp.status = falcon.HTTP_204

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, session_id: str, job_id: str, **_: str
    ) -> None:
        now = self._parts.now()
        self._store.sessions.remove_job(caller_of(req).project, session_id, job_id, now)
        resp.status = falcon.HTTP_204
