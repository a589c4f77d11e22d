"""slotwright-taskmanager: the worker of operations."""

import contextlib
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from slotwright.cmd import startup
from slotwright.daemon import Daemon, Service
from slotwright.events import drivers
from slotwright.metrics import MetricsServer, RpcTimes
from slotwright.rpc.transport import get_transport
from slotwright.storage import pool_stores
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager import wiring

PROGRAM = 'slotwright-taskmanager'


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure(PROGRAM, argv)
    with startup.explained(PROGRAM):
        transport = get_transport(conf)
        services: list[Service] = []
        if conf.taskmanager.metrics_port:
            registry = CollectorRegistry()
            transport.observe = RpcTimes(registry)
            services.append(
                MetricsServer(
                    registry, conf.taskmanager.metrics_host, conf.taskmanager.metrics_port
                )
            )
        store = SQLAlchemyStore.from_config(conf)
        with (
            contextlib.closing(pool_stores.from_config(conf, store.database)) as pool_store,
            contextlib.closing(drivers.from_config(conf)) as events,
        ):
            services.append(wiring.build(conf, transport, store, pool_store, events))
            return Daemon(conf, services).run()


if __name__ == '__main__':
    raise SystemExit(main())
