"""The backup store in SQL."""

import uuid
from collections.abc import Callable

from slotwright.domain.backup_model import Action, Backup, Job
from slotwright.storage import backups
from slotwright.storage.sqlalchemy.backup_actions import Actions
from slotwright.storage.sqlalchemy.backup_clients import Clients
from slotwright.storage.sqlalchemy.backup_jobs import Jobs
from slotwright.storage.sqlalchemy.backup_records import Backups
from slotwright.storage.sqlalchemy.backup_reports import Reports
from slotwright.storage.sqlalchemy.backup_sessions import Sessions
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.transactions import Database


def new_id() -> str:
    return uuid.uuid4().hex


class SQLAlchemyBackupStore:
    """Clients, actions, jobs, sessions and backups in a migrated database.

    See ``slotwright.storage.backups.BackupStore``.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        ids: Callable[[], str] = new_id,
    ) -> None:
        """``database`` may be the one of an ``SQLAlchemyStore``, which then closes it."""
        clock = clock or Clock()
        self.clients: backups.ClientsStore = Clients(database, clock)
        self.actions: backups.Things[Action] = Actions(database, clock)
        self.jobs: backups.Things[Job] = Jobs(database, clock, ids)
        self.sessions: backups.SessionsStore = Sessions(database, clock)
        self.backups: backups.Things[Backup] = Backups(database, clock)
        self.reports: backups.ReportsStore = Reports(database, clock)
