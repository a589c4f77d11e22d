"""RPC over a real RabbitMQ: the transport suite, outages and queues."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from oslo_config import cfg
from oslo_messaging import conffixture

from slotwright.domain import errors
from slotwright.rpc import contract
from slotwright.rpc.clients import GuestAgentClient, TaskManagerClient
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import get_transport
from tests import servers
from tests.base import TestCase
from tests.contract.rpc_suite import CONTEXT, Guest, RpcParts, RpcSuite

#: A hang is what takes longer than this, in seconds; the real times are 0 to 4.
HANG = 120


def within_reason(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do the work in another thread, and fail when it hangs."""
    executor = concurrent.futures.ThreadPoolExecutor(1)
    try:
        return executor.submit(work, *arguments).result(HANG)
    finally:
        executor.shutdown(wait=False)


class RabbitTest(RpcSuite, TestCase):
    """In the default virtual host, which no other test uses."""

    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.broker = servers.shared(servers.RabbitMQ)
        self.url = self.broker.url

    def test_queues_are_durable(self) -> None:
        name = self.serve(self.open_transport(), contract.GUESTAGENT_TOPIC, Guest())
        listed = self.broker.control('list_queues', '--no-table-headers', 'name', 'durable')
        self.assertIn(
            [f'guestagent.{name}', 'true'], [line.split() for line in listed.splitlines()]
        )

    def test_the_queue_of_a_guest_can_be_deleted_once_it_is_gone(self) -> None:
        transport = self.open_transport()
        server = RpcServer(transport, contract.GUESTAGENT_TOPIC, 'gone', [Guest()])
        server.start()
        self.assertFalse(transport.forget_server(contract.GUESTAGENT_TOPIC, 'gone'))
        self.assertIn('guestagent.gone', self.broker.queues())
        server.stop()
        server.wait()
        self.assertIn('guestagent.gone', self.broker.queues())
        for _ in range(2):
            self.assertTrue(transport.forget_server(contract.GUESTAGENT_TOPIC, 'gone'))
            self.assertNotIn('guestagent.gone', self.broker.queues())

    def test_wrong_credentials_are_unavailable(self) -> None:
        self.useFixture(conffixture.ConfFixture(cfg.CONF))
        transport = get_transport(cfg.CONF, self.url.replace('guest:guest', 'guest:wrong'))
        self.addCleanup(transport.cleanup)
        client = TaskManagerClient(transport, 5.0)
        self.assertRaises(
            errors.Unavailable, within_reason, client.delete_cluster, CONTEXT, 'cluster-1'
        )


class OutageTest(RpcParts, TestCase):
    """One broker for all, each test leaves it running."""

    broker: ClassVar[servers.RabbitMQ]
    timeout = 400

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.broker = servers.RabbitMQ()
        cls.broker.setUp()
        cls.addClassCleanup(cls.broker.cleanUp)

    def setUp(self) -> None:
        super().setUp()
        self.url = self.broker.url
        self.transport = self.open_transport()
        self.manager = TaskManagerClient(self.transport, 5.0)
        self.guests = GuestAgentClient(self.transport, HANG, HANG)

    def stop_broker(self) -> None:
        self.broker.kill()
        self.addCleanup(self.broker.start)

    def assert_unavailable(self, work: Callable[..., Any], *arguments: Any) -> None:
        self.assertRaises(errors.Unavailable, within_reason, work, *arguments)

    def test_nothing_hangs_while_the_broker_is_down(self) -> None:
        name = self.serve(self.transport, contract.GUESTAGENT_TOPIC, Guest())
        node = self.guests.node(name)
        node.status(CONTEXT)
        fresh, casting = self.open_transport(), self.open_transport()
        TaskManagerClient(casting, 5.0).delete_cluster(CONTEXT, 'cluster-1')
        self.stop_broker()
        for _ in range(2):
            self.assert_unavailable(self.manager.delete_cluster, CONTEXT, 'cluster-1')
            self.assert_unavailable(node.status, CONTEXT)
        self.assert_unavailable(self.transport.forget_server, contract.GUESTAGENT_TOPIC, name)
        # Nor does a first message, or a first call after casts.
        for transport in (fresh, casting):
            first = GuestAgentClient(transport, HANG, HANG).node('any')
            self.assert_unavailable(first.status, CONTEXT)
        self.assert_unavailable(TaskManagerClient(fresh, 5.0).delete_cluster, CONTEXT, 'cluster-1')

    def test_a_server_stops_while_the_broker_is_down(self) -> None:
        server = RpcServer(self.transport, contract.GUESTAGENT_TOPIC, 'stops', [Guest()])
        server.start()
        self.stop_broker()
        within_reason(server.stop)
        within_reason(server.wait)

    def test_a_server_with_an_answer_to_send_stops_while_the_broker_is_down(self) -> None:
        gate = threading.Event()
        self.addCleanup(gate.set)
        guest = Guest(lambda *_: gate.wait(HANG) and {})
        server = RpcServer(self.transport, contract.GUESTAGENT_TOPIC, 'answers', [guest])
        server.start()
        node = GuestAgentClient(self.transport, 1.0, 1.0).node('answers')
        self.assertRaises(errors.GuestSilent, node.status, CONTEXT)
        self.assertTrue(guest.called.acquire(timeout=HANG))
        self.stop_broker()
        server.stop()
        gate.set()
        within_reason(server.wait)

    def test_a_restarted_broker_serves_old_clients_and_servers(self) -> None:
        name = self.serve(self.transport, contract.GUESTAGENT_TOPIC, Guest(lambda *_: {}))
        node = self.guests.node(name)
        self.assertEqual({}, node.status(CONTEXT))
        self.broker.kill()
        self.broker.start()
        self.assertEqual({}, within_reason(node.status, CONTEXT))

    def test_a_server_may_start_before_the_broker(self) -> None:
        self.broker.kill()
        guest = Guest(lambda *_: {})
        name = self.serve(self.transport, contract.GUESTAGENT_TOPIC, guest, 'early')
        self.broker.start()
        self.assertEqual({}, within_reason(self._ask_until_it_listens, name))

    def _ask_until_it_listens(self, name: str) -> Any:
        while True:
            try:
                return GuestAgentClient(self.transport, 2.0, 2.0).node(name).status(CONTEXT)
            except (errors.GuestSilent, errors.Unavailable):
                continue
