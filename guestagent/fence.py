"""The fence: an agent obeys the newest claim on its cluster, and nobody older.

``clusters.epoch`` grows at every claim of a taskmanager worker, so a command that carries
a lower epoch comes from a worker that lost its lease.
"""

import threading

from guestagent.state import StateStore
from slotwright.domain.errors import StaleEpoch, StateDamaged, WrongCluster
from slotwright.rpc.contract import CommandContext


class Fence:
    """Admits commands by epoch and cluster id."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._lock = threading.Lock()

    def admit_read(self, context: CommandContext) -> None:
        """Admit a read: without an epoch it is anybody's.

        :raises StaleEpoch: see ``admit``.
        :raises WrongCluster: see ``admit``.
        :raises StateDamaged: see ``admit``.
        """
        self._check_memory()
        if context.epoch is None:
            self._check_cluster(context, required=False)
        else:
            self.admit(context)

    def admit(self, context: CommandContext) -> None:
        """Admit a command. A newer epoch is on disk before this returns.

        :raises StaleEpoch: when the epoch is missing or older than one obeyed before.
        :raises WrongCluster: when the command is for another cluster.
        :raises StateDamaged: when nobody knows what was obeyed before.
        """
        self._check_memory()
        if context.epoch is None:
            raise StaleEpoch('this command needs the epoch of a claim')
        with self._lock:
            self._check_cluster(context, required=True)
            self.check(context)
            self._store.update(epoch=context.epoch, cluster_id=context.cluster_id)

    def check(self, context: CommandContext) -> None:
        """Look again in the middle of a long command.

        :raises StaleEpoch: when a newer claim was seen meanwhile.
        """
        newest = self._store.state.epoch
        if context.epoch is not None and context.epoch < newest:
            raise StaleEpoch(f'epoch {context.epoch} is older than {newest}')

    def _check_memory(self) -> None:
        if self._store.damage:
            raise StateDamaged(self._store.damage)

    def _check_cluster(self, context: CommandContext, *, required: bool) -> None:
        ours = self._store.state.cluster_id
        if not context.cluster_id:
            if required:
                raise WrongCluster('this command names no cluster')
        elif ours and context.cluster_id != ours:
            raise WrongCluster(f'this node serves cluster {ours}, not {context.cluster_id}')
