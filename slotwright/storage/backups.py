"""What a store of clients, actions, jobs, sessions, backups and reports does.

Every method is one transaction: it happens whole or not at all, whoever else is at work. Lists
are in the order of creation, but for reports. All methods raise ``StorageUnavailable`` when the
database does not answer.

``write`` makes or changes one thing: it hands what there is (None: nothing) to ``change`` and
stores what that answers, with nobody in between, so no change is lost. ``change`` may run
more than once, so it must have no effect but its answer; whatever it raises leaves all as it was.
Project, id, user and version of what is there stay, whatever ``change`` says of them. The
answer is what is stored then, its ``version`` one more than before unless nothing changed.

``version``, where given, has to be the one there is, else ``Conflict`` is raised.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from slotwright.domain.backup_model import (
    Action,
    ActionReport,
    Backup,
    Client,
    Job,
    Session,
)
from slotwright.domain.search import EVERYTHING, Search

PAGE = 10

T = TypeVar('T', Action, Backup, Job, Session)


class ClientsStore(Protocol):
    """Hosts. Those that are central belong to one project and are seen by all."""

    def list(
        self, project_id: str, search: Search = EVERYTHING, limit: int = PAGE, offset: int = 0
    ) -> Sequence[Client]: ...

    def get(self, project_id: str, client_id: str) -> Client:
        """:raises NotFound:"""

    def create(self, client: Client) -> None:
        """Also takes over the jobs of clients of this id that were deleted; those of other
        projects if it is central.

        :raises Conflict: when the project has one of that id.
        """

    def delete(self, project_id: str, client_id: str) -> None:
        """Its jobs stay and name it.

        :raises NotFound: also for a central client of another project.
        """


class Things(Protocol[T]):
    """What actions, jobs, sessions and backups have in common."""

    def list(
        self,
        project_id: str | None,
        search: Search = EVERYTHING,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[T]:
        """A page of a project's; of every project's for None."""

    def get(self, project_id: str, thing_id: str) -> T:
        """:raises NotFound:"""

    def create(self, thing: T) -> None:
        """Make a new one.

        :raises Conflict: when the project has one of that id.
        :raises Unprocessable: as ``write``.
        """

    def write(
        self,
        project_id: str,
        thing_id: str,
        change: Callable[[T | None], T],
        version: int | None = None,
    ) -> T:
        """See above.

        :raises Conflict: for an old ``version``; for an id that somebody else made just now;
            for a job that is said to be in another session than it is.
        :raises Unprocessable: when it refers to what is not there, or a job wants an action
            that its client cannot do.
        """

    def delete(self, project_id: str, thing_id: str) -> None:
        """A job leaves its session and takes the actions along that its document made; an
        action leaves its jobs; jobs leave a session.

        :raises NotFound:
        """


class SessionsStore(Things[Session], Protocol):
    """``write`` also changes the states of the jobs that are in it, but not which ones are."""

    def add_job(self, project_id: str, session_id: str, job_id: str) -> None:
        """Put a job into a session; nothing happens when it is in it.

        :raises NotFound: when one of the two is not there.
        :raises Conflict: when it is in another session.
        """

    def remove_job(self, project_id: str, session_id: str, job_id: str, now: int) -> None:
        """:raises NotFound: also when the job is not in the session."""


class ReportsStore(Protocol):
    """How runs ended. A report stays as long as its action or its job does.

    Lists have the newest first, those of one second in the order of their ids.
    """

    def create(self, report: ActionReport) -> None:
        """Keep one.

        :raises NotFound: when there is no such action.
        :raises Unprocessable: when there is no such job, or it has no such action.
        """

    def list_of_action(
        self, project_id: str, action_id: str, limit: int = PAGE, offset: int = 0
    ) -> Sequence[ActionReport]:
        """Also of jobs that are deleted. :raises NotFound:"""

    def list_of_job(
        self, project_id: str, job_id: str, limit: int = PAGE, offset: int = 0
    ) -> Sequence[ActionReport]:
        """Also of actions that are deleted, or the job's no more. :raises NotFound:"""


class BackupStore(Protocol):
    """All of it. Safe to use from any thread."""

    @property
    def clients(self) -> ClientsStore: ...

    @property
    def actions(self) -> Things[Action]: ...

    @property
    def jobs(self) -> Things[Job]: ...

    @property
    def sessions(self) -> SessionsStore: ...

    @property
    def backups(self) -> Things[Backup]: ...

    @property
    def reports(self) -> ReportsStore: ...
