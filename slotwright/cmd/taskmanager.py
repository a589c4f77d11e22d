"""slotwright-taskmanager: the worker of operations."""

from collections.abc import Sequence

from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager import wiring

PROGRAM = 'slotwright-taskmanager'


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure(PROGRAM, argv)
    with startup.explained(PROGRAM):
        service = wiring.build(conf, get_transport(conf), SQLAlchemyStore.from_config(conf))
        return Daemon(conf, [service]).run()


if __name__ == '__main__':
    raise SystemExit(main())
