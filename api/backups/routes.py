"""The paths of both versions, and what serves them."""

from collections.abc import Iterator
from typing import Any

import falcon

from api.backups import acts, clients, kinds, reports, things
from api.backups.requests import Parts, Resource

#: By version.
PREFIXES = {1: '/v1', 2: '/v2/{tenant_id}'}


def _resources(parts: Parts, api_version: int) -> Iterator[tuple[str, Resource]]:
    yield 'clients', clients.Clients(parts, api_version)
    yield 'clients/{client_id}', clients.OneClient(parts, api_version)
    yield 'actions', things.All(parts, api_version, kinds.ACTIONS)
    yield 'actions/{action_id}', things.Replaceable(parts, api_version, kinds.ACTIONS)
    yield 'jobs', things.All(parts, api_version, kinds.JOBS)
    yield 'jobs/{job_id}', things.Replaceable(parts, api_version, kinds.JOBS)
    yield 'jobs/{job_id}/event', acts.JobEvent(parts, api_version)
    yield 'sessions', things.All(parts, api_version, kinds.SESSIONS)
    yield 'sessions/{session_id}', things.Replaceable(parts, api_version, kinds.SESSIONS)
    yield 'sessions/{session_id}/action', acts.SessionAction(parts, api_version)
    yield 'sessions/{session_id}/jobs/{job_id}', acts.SessionJob(parts, api_version)
    if api_version == 2:  # Freezer's first version has nothing like it
        yield 'actions/{action_id}/reports', reports.ActionReports(parts, api_version)
        yield 'jobs/{job_id}/reports', reports.JobReports(parts, api_version)
    yield 'backups', things.All(parts, api_version, kinds.BACKUPS)
    yield 'backups/{backup_id}', things.One(parts, api_version, kinds.BACKUPS)


def add_routes(app: falcon.App[Any, Any], parts: Parts) -> None:
    for api_version, prefix in PREFIXES.items():
        for path, resource in _resources(parts, api_version):
            app.add_route(f'{prefix}/{path}', resource)
