"""The catalogue of the management store, kept the way SQL has it."""

import logging
from collections.abc import Mapping
from functools import partial

from slotwright.domain.errors import InvalidRequest, NameCollision, StorageUnavailable
from slotwright.outage import Outage
from slotwright.storage.base import PooledStore
from slotwright.storage.management import CatalogueController

LOG = logging.getLogger(__name__)

_REFUSALS = (InvalidRequest, NameCollision)


class CatalogueKeeper:
    """Projects where instances are, as SQL has it, into the catalogue.

    Each live instance in a pool has an entry: its project, its id as the queue, its pool. An
    entry whose queue is the id of any other instance in SQL (deleted, in no pool, of another
    project) goes: so an old dump of the store comes right again. One whose queue SQL does not
    know as an instance was made by somebody else, and stays; nothing in Slotwright reads it.

    What one look writes follows from the data alone, so any number of keepers may work on one
    catalogue. One that is slow may bring an entry back that another removed, or remove none
    for a deleted instance; the next look of any of them mends that.
    """

    def __init__(self, store: PooledStore, catalogue: CatalogueController) -> None:
        self._store = store
        self._catalogue = catalogue
        self._outage = Outage(
            LOG, 'The catalogue of pools is not kept now', 'The catalogue of pools is kept again'
        )
        self._refused: Mapping[str, str] = {}

    def tick(self) -> None:
        """Look at all, and write what differs. What cannot be done is told once."""
        try:
            refused = self._look()
        except StorageUnavailable as error:
            self._outage.goes_on(error)
            return
        self._outage.is_over()
        for project, reason in refused.items():
            if project not in self._refused:
                LOG.warning('The catalogue lacks entries of project %s: %s', project, reason)
        self._refused = refused

    def _look(self) -> Mapping[str, str]:
        """Answers the first refusal for each project that had any."""
        refused = {}
        for project, pools in self._store.list_pooled().items():
            reasons = self._mend(project, pools)
            if reasons:
                refused[project] = reasons[0]
        return refused

    def _mend(self, project: str, pools: Mapping[str, str]) -> list[str]:
        """Have a project's entries say ``pools``, by instance id; answers the refusals."""
        try:
            entries = {entry.queue: entry.pool for entry in self._catalogue.list(project)}
        except _REFUSALS as error:  # a project name that no catalogue takes
            return [str(error)]
        others = entries.keys() - pools.keys()
        # Asked anew: what came since the list was made is no stray.
        strays = self._store.find_unpooled(project, others) if others else ()
        changes = [partial(self._catalogue.delete, project, queue) for queue in strays]
        changes += [
            partial(self._catalogue.insert, project, instance_id, pool)
            for instance_id, pool in pools.items()
            if entries.get(instance_id) != pool
        ]
        refused = []
        for change in changes:
            try:
                change()
            except _REFUSALS as error:
                refused.append(str(error))
        return refused
