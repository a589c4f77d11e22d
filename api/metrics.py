"""/metrics: what Prometheus scrapes, for operators.

Requests are counted by this daemon; the rest is counted in the database when asked, so every
API daemon tells the same of it.
"""

import datetime
import time
from collections.abc import Callable, Iterator

import falcon
from prometheus_client import CollectorRegistry, Histogram, exposition
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.ports import Store
from slotwright.domain.errors import StorageUnavailable

_METHODS = frozenset({'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Requests:
    """Falcon middleware that times requests by route, never by what is in the path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            'slotwright_http_request_seconds',
            'Requests answered, and how long each took.',
            ('method', 'route', 'status'),
            registry=registry,
            buckets=_BUCKETS,
        )

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        req.context.began = time.perf_counter()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        method = req.method if req.method in _METHODS else 'other'
        route = req.uri_template or 'none'
        elapsed = time.perf_counter() - req.context.began
        self._seconds.labels(method, route, str(resp.status_code)).observe(elapsed)


class Counted(Collector):
    """What the database holds, in a few queries."""

    def __init__(
        self, store: Store, silent_after: float, now: Callable[[], datetime.datetime]
    ) -> None:
        self._store = store
        self._silent_after = datetime.timedelta(seconds=silent_after)
        self._now = now

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily('slotwright_store_up', 'Whether the database answers.')
        try:
            census = self._store.take_census(self._now() - self._silent_after)
        except StorageUnavailable:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        clusters = GaugeMetricFamily(
            'slotwright_clusters', 'Clusters that are there, by their task.', labels=('task',)
        )
        for task, count in census.clusters.items():
            clusters.add_metric((task,), count)
        yield clusters
        instances = GaugeMetricFamily(
            'slotwright_instances',
            'Instances that are there, and how their nodes were when last heard of.',
            labels=('status', 'operating_status'),
        )
        for (status, operating), count in census.instances.items():
            instances.add_metric((status, operating), count)
        yield instances
        pools = GaugeMetricFamily(
            'slotwright_pool_instances', 'Instances that a pool has.', labels=('pool',)
        )
        for pool, used in census.pools.items():
            pools.add_metric((pool,), used.instances)
        yield pools
        # No counters: an operation leaves the states before its last.
        operations = GaugeMetricFamily(
            'slotwright_operations', 'Operations by kind and state.', labels=('kind', 'state')
        )
        spent = GaugeMetricFamily(
            'slotwright_operation_seconds', 'Time workers gave them.', labels=('kind', 'state')
        )
        for (kind, state), (count, seconds) in census.operations.items():
            operations.add_metric((kind, state), count)
            spent.add_metric((kind, state), seconds)
        yield operations
        yield spent


class Metrics:
    """The resource; numbers of all projects are in it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = exposition.CONTENT_TYPE_PLAIN_0_0_4
        resp.data = exposition.generate_latest(self._registry)
