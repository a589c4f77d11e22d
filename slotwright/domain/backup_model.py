"""Clients, actions, jobs, sessions and backups: what is backed up, where, when, how it ended.

Ids are of one project: two projects may use the same. ``version`` is 1 for a new thing and grows
with every change. Times are whole seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Document = Mapping[str, Any]  # a JSON object

MAX_RETRIES = 5
MAX_RETRIES_INTERVAL = 6  # seconds
HOLD_OFF = 30  # seconds

#: What a client may say it can do, and the members of an action that ask for it.
CAPABILITIES: Mapping[str, tuple[str, ...]] = {
    'supported_actions': ('action',),
    'supported_modes': ('mode',),
    'supported_storages': ('storage',),
    'supported_engines': ('engine', 'engine_name'),
}


@dataclass(frozen=True, slots=True)
class Client:
    """A host that jobs run on."""

    id: str
    project_id: str
    user_id: str
    uuid: str
    hostname: str = ''
    description: str = ''
    config_id: str = ''
    is_central: bool = False  # shown to every project, and runs their jobs
    supported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of ``CAPABILITIES``
    version: int = 1


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do: a backup, a restore."""

    id: str
    project_id: str
    user_id: str
    freezer_action: Document
    max_retries: int = MAX_RETRIES
    max_retries_interval: int = MAX_RETRIES_INTERVAL
    mandatory: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class JobAction:
    """An action as a part of a job; what is None is as in the action itself.

    Given to a store, ``action_id`` may be '' or unknown when ``freezer_action`` is there: the
    action is made then. Without ``freezer_action`` it has to exist.
    """

    action_id: str = ''
    freezer_action: Document | None = None
    max_retries: int | None = None
    max_retries_interval: int | None = None
    mandatory: bool | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Actions, one after the other, on a client."""

    id: str
    project_id: str
    user_id: str
    client_id: str
    #: ``schedule_…`` and ``time_…``, event, status, result and current_pid.
    schedule: Document = field(default_factory=dict)
    actions: tuple[JobAction, ...] = ()
    description: str = ''
    session_id: str = ''
    session_tag: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class SessionJob:
    """How far a job is in the round of its session."""

    job_id: str
    client_id: str
    status: str = ''
    result: str = ''
    time_started: int = -1
    time_ended: int = -1


@dataclass(frozen=True, slots=True)
class Session:
    """Jobs that start together. ``session_tag`` numbers the rounds."""

    id: str
    project_id: str
    user_id: str
    schedule: Document = field(default_factory=dict)
    description: str = ''
    policy: str | None = None
    hold_off: int = HOLD_OFF
    session_tag: int = 0
    status: str = 'active'
    result: str | None = None
    time_start: int = -1
    time_end: int = -1
    time_started: int = -1
    time_ended: int = -1
    jobs: tuple[SessionJob, ...] = ()
    version: int = 1

    def job(self, job_id: str) -> SessionJob | None:
        """The job of that id, if it is in the session."""
        return next((job for job in self.jobs if job.job_id == job_id), None)

    def with_job(self, changed: SessionJob) -> 'Session':
        """The session with one of its jobs changed."""
        jobs = tuple(changed if job.job_id == changed.job_id else job for job in self.jobs)
        return replace(self, jobs=jobs)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a run of an action left behind."""

    id: str
    project_id: str
    user_id: str
    metadata: Document
    status: str = 'available'
    user_name: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class ActionReport:
    """How a run of an action ended."""

    id: str
    project_id: str
    action_id: str
    job_id: str | None  # None: run by itself
    result: str
    time_elapsed: float  # seconds; -1: nobody said
    report_date: int
    metadata: Document = field(default_factory=dict)
    log: str | None = None  # of a run that failed


def lacking(supported: Mapping[str, Sequence[str]], freezer_action: Document) -> str | None:
    """What an action asks for that its client says it cannot; None when it can all.

    ``supported`` are the client's; one that says nothing of a capability can everything.

    >>> lacking({'supported_modes': ('fs',)}, {'mode': 'nova'})
    "mode 'nova'"
    """
    for capability, members in CAPABILITIES.items():
        offered = supported.get(capability)
        for member in members:
            wanted = freezer_action.get(member)
            if offered and wanted is not None and wanted not in offered:
                return f'{member} {wanted!r}'
    return None


def cleaned(freezer_action: Document) -> Document:
    """What an action stores of a posted one: no nulls, and one name for what it backs up.

    >>> cleaned({'action': 'backup', 'mode': None, 'src_file': '/etc'})
    {'path_to_backup': '/etc', 'action': 'backup'}
    """
    kept = {name: value for name, value in freezer_action.items() if value is not None}
    source = kept.pop('src_file', None)
    return kept if source is None else {'path_to_backup': source, **kept}
