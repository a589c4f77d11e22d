"""What every transport has to do for our RPC clients and servers, once.

``test_rpc_transports.py`` runs it in process, the functional tests over RabbitMQ.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import conffixture

from slotwright.domain import errors
from slotwright.loading import InvalidConfiguration
from slotwright.rpc import contract
from slotwright.rpc.clients import GuestAgentClient, TaskManagerClient
from slotwright.rpc.contract import CommandContext, Wire
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import Transport, get_transport

PATIENCE = 60.0  # seconds that anything may take on a busy machine
CONTEXT = CommandContext('req-1', 'project', 'cluster-1', 7, 'command-1')

_names = (f'server-{number}' for number in itertools.count(1))


class Guest:
    """Answers what it is given, and keeps what it was asked."""

    def __init__(self, act: Callable[..., Any] = lambda *_: None) -> None:
        self.asked: list[tuple[str, CommandContext, dict[str, Any]]] = []
        self.called = threading.Semaphore(0)
        self._act = act

    def _take(self, method: str, context: CommandContext, **arguments: Any) -> Any:
        self.asked.append((method, context, arguments))
        self.called.release()
        return self._act(method, arguments)

    def status(self, context: CommandContext) -> Wire:
        return self._take('status', context)

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        return self._take('get_node_id_for_removal', context)

    def leave(self, context: CommandContext) -> None:
        return self._take('leave', context)

    def cluster_join(
        self, context: CommandContext, peers: Any, members: Any, forming: bool, patience: float
    ) -> bool:
        return self._take(
            'cluster_join',
            context,
            peers=peers,
            members=members,
            forming=forming,
            patience=patience,
        )

    def private_matter(self, context: CommandContext) -> str:
        """Public in Python, and no part of the API."""
        return 'told'


class TaskManager:
    """Keeps what came by cast, answers ``assignment``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, CommandContext, dict[str, Any]]] = []
        self.called = threading.Semaphore(0)

    def grow_cluster(
        self, context: CommandContext, cluster_id: str, new_instance_ids: Sequence[str]
    ) -> None:
        arguments = {'cluster_id': cluster_id, 'new_instance_ids': new_instance_ids}
        self.asked.append(('grow_cluster', context, arguments))
        self.called.release()

    def assignment(self, context: CommandContext, instance_id: str) -> Wire:
        return {'wanted': instance_id == 'i-1', 'cluster_id': 'cluster-1'}


class RpcParts:
    """Mixed into a ``testtools.TestCase``; ``self.url`` is set by its ``setUp``."""

    url: str

    def open_transport(self) -> Transport:
        self.useFixture(conffixture.ConfFixture(cfg.CONF))
        transport = get_transport(cfg.CONF, self.url)
        self.addCleanup(transport.cleanup)
        return transport

    def serve(self, transport: Transport, topic: str, endpoint: Any, name: str = '') -> str:
        name = name or next(_names)
        server = RpcServer(transport, topic, name, [endpoint])
        server.start()
        self.addCleanup(server.wait)
        self.addCleanup(server.stop)
        return name

    def guest(self, act: Callable[..., Any] = lambda *_: None, **timeouts: float) -> Any:
        """(endpoint, client node) of a served guest."""
        transport = self.open_transport()
        endpoint = Guest(act)
        name = self.serve(transport, contract.GUESTAGENT_TOPIC, endpoint)
        wanted = {'high_timeout': PATIENCE, 'low_timeout': PATIENCE, **timeouts}
        return endpoint, GuestAgentClient(transport, **wanted).node(name)


