"""slotwright-api: the REST daemon."""

import concurrent.futures
from collections.abc import Sequence

from api.server import ApiServer

from api import wiring
from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc import factory
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure('slotwright-api', argv)
    with startup.explained('slotwright-api'):
        transport = get_transport(conf)
        store = SQLAlchemyStore.from_config(conf)
        with concurrent.futures.ThreadPoolExecutor(conf.taskmanager.fanout) as executor:
            app = wiring.build(
                conf,
                store,
                factory.taskmanager_client(conf, transport),
                factory.guest_client(conf, transport),
                executor,
            )
            server = ApiServer(app, conf.api.bind_host, conf.api.bind_port, conf.api.threads)
            return Daemon(conf, [server]).run()
