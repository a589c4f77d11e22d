"""What there is of actions, jobs, sessions and backups for the resources that serve them alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic

from api.backups import reading, schemas, views
from api.schemas import Schema
from slotwright.domain.backup_model import Action, Backup, Job, Session
from slotwright.storage.backups import BackupStore, T, Things

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What a new thing is made with besides its body. ``now``: seconds since 1970."""

    thing_id: str
    project: str
    user: str
    now: int


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of thing.

    :param name: in URLs and answers, in the plural
    :param id_name: of the member that has its id
    :param own_id: whether a body may choose it
    """

    name: str
    id_name: str
    own_id: bool
    things: Callable[[BackupStore], Things[T]]
    view: Callable[[T, int], views.View]
    created: Schema
    replaced: Schema
    changed: Schema
    make: Callable[[Body, Made], T]
    remake: Callable[[T, Body, Made], T]
    change: Callable[[T, Body, int], T]  # with the seconds since 1970


def _remade_action(old: Action, body: Body, made: Made) -> Action:
    reading.require_same(body, user_id=old.user_id)
    new = reading.new_action(body, old.id, old.project_id, made.user)
    return replace(new, user_id=old.user_id, version=old.version)


def _remade_backup(_old: Backup, body: Body, made: Made) -> Backup:
    return reading.new_backup(body, made.thing_id, made.project, made.user)


ACTIONS: Kind[Action] = Kind(
    'actions',
    'action_id',
    True,
    lambda store: store.actions,
    views.action,
    schemas.ACTION,
    schemas.ACTION,
    schemas.ACTION_CHANGE,
    lambda body, made: reading.new_action(body, made.thing_id, made.project, made.user),
    _remade_action,
    lambda old, body, _now: reading.changed_action(old, body),
)
JOBS: Kind[Job] = Kind(
    'jobs',
    'job_id',
    True,
    lambda store: store.jobs,
    views.job,
    schemas.JOB,
    schemas.JOB,
    schemas.JOB_CHANGE,
    lambda body, made: reading.new_job(body, made.thing_id, made.project, made.user, made.now),
    lambda old, body, made: reading.replaced_job(old, body, made.now),
    reading.changed_job,
)
SESSIONS: Kind[Session] = Kind(
    'sessions',
    'session_id',
    False,
    lambda store: store.sessions,
    views.session,
    schemas.SESSION,
    schemas.SESSION_REPLACED,
    schemas.SESSION_CHANGE,
    lambda body, made: reading.new_session(body, made.thing_id, made.project, made.user, made.now),
    lambda old, body, made: reading.replaced_session(old, body, made.now),
    reading.changed_session,
)
BACKUPS: Kind[Backup] = Kind(
    'backups',
    'backup_id',
    False,
    lambda store: store.backups,
    views.backup,
    schemas.BACKUP,
    schemas.BACKUP,
    schemas.BACKUP_CHANGE,
    lambda body, made: reading.new_backup(body, made.thing_id, made.project, made.user),
    _remade_backup,
    lambda old, body, _now: reading.changed_backup(old, body),
)
