"""slotwright-api: the REST daemon."""

import concurrent.futures
from collections.abc import Sequence

from api import wiring
from api.server import ApiServer
from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc.clients import guest_client, taskmanager_client
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

PROGRAM = 'slotwright-api'


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure(PROGRAM, argv)
    with startup.explained(PROGRAM), concurrent.futures.ThreadPoolExecutor() as executor:
        transport = get_transport(conf)
        app = wiring.build(
            conf,
            SQLAlchemyStore.from_config(conf),
            taskmanager_client(conf, transport),
            guest_client(conf, transport),
            executor,
        )
        server = ApiServer(app, conf.api.bind_host, conf.api.bind_port, conf.api.threads)
        return Daemon(conf, [server]).run()


if __name__ == '__main__':
    raise SystemExit(main())
