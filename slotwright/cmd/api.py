"""slotwright-api: the REST daemon."""

from collections.abc import Sequence

from api import wiring
from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

PROGRAM = 'slotwright-api'


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure(PROGRAM, argv)
    with startup.explained(PROGRAM):
        store = SQLAlchemyStore.from_config(conf)
        service = wiring.build_service(conf, get_transport(conf), store)
        return Daemon(conf, [service]).run()


if __name__ == '__main__':
    raise SystemExit(main())
