"""Has the database forget what was deleted long ago."""

import datetime
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.purge import REST, PurgeStore

LOG = logging.getLogger(__name__)

#: Batches of one look, so that a daemon that ends is not waited for; the next look goes on.
MOST = 100


class Purger:
    """Any number of them may work on one database.

    :param keep: how long what is deleted stays; nothing is purged where it is zero.
    """

    def __init__(
        self,
        store: PurgeStore,
        keep: datetime.timedelta,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._keep = keep
        self._rest = rest

    def tick(self) -> None:
        if not self._keep:
            return
        gone: Counter[str] = Counter()
        try:
            for table, count in itertools.islice(self._store.purge_deleted(self._keep), MOST):
                gone[table] += count
                self._rest(REST)
        except StorageUnavailable as error:
            LOG.warning('What was deleted is not purged now: %s', error)
        if gone:
            LOG.info('Purged %s', ', '.join(f'{n} {table}' for table, n in gone.items()))
