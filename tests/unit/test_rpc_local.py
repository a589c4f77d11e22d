"""The local:// driver: what the transport suite does not ask of it."""

import threading
import uuid
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import conffixture

from slotwright.rpc.transport import Transport, get_transport
from tests import base

TARGET = oslo_messaging.Target(topic='things', version='1.0')


class Endpoint:
    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.seen: list[Any] = []
        self.called = threading.Semaphore(0)

    def take(self, context: dict[str, Any], thing: Any) -> Any:
        self.seen.append(thing)
        self.called.release()
        return self.answer


class LocalDriverTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(conffixture.ConfFixture(cfg.CONF))
        self.url = f'local:///{uuid.uuid4()}'
        self.transport = self.open()

    def open(self, url: str = '') -> Transport:
        transport = get_transport(cfg.CONF, url or self.url)
        self.addCleanup(transport.cleanup)
        return transport

    def serve(self, endpoint: Endpoint, server: str, transport: Any = None) -> Any:
        serving = oslo_messaging.get_rpc_server(
            transport or self.transport, TARGET(server=server), [endpoint]
        )
        serving.start()
        self.addCleanup(serving.wait)
        self.addCleanup(serving.stop)
        return serving

    def client(self, **options: Any) -> Any:
        return oslo_messaging.get_rpc_client(self.transport, TARGET).prepare(**options)

    def test_keys_arrive_as_text_and_tuples_as_lists(self) -> None:
        endpoint = Endpoint({2: (3, 4)})
        self.serve(endpoint, 'one')
        answer = self.client(timeout=20).call({}, 'take', thing={1: ('a', 'b')})
        self.assertEqual([{'1': ['a', 'b']}], endpoint.seen)
        self.assertEqual({'2': [3, 4]}, answer)

    def test_nothing_is_shared_with_the_receiver(self) -> None:
        endpoint = Endpoint()
        self.serve(endpoint, 'one')
        thing = {'list': [1]}
        self.client(timeout=20).call({}, 'take', thing=thing)
        endpoint.seen[0]['list'].append(2)
        self.assertEqual({'list': [1]}, thing)

    def test_what_is_not_json_is_refused(self) -> None:
        endpoint = Endpoint()
        self.serve(endpoint, 'one')
        for thing in ({1, 2}, object(), b'bytes'):
            self.assertRaises(TypeError, self.client().cast, {}, 'take', thing=thing)
        self.assertEqual([], endpoint.seen)

    def test_an_answer_that_is_not_json_is_an_error_at_once(self) -> None:
        self.serve(Endpoint({1, 2}), 'one')
        self.assertRaises(TypeError, self.client(timeout=60).call, {}, 'take', thing=1)

    def test_a_fanout_reaches_every_server_once(self) -> None:
        endpoints = [Endpoint(), Endpoint(), Endpoint()]
        for number, endpoint in enumerate(endpoints):
            self.serve(endpoint, f'server-{number}')
        self.client(fanout=True).cast({}, 'take', thing=1)
        for endpoint in endpoints:
            self.assertTrue(endpoint.called.acquire(timeout=20))
            self.assertEqual([1], endpoint.seen)

    def test_one_of_several_servers_takes_a_message(self) -> None:
        endpoints = [Endpoint(), Endpoint()]
        for number, endpoint in enumerate(endpoints):
            self.serve(endpoint, f'server-{number}')
        for number in range(20):
            self.client(timeout=20).call({}, 'take', thing=number)
        seen = sorted(endpoints[0].seen + endpoints[1].seen)
        self.assertEqual(list(range(20)), seen)

    def test_a_message_finds_the_server_it_names(self) -> None:
        wanted, other = Endpoint(), Endpoint()
        self.serve(wanted, 'wanted')
        self.serve(other, 'other')
        for number in range(5):
            self.client(server='wanted', timeout=20).call({}, 'take', thing=number)
        self.assertEqual(([0, 1, 2, 3, 4], []), (wanted.seen, other.seen))

    def test_a_cast_waits_for_a_server_to_come(self) -> None:
        self.client(server='late').cast({}, 'take', thing=1)
        endpoint = Endpoint()
        self.serve(endpoint, 'late')
        self.assertTrue(endpoint.called.acquire(timeout=20))

    def test_a_stopped_server_leaves_messages_to_the_next(self) -> None:
        first, second = Endpoint(), Endpoint()
        server = self.serve(first, 'same')
        server.stop()
        server.wait()
        self.client(server='same').cast({}, 'take', thing=1)
        self.serve(second, 'same')
        self.assertTrue(second.called.acquire(timeout=20))
        self.assertEqual([], first.seen)

    def test_a_call_that_timed_out_is_not_run(self) -> None:
        call = self.client(server='late', timeout=0.05).call
        error = self.assertRaises(oslo_messaging.MessagingTimeout, call, {}, 'take', thing=1)
        self.assertIn('late on topic things', str(error))
        endpoint = Endpoint()
        self.serve(endpoint, 'late')
        self.client(server='late', timeout=20).call({}, 'take', thing=2)
        self.assertEqual([2], endpoint.seen)

    def test_virtual_hosts_do_not_hear_one_another(self) -> None:
        here, there = Endpoint(), Endpoint()
        self.serve(here, 'one')
        self.serve(there, 'one', self.open(f'{self.url}-other'))
        self.client(timeout=20).call({}, 'take', thing=1)
        self.assertEqual(([1], []), (here.seen, there.seen))

    def test_transports_of_one_virtual_host_hear_one_another(self) -> None:
        endpoint = Endpoint()
        self.serve(endpoint, 'one', self.open())
        self.client(timeout=20).call({}, 'take', thing=1)
        self.assertEqual([1], endpoint.seen)

    def test_a_virtual_host_goes_with_its_last_transport(self) -> None:
        self.client(server='late').cast({}, 'take', thing=1)
        self.transport.cleanup()
        self.assertRaises(
            oslo_messaging.MessageDeliveryFailure, self.client().cast, {}, 'take', thing=2
        )
        endpoint = Endpoint()
        self.transport = self.open()
        self.serve(endpoint, 'late')
        self.client(server='late', timeout=20).call({}, 'take', thing=3)
        self.assertEqual([3], endpoint.seen)
