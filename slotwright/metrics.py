"""Measurements that several daemons take, and a place to scrape those of the taskmanager."""

import logging
import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Histogram, start_http_server

LOG = logging.getLogger(__name__)

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180)  # seconds


class RpcTimes:
    """What became of RPC messages and how long it took; an ``Observer`` of a transport.

    Labels name methods, never an instance: there are too many of those.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            'slotwright_rpc_seconds',
            'RPC messages sent by this daemon, and how long it waited for the answer.',
            ('topic', 'method', 'outcome'),
            registry=registry,
            buckets=_BUCKETS,
        )

    def __call__(self, topic: str, method: str, outcome: str, seconds: float) -> None:
        self._seconds.labels(topic, method, outcome).observe(seconds)


class MetricsServer:
    """A service that shows ``registry`` to Prometheus, on a port of its own."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        self._registry = registry
        self._host = host
        self._port = port
        self._served: tuple[WSGIServer, threading.Thread] | None = None

    def start(self) -> None:
        """:raises OSError: when the address is taken or not ours."""
        self._served = start_http_server(self._port, self._host, self._registry)
        LOG.info('Metrics at http://%s:%d/metrics', self._host, self._served[0].server_port)

    def stop(self) -> None:
        if self._served is not None:
            self._served[0].shutdown()
            self._served[0].server_close()

    def wait(self) -> None:
        if self._served is not None:
            self._served[1].join()
