"""How long the clients wait, and what they are built from."""

import inspect
import uuid
from typing import Any

from oslo_config import cfg
from oslo_messaging import conffixture

from slotwright import conf as options
from slotwright.domain import errors
from slotwright.loading import InvalidConfiguration
from slotwright.rpc import clients, wire
from slotwright.rpc.clients import GuestNode
from slotwright.rpc.contract import CommandContext, GuestAgentAPI
from slotwright.rpc.server import methods_of
from slotwright.rpc.transport import get_transport
from tests.base import TestCase

CONTEXT = CommandContext()


class Recorder:
    """Stands where the channel to the broker is."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[float, str | None, dict[str, Any]]] = {}

    def call(
        self,
        context: CommandContext,
        method: str,
        timeout: float,
        server: str | None = None,
        **arguments: Any,
    ) -> None:
        self.calls[method] = (timeout, server, arguments)


class TimeoutTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.recorder = Recorder()
        self.node = GuestNode(self.recorder, 'i-1', 100.0, 5.0)

    def test_quick_questions_take_the_low_timeout_and_commands_the_high(self) -> None:
        samples = {'ip': '::1', 'tenant_hash': '', 'wipe': True, 'spec': {}, 'forming': True}
        for name in methods_of(GuestAgentAPI):
            parameters = list(inspect.signature(getattr(GuestNode, name)).parameters)[2:]
            getattr(self.node, name)(
                CONTEXT,
                **{
                    p: samples.get(p, 0)
                    for p in parameters
                    if p not in ('peers', 'members', 'node_ids')
                },
                **{p: {} for p in parameters if p in ('peers', 'members', 'node_ids')},
            )
        low = {name for name, (timeout, _, _) in self.recorder.calls.items() if timeout == 5.0}
        self.assertEqual({'status', 'get_node_ip', 'get_node_id_for_removal'}, low)
        rest = {timeout for timeout, _, _ in self.recorder.calls.values()} - {5.0}
        self.assertEqual({100.0}, rest)
        self.assertEqual({'i-1'}, {server for _, server, _ in self.recorder.calls.values()})
        self.assertEqual(set(methods_of(GuestAgentAPI)), set(self.recorder.calls))

    def test_a_join_outlasts_its_patience(self) -> None:
        self.node.cluster_join(CONTEXT, [], {}, False, 300.0)
        self.assertEqual(300.0 + clients.ANSWER_MARGIN, self.recorder.calls['cluster_join'][0])


class PlainErrorTest(TestCase):
    def test_the_class_that_a_driver_derived_is_undone(self) -> None:
        derived = type('StaleEpoch_Remote', (errors.StaleEpoch,), {'__str__': lambda _: 'long'})
        plain = wire.plain_error(derived('epoch 3 is older than 7'))
        self.assertIs(errors.StaleEpoch, type(plain))
        self.assertEqual('epoch 3 is older than 7', str(plain))

    def test_a_class_of_somebody_else_becomes_its_nearest_of_ours(self) -> None:
        class Foreign(errors.GuestError):
            pass

        self.assertIs(errors.GuestError, type(wire.plain_error(Foreign('odd'))))


class OtherStrategy:
    """A strategy from outside: hands its client's arguments out."""

    @property
    def guest_client_class(self) -> Any:
        return lambda *arguments: arguments


class NoStrategy:
    pass


class FactoryTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(conffixture.ConfFixture(cfg.CONF))
        self.transport = get_transport(cfg.CONF, f'local:///{uuid.uuid4()}')
        self.addCleanup(self.transport.cleanup)
        self.conf = options.register(cfg.ConfigOpts())
        self.conf([])

    def test_the_default_strategy_is_ours(self) -> None:
        client = clients.guest_client(self.conf, self.transport)
        self.assertIsInstance(client, clients.GuestAgentClient)

    def test_a_strategy_from_outside_brings_its_client(self) -> None:
        self.conf.set_override('guestagent_strategy', f'{__name__}.OtherStrategy', 'redis')
        self.conf.set_override('guestagent', '1.0', 'upgrade_levels')
        arguments = clients.guest_client(self.conf, self.transport)
        self.assertEqual((self.transport, 180.0, 5.0, '1.0'), arguments)

    def test_a_strategy_that_is_none_is_told(self) -> None:
        for path in (f'{__name__}.NoStrategy', f'{__name__}.Missing', 'no.such.Module', 'x'):
            self.conf.set_override('guestagent_strategy', path, 'redis')
            error = self.assertRaises(
                InvalidConfiguration, clients.guest_client, self.conf, self.transport
            )
            self.assertIn(f'[redis] guestagent_strategy = {path}', str(error))

    def test_a_bad_version_cap_is_told(self) -> None:
        self.conf.set_override('taskmanager', 'latest', 'upgrade_levels')
        self.assertRaises(
            InvalidConfiguration, clients.taskmanager_client, self.conf, self.transport
        )


class TransportTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(conffixture.ConfFixture(cfg.CONF))

    def test_a_bad_url_is_told_without_its_password(self) -> None:
        for url in ('nonsense', 'carrier-pigeon://user:sesame@host/'):
            error = self.assertRaises(InvalidConfiguration, get_transport, cfg.CONF, url)
            self.assertIn('transport_url', str(error))
            self.assertNotIn('sesame', str(error))

    def test_only_rabbit_has_a_broker(self) -> None:
        for url, broker in (
            ('local:///x', False),
            ('fake://', False),
            ('rabbit://guest:guest@127.0.0.1:1/', True),
        ):
            transport = get_transport(cfg.CONF, url)
            self.addCleanup(transport.cleanup)
            self.assertEqual(broker, transport.broker is not None)

    def test_a_broker_that_is_not_there_is_unavailable(self) -> None:
        transport = get_transport(
            cfg.CONF, 'rabbit://guest:guest@127.0.0.1:1,guest:guest@127.0.0.1:2/'
        )
        self.addCleanup(transport.cleanup)
        self.assertRaises(errors.Unavailable, transport.ensure_reachable)
        self.assertRaises(errors.Unavailable, transport.forget_server, 'guestagent', 'i-1')

    def test_queues_are_durable_by_default(self) -> None:
        transport = get_transport(cfg.CONF, 'rabbit://guest:guest@127.0.0.1:1/')
        self.addCleanup(transport.cleanup)
        self.assertTrue(cfg.CONF.oslo_messaging_rabbit.amqp_durable_queues)
        self.assertEqual('slotwright', cfg.CONF.control_exchange)
