"""slotwright-taskmanager: the worker of operations."""

from collections.abc import Sequence

from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from taskmanager import wiring


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure('slotwright-taskmanager', argv)
    with startup.explained('slotwright-taskmanager'):
        service = wiring.build(conf, get_transport(conf), SQLAlchemyStore.from_config(conf))
        return Daemon(conf, [service]).run()
