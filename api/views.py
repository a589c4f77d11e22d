"""How records look on the wire: the seed's bodies, and what else people need to see.

Times are UTC without a zone, ``YYYY-MM-DDTHH:MM:SS``, as Trove writes them.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from api.datastores import Datastores, Version
from api.service.clusters import Accepted
from slotwright.domain.clusters import Cluster, Flavor, Instance, Operation
from slotwright.domain.events import Event
from slotwright.domain.gauges import Seen
from slotwright.domain.quotas import RESOURCES, Usage
from slotwright.domain.states import InstanceStatus

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links as one caller can follow them: ``base`` is its scheme and host, and the
    prefix that a proxy put before our paths."""

    base: str
    project_id: str

    def href(self, *path: str) -> str:
        return '/'.join((self.base, 'v1.0', self.project_id, *path))

    def of(self, *path: str) -> list[Body]:
        return [
            {'href': self.href(*path), 'rel': 'self'},
            {'href': '/'.join((self.base, *path)), 'rel': 'bookmark'},
        ]


class Views:
    """Renders everything for one service.

    ``silent_after``: seconds without a heartbeat after which an instance's operating
    status is UNKNOWN. ``now``: naive UTC.
    """

    def __init__(
        self,
        datastores: Datastores,
        region: str,
        silent_after: float,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._datastores = datastores
        self._region = region
        self._silent_after = datetime.timedelta(seconds=silent_after)
        self._now = now

    # Clusters.

    def cluster(self, links: Links, cluster: Cluster) -> Body:
        """A cluster as ``show`` answers it: whole members."""
        active = [i for i in cluster.instances if i.status is InstanceStatus.ACTIVE]
        return {
            **_cluster_head(links, cluster),
            'ip': [address for instance in active for address in _ips(instance)],
            'instances': [_member(links, instance) for instance in cluster.instances],
            **_cluster_tail(links, cluster),
        }

    def accepted(self, links: Links, accepted: Accepted) -> Body:
        """A cluster as create and grow answer it: the new members only."""
        return {
            **_cluster_head(links, accepted.cluster),
            'ip': [],
            'instances': [_member(links, instance) for instance in accepted.new],
            **_cluster_tail(links, accepted.cluster),
        }

    def cluster_item(self, links: Links, cluster: Cluster) -> Body:
        """A cluster as an entry of a list."""
        return {
            **_cluster_head(links, cluster),
            'instances': [
                {
                    'id': instance.id,
                    'name': instance.name,
                    'type': 'member',
                    'links': links.of('instances', instance.id),
                }
                for instance in cluster.instances
            ],
            **_cluster_tail(links, cluster),
        }

    # Instances.

    def instance(
        self, links: Links, instance: Instance, cluster: Cluster, seen: Seen | None = None
    ) -> Body:
        """An instance as ``show`` answers it; ``seen`` is what its node was measured by."""
        body = {
            **self.instance_item(links, instance),
            'datastore': _datastore_of(cluster),
            'type': 'member',
        }
        if instance.volume_size is not None and instance.volume_used is not None:
            body['volume']['used'] = round(instance.volume_used, 2)
        if instance.address is not None:
            body['hostname'] = instance.address.ip
            body.update(_where(instance))
        if cluster.locality:
            body['locality'] = cluster.locality
        if instance.reported is not None:
            body['service_status_updated'] = timestamp(instance.reported)
        if seen is not None:
            body['metrics'] = {**asdict(seen.gauges), 'measured': timestamp(seen.at)}
        if instance.fault:
            body['fault'] = {
                'message': instance.fault,
                'created': timestamp(instance.updated),
                'details': None,
            }
        return body

    def instance_item(self, links: Links, instance: Instance) -> Body:
        """An instance as an entry of a list."""
        return {
            'id': instance.id,
            'cluster_id': instance.cluster_id,
            'name': instance.name,
            'status': instance.status.value,
            'operating_status': self._operating_status(instance),
            'created': timestamp(instance.created),
            'updated': timestamp(instance.updated),
            'links': links.of('instances', instance.id),
            'datastore': {'type': self._datastores.name},
            'ip': _ips(instance),
            'addresses': [{'address': ip, 'type': 'private'} for ip in _ips(instance)],
            'flavor': _flavor_of(links, instance),
            'region': self._region,
            'access': {'is_public': False, 'allowed_cidrs': []},
            **_volume(instance),
        }

    def _operating_status(self, instance: Instance) -> str:
        """What its agent says, as far as it can be relied on."""
        if instance.status is not InstanceStatus.ACTIVE:
            return ''
        if instance.reported is None or self._now() - instance.reported > self._silent_after:
            return 'UNKNOWN'
        return 'HEALTHY' if instance.running else 'CRASHED'

    # Datastores.

    def datastore(self, links: Links) -> Body:
        default = self._datastores.default_version
        return {
            'id': self._datastores.id,
            'name': self._datastores.name,
            'default_version': default.id if default else None,
            'versions': [self.version(links, v) for v in self._datastores.versions],
            'links': links.of('datastores', self._datastores.id),
        }

    def version(self, links: Links, version: Version) -> Body:
        return {
            'id': version.id,
            'name': version.name,
            'version': version.name,
            'datastore': self._datastores.id,
            'active': 1,
            'links': links.of('datastores', self._datastores.id, 'versions', version.id),
        }


def flavor(links: Links, record: Flavor) -> Body:
    """A flavor; numeric ids are numbers in ``id``, as Trove has them."""
    numeric = record.id.isascii() and record.id.isdigit() and str(int(record.id)) == record.id
    return {
        'id': int(record.id) if numeric else record.id,
        'str_id': record.id,
        'name': record.name,
        'ram': record.ram,
        'vcpus': record.vcpus,
        'disk': record.disk,
        'ephemeral': record.ephemeral,
        'links': links.of('flavors', record.id),
    }


def quotas(usage: Usage) -> list[Body]:
    """The limits of a project; -1 is none. Nothing is ever reserved: it is in use or not."""
    limits, in_use = usage.limits.by_name(), usage.in_use.by_name()
    return [
        {'resource': name, 'in_use': in_use[name], 'reserved': 0, 'limit': limits[name]}
        for name in RESOURCES
    ]


def limits(usage: Usage) -> Body:
    """The same as its tenant sees them."""
    return {
        'verb': 'ABSOLUTE',
        **{f'max_{name}': limit for name, limit in usage.limits.by_name().items()},
        **{f'{name}_in_use': amount for name, amount in usage.in_use.by_name().items()},
    }


def operation(links: Links, record: Operation) -> Body:
    """An operation: what was accepted, and how far it is."""
    return {
        'id': record.id,
        'cluster_id': record.cluster_id,
        'kind': record.kind.value,
        'state': record.state.value,
        'progress': {'done': record.done, 'total': record.total, 'message': record.message},
        'reason': record.reason,
        'instances': list(record.instance_ids),
        'request_id': record.request_id,
        'created': timestamp(record.created),
        'updated': timestamp(record.updated),
        'links': links.of('operations', record.id),
    }


def operations(links: Links, records: Sequence[Operation]) -> Body:
    return {'operations': [operation(links, record) for record in records]}


def event(record: Event, number: int) -> Body:
    """What happened; ``number`` is the one that counts where it is shown."""
    return {
        'id': number,
        'kind': record.kind.value,
        'message': record.message,
        'tenant_id': record.project_id,
        'cluster_id': record.cluster_id,
        'instance_id': record.instance_id,
        'operation_id': record.operation_id,
        'request_id': record.request_id,
        'state': dict(record.state),
        'created': record.created.isoformat(timespec='microseconds'),
    }


def timestamp(moment: datetime.datetime) -> str:
    """Naive UTC to the second.

    >>> timestamp(datetime.datetime(2015, 1, 29, 20, 19, 23, 5))
    '2015-01-29T20:19:23'
    """
    return moment.isoformat(timespec='seconds')


def _cluster_head(links: Links, cluster: Cluster) -> Body:
    task = cluster.task
    return {
        'id': cluster.id,
        'task': {'id': task.id, 'name': task.name, 'description': task.description},
        'name': cluster.name,
        'created': timestamp(cluster.created),
        'updated': timestamp(cluster.updated),
        'links': links.of('clusters', cluster.id),
        'datastore': _datastore_of(cluster),
    }


def _cluster_tail(links: Links, cluster: Cluster) -> Body:
    """What the seed does not have."""
    tail: Body = {}
    if cluster.locality:
        tail['locality'] = cluster.locality
    if cluster.extended_properties:
        tail['extended_properties'] = dict(cluster.extended_properties)
    if cluster.operation is not None:
        tail['operation'] = operation(links, cluster.operation)
    return tail


def _member(links: Links, instance: Instance) -> Body:
    return {
        'id': instance.id,
        'name': instance.name,
        'type': 'member',
        'status': instance.status.value,
        'ip': _ips(instance),
        'links': links.of('instances', instance.id),
        'flavor': _flavor_of(links, instance),
        **_volume(instance),
        **_where(instance),
    }


def _where(instance: Instance) -> Body:
    """Where clients connect to, once it is known."""
    address = instance.address
    if address is None:
        return {}
    return {'port': address.port, 'address': f'{address.ip}:{address.port}'}


def _datastore_of(cluster: Cluster) -> Body:
    return {'type': cluster.datastore, 'version': cluster.datastore_version}


def _flavor_of(links: Links, instance: Instance) -> Body:
    return {'id': instance.flavor_id, 'links': links.of('flavors', instance.flavor_id)}


def _volume(instance: Instance) -> Body:
    return {} if instance.volume_size is None else {'volume': {'size': instance.volume_size}}


def _ips(instance: Instance) -> list[str]:
    return [] if instance.address is None else [instance.address.ip]