class RpcSuite(RpcParts):
    """The tests."""

    def test_what_becomes_of_messages_is_observed(self) -> None:
        transport = self.open_transport()
        seen: list[tuple[str, str, str]] = []
        transport.observe = lambda *told: seen.append(told[:3])

        def act(method: str, _arguments: Any) -> None:
            if method == 'leave':
                raise errors.NodeHoldsData('owns 5461 slots')

        name = self.serve(transport, contract.GUESTAGENT_TOPIC, Guest(act))
        guests = GuestAgentClient(transport, PATIENCE, PATIENCE)
        guests.node(name).status(CONTEXT)
        self.assertRaises(errors.NodeHoldsData, guests.node(name).leave, CONTEXT)
        hasty = GuestAgentClient(transport, PATIENCE, 0.3)
        self.assertRaises(errors.GuestSilent, hasty.node('nobody').status, CONTEXT)
        TaskManagerClient(transport, PATIENCE).create_cluster(CONTEXT, 'cluster-1')
        self.assertEqual(
            [
                ('guestagent', 'status', 'answered'),
                ('guestagent', 'leave', 'node_holds_data'),
                ('guestagent', 'status', 'silent'),
                ('taskmanager', 'create_cluster', 'sent'),
            ],
            seen,
        )

    def test_a_call_carries_its_context_and_answer(self) -> None:
        endpoint, node = self.guest(lambda *_: {'nodes': 'text', 'keys': 3, 'none': None})
        self.assertEqual({'nodes': 'text', 'keys': 3, 'none': None}, node.status(CONTEXT))
        self.assertEqual([('status', CONTEXT, {})], endpoint.asked)

    def test_a_call_may_answer_none(self) -> None:
        _, node = self.guest()
        self.assertIsNone(node.get_node_id_for_removal(CONTEXT))
        self.assertIsNone(node.leave(CONTEXT))

    def test_arguments_arrive_as_json_has_them(self) -> None:
        endpoint, node = self.guest(lambda *_: True)
        peer = {'node_id': 'aa', 'ip': '127.0.0.1', 'port': 1, 'bus_port': 2}
        self.assertIs(True, node.cluster_join(CONTEXT, (peer,), {'aa': ((0, 5),)}, True, 1.5))
        (_, _, arguments) = endpoint.asked[0]
        self.assertEqual(
            {'peers': [peer], 'members': {'aa': [[0, 5]]}, 'forming': True, 'patience': 1.5},
            arguments,
        )

    def test_a_remote_error_is_the_plain_class_with_its_message(self) -> None:
        def refuse(*_: Any) -> None:
            raise errors.NodeHoldsData('owns 5461 slots')

        _, node = self.guest(refuse)
        error = self.assertRaises(errors.NodeHoldsData, node.leave, CONTEXT)
        self.assertIs(errors.NodeHoldsData, type(error))
        self.assertEqual('owns 5461 slots', str(error))
        self.assertEqual('owns 5461 slots', error.message)
        self.assertEqual('node_holds_data', error.code)
        self.assertTrue(error.permanent)

    def test_an_unexpected_remote_error_names_what_it_was(self) -> None:
        def fail(*_: Any) -> None:
            raise KeyError('nodes')

        _, node = self.guest(fail)
        error = self.assertRaises(errors.SlotwrightError, node.status, CONTEXT)
        self.assertIs(errors.SlotwrightError, type(error))
        self.assertEqual("KeyError: 'nodes'", str(error))

    def test_what_is_no_part_of_the_api_cannot_be_called(self) -> None:
        transport = self.open_transport()
        name = self.serve(transport, contract.GUESTAGENT_TOPIC, Guest())
        client = oslo_messaging.get_rpc_client(
            transport, oslo_messaging.Target(topic='guestagent', server=name, version='1.0')
        )
        self.assertRaises(
            (oslo_messaging.RemoteError, oslo_messaging.NoSuchMethod),
            client.prepare(timeout=PATIENCE).call,
            CONTEXT.to_wire(),
            'private_matter',
        )

    def test_an_agent_that_is_not_there_is_silent(self) -> None:
        node = GuestAgentClient(self.open_transport(), 0.3, 0.3).node(next(_names))
        self.assertRaises(errors.GuestSilent, node.status, CONTEXT)
        self.assertRaises(errors.GuestSilent, node.leave, CONTEXT)

    def test_quick_questions_have_the_low_timeout(self) -> None:
        gate = threading.Event()
        self.addCleanup(gate.set)
        _, node = self.guest(lambda *_: gate.wait(PATIENCE) and None, low_timeout=0.3)
        self.assertRaises(errors.GuestSilent, node.status, CONTEXT)
        self.assertRaises(errors.GuestSilent, node.get_node_id_for_removal, CONTEXT)
        threading.Timer(0.6, gate.set).start()
        self.assertIsNone(node.leave(CONTEXT))

    def test_an_expired_call_is_not_run_later(self) -> None:
        transport = self.open_transport()
        name = next(_names)
        node = GuestAgentClient(transport, 0.3, 0.3).node(name)
        self.serve(transport, contract.GUESTAGENT_TOPIC, Guest(), name)  # makes the queue
        self.doCleanups()

        transport = self.open_transport()
        node = GuestAgentClient(transport, 0.3, PATIENCE).node(name)
        self.assertRaises(errors.GuestSilent, node.leave, CONTEXT)
        endpoint = Guest()
        self.serve(transport, contract.GUESTAGENT_TOPIC, endpoint, name)
        node.status(CONTEXT)
        self.assertEqual(['status'], [method for method, _, _ in endpoint.asked])

    def test_a_cast_waits_for_a_taskmanager(self) -> None:
        transport = self.open_transport()
        name = self.serve(transport, contract.TASKMANAGER_TOPIC, TaskManager())
        self.doCleanups()

        transport = self.open_transport()
        client = TaskManagerClient(transport, PATIENCE)
        client.grow_cluster(CONTEXT, 'cluster-1', ('i-1', 'i-2'))
        endpoint = TaskManager()
        self.serve(transport, contract.TASKMANAGER_TOPIC, endpoint, name)
        self.assertTrue(endpoint.called.acquire(timeout=PATIENCE))
        expected = {'cluster_id': 'cluster-1', 'new_instance_ids': ['i-1', 'i-2']}
        self.assertEqual([('grow_cluster', CONTEXT, expected)], endpoint.asked)

    def test_assignment_is_a_call(self) -> None:
        transport = self.open_transport()
        self.serve(transport, contract.TASKMANAGER_TOPIC, TaskManager())
        client = TaskManagerClient(transport, PATIENCE)
        self.assertEqual(
            {'wanted': True, 'cluster_id': 'cluster-1'}, client.assignment(CONTEXT, 'i-1')
        )

    def test_without_a_taskmanager_assignment_is_unavailable(self) -> None:
        client = TaskManagerClient(self.open_transport(), 0.3)
        self.assertRaises(errors.Unavailable, client.assignment, CONTEXT, 'i-1')

    def test_a_stopping_server_answers_what_it_has_taken(self) -> None:
        gate = threading.Event()
        self.addCleanup(gate.set)
        transport, name = self.open_transport(), next(_names)
        endpoint = Guest(lambda *_: gate.wait(PATIENCE) and {'done': True})
        server = RpcServer(transport, contract.GUESTAGENT_TOPIC, name, [endpoint])
        server.start()
        node = GuestAgentClient(transport, PATIENCE, PATIENCE).node(name)
        answers: list[Wire] = []
        caller = threading.Thread(target=lambda: answers.append(node.status(CONTEXT)))
        caller.start()
        self.assertTrue(endpoint.called.acquire(timeout=PATIENCE))
        threading.Timer(0.2, gate.set).start()
        server.stop()
        server.wait()
        caller.join(PATIENCE)  # before its transport is closed
        self.assertEqual([{'done': True}], answers)

    def test_a_version_cap_holds_back(self) -> None:
        transport = self.open_transport()
        node = GuestAgentClient(transport, PATIENCE, PATIENCE, version_cap='0.9').node('any')
        self.assertRaises(errors.NotSupported, node.status, CONTEXT)
        client = TaskManagerClient(transport, PATIENCE, version_cap='0.9')
        self.assertRaises(errors.NotSupported, client.delete_cluster, CONTEXT, 'cluster-1')

    def test_a_version_cap_holds_back_only_what_is_younger(self) -> None:
        transport = self.open_transport()
        endpoint = TaskManager()
        self.serve(transport, contract.TASKMANAGER_TOPIC, endpoint)
        client = TaskManagerClient(transport, PATIENCE, version_cap='1.0')
        self.assertTrue(client.assignment(CONTEXT, 'i-1')['wanted'])
        client.grow_cluster(CONTEXT, 'cluster-1', [])
        self.assertTrue(endpoint.called.acquire(timeout=PATIENCE))
        self.assertRaises(errors.NotSupported, client.announce, CONTEXT, 'host-1', {})

    def test_a_version_cap_that_is_none_is_told(self) -> None:
        error = self.assertRaises(
            InvalidConfiguration,
            GuestAgentClient,
            self.open_transport(),
            PATIENCE,
            PATIENCE,
            'newest',
        )
        self.assertIn('[upgrade_levels] guestagent = newest', str(error))
