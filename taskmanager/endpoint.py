"""The RPC side: wake-ups from the API, reports and questions from agents."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from slotwright.domain.errors import StorageUnavailable
from slotwright.rpc.contract import CommandContext, Wire
from slotwright.storage.base import WorkStore

LOG = logging.getLogger(__name__)


class TaskManagerEndpoint:
    """Implements ``TaskManagerAPI``; see there for shapes.

    ``wake`` has the worker look for operations, ``reported`` tells operations that wait
    that there is news of a guest.
    """

    def __init__(
        self, store: WorkStore, wake: Callable[[], None], reported: Callable[[], None]
    ) -> None:
        self._store = store
        self._wake = wake
        self._reported = reported

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._woken(context, cluster_id)

    def grow_cluster(
        self, context: CommandContext, cluster_id: str, new_instance_ids: Sequence[str]
    ) -> None:
        self._woken(context, cluster_id)

    def shrink_cluster(
        self, context: CommandContext, cluster_id: str, instance_ids: Sequence[str]
    ) -> None:
        self._woken(context, cluster_id)

    def delete_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._woken(context, cluster_id)

    def update_cluster(self, context: CommandContext, cluster_id: str) -> None:
        self._woken(context, cluster_id)

    def report(self, context: CommandContext, instance_id: str, report: Wire) -> None:
        try:
            self._store.report(
                str(instance_id),
                running=bool(report['running']),
                node_id=report.get('node_id'),
                volume_used=report.get('volume_used'),
                wiped=bool(report.get('wiped')),
            )
        except StorageUnavailable as error:
            # The next heartbeat says it again.
            LOG.warning('A report of %s is lost: %s', instance_id, error)
        self._reported()

    def assignment(self, context: CommandContext, instance_id: str) -> dict[str, Any]:
        cluster_id = self._store.assigned_cluster(str(instance_id))
        return {'wanted': cluster_id is not None, 'cluster_id': cluster_id or ''}

    def _woken(self, context: CommandContext, cluster_id: str) -> None:
        LOG.debug('Woken for cluster %s by %s', cluster_id, context.request_id)
        self._wake()
