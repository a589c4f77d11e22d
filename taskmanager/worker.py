"""Claims operations, keeps their leases, and has them run on a pool of threads."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.base import Claim, WorkStore
from taskmanager.operation import OperationRunner

LOG = logging.getLogger(__name__)


class Worker:
    """One taskmanager's share of the work.

    ``tick`` is to be called at a steady beat well below the lease time, and whenever
    there may be something new. Several workers share one database without ever holding
    one cluster twice: the claim is a compare-and-swap there.
    """

    def __init__(
        self,
        store: WorkStore,
        runner: OperationRunner,
        executor: Executor,
        owner: str,
        lease: float,
        capacity: int,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """``ended`` is called whenever an operation is let go of."""
        self._store = store
        self._runner = runner
        self._executor = executor
        self._owner = owner
        self._lease = lease
        self._capacity = capacity
        self._ended = ended
        self._lock = threading.Lock()
        self._held: dict[str, Claim] = {}
        self._stopping = False

    def tick(self) -> None:
        """Renew what is held, then claim and start what is free, up to the capacity."""
        try:
            self._renew()
            if not self._stopping:
                self._claim()
        except StorageUnavailable as error:
            LOG.warning('The database is away: %s', error)

    def stop(self) -> None:
        """Claim no more; operations end after their round and are given back."""
        self._stopping = True

    def _renew(self) -> None:
        with self._lock:
            held = list(self._held.values())
        if not held:
            return
        kept = {c.operation_id for c in self._store.renew(held, self._lease)}
        for claim in held:
            if claim.operation_id not in kept:
                LOG.info('The lease of operation %s is lost', claim.operation_id)

    def _claim(self) -> None:
        with self._lock:
            room = self._capacity - len(self._held)
        if room <= 0:
            return
        for operation_id in self._store.list_claimable(room):
            with self._lock:
                if operation_id in self._held:
                    continue
            claim = self._store.claim(operation_id, self._owner, self._lease)
            if claim is None:
                continue
            with self._lock:
                self._held[operation_id] = claim
            self._executor.submit(self._run, claim)

    def _run(self, claim: Claim) -> None:
        try:
            self._runner.run(claim, lambda: self._stopping)
        except Exception:
            # The worker's boundary: the operation stays, is claimed again when its lease
            # runs out, and fails by its budget if this goes on.
            LOG.exception('Operation %s stumbled', claim.operation_id)
        finally:
            with self._lock:
                self._held.pop(claim.operation_id, None)
            self._ended()
