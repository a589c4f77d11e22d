"""slotwright-guestagent: the agent beside one redis-server.

Ends by itself when its instance is not wanted any more; with ``--enroll`` it waits for the
next one.
"""

from collections.abc import Sequence

from guestagent import wiring
from slotwright.cmd import startup
from slotwright.conf import guestagent as options
from slotwright.daemon import Daemon
from slotwright.rpc.clients import taskmanager_client
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import get_transport

PROGRAM = 'slotwright-guestagent'


def main(argv: Sequence[str] | None = None) -> int:
    conf = startup.configure(PROGRAM, argv, options.OPTS, options.GROUP, [options.ENROLL])
    with startup.explained(PROGRAM):
        transport = get_transport(conf)
        if conf.enroll is not None:
            host = wiring.build_host(
                conf, conf.enroll, transport, taskmanager_client(conf, transport), RpcServer
            )
            return Daemon(conf, [host]).run()
        service = wiring.build_agent(
            wiring.options_from_conf(conf),
            transport,
            taskmanager_client(conf, transport),
            RpcServer,
        )
        return Daemon(conf, [service], ended=service.wait).run()


if __name__ == '__main__':
    raise SystemExit(main())
