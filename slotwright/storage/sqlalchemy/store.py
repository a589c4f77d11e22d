"""The whole store on SQLAlchemy."""

import functools
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.base import ManagementStore
from slotwright.storage.sqlalchemy import engine, failures, options
from slotwright.storage.sqlalchemy.backup_store import SQLAlchemyBackupStore
from slotwright.storage.sqlalchemy.census import CensusTaker
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.clusters import Clusters
from slotwright.storage.sqlalchemy.events import Events
from slotwright.storage.sqlalchemy.flavors import Flavors
from slotwright.storage.sqlalchemy.hosts import Hosts
from slotwright.storage.sqlalchemy.instances import Instances
from slotwright.storage.sqlalchemy.operations import Operations
from slotwright.storage.sqlalchemy.pooled import Pooled
from slotwright.storage.sqlalchemy.purge import Purge
from slotwright.storage.sqlalchemy.quotas import Quotas
from slotwright.storage.sqlalchemy.transactions import Database


class SQLAlchemyStore(
    Flavors,
    Quotas,
    Clusters,
    Instances,
    Operations,
    Hosts,
    Pooled,
    CensusTaker,
    Events,
    Purge,
    ManagementStore,
):
    """Management data in SQLite, MySQL/MariaDB or PostgreSQL; safe to use from any thread.

    SQLite stops the whole process while it waits for a lock, so a daemon whose threads
    are eventlet's must not use it.
    """

    @classmethod
    def connect(
        cls, url: str, *, now: Callable[[], float] | None = None, **engine_options: Any
    ) -> 'SQLAlchemyStore':
        """Open the store at an SQLAlchemy URL; ``sqlite://`` keeps all in memory.

        ``now`` (seconds since 1970) replaces the database's clock in simulated time.
        ``engine_options`` are those of ``oslo_db.sqlalchemy.engines.create_engine``. Nothing
        is connected before it is needed (unless ``max_retries`` has it try at once), and no
        table is made: see ``migration.upgrade``.

        :raises StorageUnavailable: when the tries of ``max_retries`` all failed.
        """
        try:
            return cls(Database(engine.create(url, **engine_options)), Clock(now))
        except failures.ANY as error:
            if failures.is_away(error):
                raise StorageUnavailable('The database does not answer now.') from error
            raise

    @classmethod
    def from_config(cls, conf: cfg.ConfigOpts) -> 'SQLAlchemyStore':
        """Open the store that [database] of ``conf`` describes."""
        options.register_options(conf)
        section = conf[options.GROUP]
        chosen = {name: section[name] for name in options.ENGINE_OPTIONS}
        return cls.connect(section.connection, **chosen)

    @functools.cached_property
    def backups(self) -> SQLAlchemyBackupStore:
        """Clients, actions, jobs, sessions and backups in the same database."""
        return SQLAlchemyBackupStore(self.database, self.clock)

    def close(self) -> None:
        """Give the connections back; the next use would open new ones."""
        self.database.close()
