"""slotwright-guestagent: the agent beside one redis-server."""

import functools
from collections.abc import Sequence

from guestagent import wiring
from slotwright.cmd import startup
from slotwright.daemon import Daemon
from slotwright.rpc import contract, factory
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import get_transport


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure('slotwright-guestagent', argv)
    with startup.explained('slotwright-guestagent'):
        transport = get_transport(conf)
        service = wiring.build_agent(
            wiring.options_from_conf(conf),
            transport,
            factory.taskmanager_client(conf, transport),
            functools.partial(RpcServer, transport, contract.GUESTAGENT_TOPIC),
        )
        return Daemon(conf, [service]).run()
