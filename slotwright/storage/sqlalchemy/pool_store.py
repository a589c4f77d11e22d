"""The management store in SQL."""

from oslo_config import cfg

from slotwright.storage import management
from slotwright.storage.sqlalchemy import engine
from slotwright.storage.sqlalchemy.catalogue import Catalogue
from slotwright.storage.sqlalchemy.pool_flavors import PoolFlavors
from slotwright.storage.sqlalchemy.pools import Pools
from slotwright.storage.sqlalchemy.transactions import Database


class SQLAlchemyPoolStore:
    """Pools, flavors and catalogue in a migrated database."""

    def __init__(
        self,
        database: Database,
        capabilities: management.SchemeCapabilities = management.no_capabilities,
    ) -> None:
        """``database`` may be the one of an ``SQLAlchemyStore``, which then closes it."""
        self._database = database
        self.pools: management.PoolsController = Pools(database, capabilities)
        self.flavors: management.FlavorsController = PoolFlavors(database)
        self.catalogue: management.CatalogueController = Catalogue(database)

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        capabilities: management.SchemeCapabilities = management.no_capabilities,
    ) -> 'SQLAlchemyPoolStore':
        """Open the store at an SQLAlchemy URL, with a pool of connections of its own."""
        return cls(Database(engine.create(url)), capabilities)

    @classmethod
    def from_config(
        cls,
        conf: cfg.ConfigOpts,  # noqa: ARG003 - [database] is read already
        database: Database,
        capabilities: management.SchemeCapabilities = management.no_capabilities,
    ) -> 'SQLAlchemyPoolStore':
        """See ``slotwright.storage.pool_stores.Driver``."""
        return cls(database, capabilities)

    def close(self) -> None:
        self._database.close()
