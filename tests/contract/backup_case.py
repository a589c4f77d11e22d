"""What the tests of the backup store's contract share."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from slotwright.domain.backup_model import Action, Client, Job, JobAction, Session
from slotwright.storage.sqlalchemy import backup_tables as tables
from slotwright.storage.sqlalchemy.backup_store import SQLAlchemyBackupStore
from tests.contract.storage_case import StoreCase

PROJECT = 'demo'
FILES = {'action': 'backup', 'mode': 'fs', 'path_to_backup': '/etc', 'container': 'c1'}


class BackupCase(StoreCase):
    """A backup store with one client, ``web``, in its project."""

    def setUp(self) -> None:
        super().setUp()
        self._numbers = itertools.count(1)
        self.backup = SQLAlchemyBackupStore(self.store.database)
        self.clients, self.actions = self.backup.clients, self.backup.actions
        self.jobs, self.sessions = self.backup.jobs, self.backup.sessions
        self.backups = self.backup.backups
        self.add_client('web')

    def connect_backup(self) -> SQLAlchemyBackupStore:
        """One more client of the same database, with connections of its own."""
        return SQLAlchemyBackupStore(self.connect().database)

    def new_name(self, kind: str) -> str:
        return f'{kind}-{next(self._numbers)}'

    def add_client(self, name: str, project: str = PROJECT, **more: Any) -> Client:
        client = Client(name, project, 'u', f'uuid-{name}', **more)
        self.clients.create(client)
        return client

    def add_action(self, project: str = PROJECT, **content: Any) -> Action:
        action = Action(self.new_name('action'), project, 'u', {**FILES, **content})
        self.actions.create(action)
        return action

    def add_job(self, *parts: JobAction, project: str = PROJECT, **more: Any) -> Job:
        """A job on ``web``, with one action unless others are given."""
        parts = parts or (JobAction(freezer_action=FILES),)
        more = {'client_id': 'web', 'user_id': 'u', **more}
        job = Job(self.new_name('job'), project, actions=parts, **more)
        self.jobs.create(job)
        return self.jobs.get(project, job.id)

    def add_session(self, *jobs: Job, project: str = PROJECT, **more: Any) -> Session:
        session = Session(self.new_name('session'), project, 'u', **more)
        self.sessions.create(session)
        for job in jobs:
            self.sessions.add_job(project, session.id, job.id)
        return self.sessions.get(project, session.id)

    def count(self, table: sa.Table) -> int:
        """The rows of a table that are not deleted."""
        query = sa.select(sa.func.count()).select_from(table)
        query = query.where(table.c.deleted == 0) if 'deleted' in table.c else query
        return self.store.database.read(lambda conn: conn.execute(query).scalar_one())

    def terms(self) -> int:
        return self.count(tables.backup_terms)


def changing(**values: Any) -> Callable[[Any], Any]:
    """A change that sets these members; there has to be something."""

    def change(thing: Any) -> Any:
        assert thing is not None
        return replace(thing, **values)

    return change


def scheduling(**values: Any) -> Callable[[Job | None], Job]:
    """A change of some members of a job's schedule."""

    def change(job: Job | None) -> Job:
        assert job is not None
        return replace(job, schedule={**job.schedule, **values})

    return change
