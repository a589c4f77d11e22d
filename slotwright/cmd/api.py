"""slotwright-api: the REST daemon."""

import contextlib
from collections.abc import Sequence

from slotwright.cmd import concurrency

PROGRAM = 'slotwright-api'


def main(argv: Sequence[str] | None = None) -> int:
    green = concurrency.wanted(PROGRAM, argv) == concurrency.EVENTLET
    if green:
        concurrency.start_patched(PROGRAM)
    # Not before: what they import must find the standard library patched.
    from api import wiring
    from slotwright.cmd import startup
    from slotwright.daemon import Daemon
    from slotwright.events import drivers
    from slotwright.rpc.transport import get_transport
    from slotwright.storage import pool_stores
    from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

    conf = startup.configure(PROGRAM, argv)
    with startup.explained(PROGRAM):
        if green:
            concurrency.require_green_database(conf.database.connection)
        store = SQLAlchemyStore.from_config(conf)
        pools = pool_stores.from_config(conf, store.database)
        with contextlib.closing(drivers.from_config(conf)) as events:
            transport = get_transport(conf)
            service = wiring.build_service(conf, transport, store, pools, events, green=green)
            return Daemon(conf, [service]).run()


if __name__ == '__main__':
    raise SystemExit(main())
