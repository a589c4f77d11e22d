"""The RPC side: wake-ups from the API, reports and questions from agents."""

import ipaddress
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from slotwright.domain.errors import InvalidRequest, StorageUnavailable
from slotwright.domain.gauges import Gauges, gauges_from
from slotwright.domain.hosts import Announcement
from slotwright.domain.topology import Address
from slotwright.rpc.contract import CommandContext, Wire
from slotwright.storage.base import HostStore, WorkStore

LOG = logging.getLogger(__name__)


Note = Callable[[str, str, Gauges | None], None]


def note_nowhere(_cluster_id: str, _instance_id: str, _gauges: Gauges | None) -> None:
    """Where nobody wants to know."""


class Store(WorkStore, HostStore, Protocol):
    """What agents report to, and ask."""


class TaskManagerEndpoint:
    """Implements ``TaskManagerAPI``; see there for shapes.

    ``wake`` has the worker look for operations, ``reported`` tells operations that wait
    that there is news of a guest. A host is silent after ``silence`` seconds. ``noted`` takes
    what nodes are measured by, as ``slotwright.events.board.BoardWriter.note`` does.
    """

    def __init__(
        self,
        store: Store,
        wake: Callable[[], None],
        reported: Callable[[], None],
        silence: float = 20.0,
        noted: Note = note_nowhere,
    ) -> None:
        self._store = store
        self._wake = wake
        self._reported = reported
        self._silence = silence
        self._noted = noted

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
                fault=report.get('fault'),
            )
        except StorageUnavailable as error:
            # The next heartbeat says it again.
            LOG.warning('A report of %s is lost: %s', instance_id, error)
        self._reported()
        self._note(context, str(instance_id), report)

    def _note(self, context: CommandContext, instance_id: str, report: Wire) -> None:
        said = report.get('gauges')
        try:
            if said is not None:
                self._noted(context.cluster_id, instance_id, gauges_from(said))
            elif report.get('wiped'):
                self._noted(context.cluster_id, instance_id, None)
        except (AttributeError, ValueError) as error:
            LOG.warning('A report of %s has %s', instance_id, error)

    def assignment(self, context: CommandContext, instance_id: str) -> dict[str, Any]:
        cluster_id = self._store.assigned_cluster(str(instance_id))
        return {'wanted': cluster_id is not None, 'cluster_id': cluster_id or ''}

    def announce(self, context: CommandContext, host_id: str, announcement: Wire) -> dict[str, Any]:
        said = _read(host_id, announcement)
        return {'instance_id': self._store.announce(said, self._silence) or ''}

    def _woken(self, context: CommandContext, cluster_id: str) -> None:
        LOG.debug('Woken for cluster %s by %s', cluster_id, context.request_id)
        self._wake()


def _read(host_id: str, said: Wire) -> Announcement:
    """:raises InvalidRequest: it is not what the contract says."""
    try:
        address = Address.from_wire(said['address'])
        ipaddress.ip_address(address.ip)
        holds = str(said.get('holds') or '')
        return Announcement(
            host_id=str(uuid.UUID(str(host_id))),
            group=str(said['group'])[:255],
            machine=str(said['machine'])[:255],
            address=address,
            ram=int(said['ram']),
            holds=str(uuid.UUID(holds)) if holds else '',
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f'Malformed announcement of host {host_id}: {error}') from error
