"""Publish and subscribe: what every driver does, as long as nothing fails."""

import threading
from typing import Any
from unittest import mock

import redis

from slotwright.events import dispatcher
from slotwright.events.errors import NotJson, PublishFailed, SubscribeFailed
from tests.contract import events_case
from tests.contract.events_case import PATIENCE, EventsCase, Heard


class Contract:
    def setUp(self) -> None:
        super().setUp()
        self.events = self.driver()
        self.publisher = self.events.publisher()
        self.addCleanup(self.publisher.close)
        self.sub, self.told = self.subscriber(self.events)

    def test_all_that_is_published_is_heard_in_order(self) -> None:
        heard = Heard()
        self.sub.subscribe(self.name, heard)
        sent: list[Any] = [{'n': number, 'text': 'é' * number} for number in range(50)]
        for payload in sent[:20]:
            self.publisher.publish(self.name, payload)
        self.publisher.publish_many(self.name, sent[20:])
        self.publisher.publish_many(self.name, [])
        self.assertEqual(sent, heard.wait_for(50))
        self.assertEqual([], self.told.all)

    def test_each_hears_its_own_channels(self) -> None:
        other, _ = self.subscriber(self.driver())
        heard = {name: Heard() for name in ('a', 'b', 'other')}
        self.sub.subscribe(f'{self.name}a', heard['a'])
        self.sub.subscribe(f'{self.name}b', heard['b'])
        other.subscribe(f'{self.name}b', heard['other'])
        for channel in 'abc':
            self.publisher.publish(self.name + channel, channel)
        self.assertEqual(
            {'a': ['a'], 'b': ['b'], 'other': ['b']},
            {name: one.wait_for(1) for name, one in heard.items()},
        )

    def test_from_subscribe_to_unsubscribe(self) -> None:
        heard, passed = Heard(), Heard()
        self.sub.subscribe(f'{self.name}-passed', passed)
        for turn in range(20):
            self.publisher.publish(self.name, 'unheard')
            # In a cluster it may still be on its way from node to node.
            self.publisher.publish(f'{self.name}-passed', turn)
            passed.wait_for(turn + 1)
            self.sub.subscribe(self.name, heard)
            self.publisher.publish(self.name, turn)
            heard.wait_for(turn + 1)
            self.sub.unsubscribe(self.name)
        self.sub.unsubscribe(self.name)
        self.publisher.publish(self.name, 'unheard')
        self.publisher.publish(f'{self.name}-passed', 20)
        passed.wait_for(21)
        self.assertEqual(list(range(20)), heard.all)

    def test_a_function_is_replaced(self) -> None:
        first, second = Heard(), Heard()
        self.sub.subscribe(self.name, first)
        self.publisher.publish(self.name, 1)
        first.wait_for(1)
        self.sub.subscribe(self.name, second)
        self.publisher.publish(self.name, 2)
        self.assertEqual(([2], [1]), (second.wait_for(1), first.all))

    def test_a_function_that_fails_harms_nobody(self) -> None:
        heard = Heard()

        def fail(payload: Any) -> None:
            heard(payload)
            raise ValueError(f'no {payload}')

        self.sub.subscribe(self.name, fail)
        for number in range(3):
            self.publisher.publish(self.name, number)
        self.assertEqual([0, 1, 2], heard.wait_for(3))
        self.addCleanup(lambda: self.assertIn('ValueError: no 0', self.log.output))

    def test_a_slow_function_delays_its_own_channel_only(self) -> None:
        go_on, heard, slow = threading.Event(), Heard(), Heard()
        self.addCleanup(go_on.set)

        def wait(payload: Any) -> None:
            go_on.wait(PATIENCE)
            slow(payload)

        for number in range(10):
            self.sub.subscribe(f'{self.name}-slow{number}', wait)
        self.sub.subscribe(self.name, heard)
        for number in range(10):
            self.publisher.publish_many(f'{self.name}-slow{number}', [1, 2])
            self.publisher.publish(self.name, number)
        self.assertEqual(list(range(10)), heard.wait_for(10))
        self.assertEqual([], slow.all)
        go_on.set()
        self.assertEqual([1] * 10 + [2] * 10, sorted(slow.wait_for(20)))

    def test_far_behind_a_subscription_is_lost(self) -> None:
        go_on, heard, passed = threading.Event(), Heard(), Heard()
        self.addCleanup(go_on.set)

        def wait(payload: Any) -> None:
            heard(payload)
            go_on.wait(PATIENCE)

        self.sub.subscribe(f'{self.name}-passed', passed)
        self.sub.subscribe(self.name, wait)
        self.publisher.publish(self.name, 'first')
        heard.wait_for(1)
        with mock.patch.object(dispatcher, 'MOST_WAITING', 10):
            self.publisher.publish_many(self.name, list(range(100)))
            (lost,) = self.told.wait_for(1)
        self.assertEqual(((self.name,), 'its function is too slow'), (lost.channels, lost.reason))
        # Whoever subscribes again may hear the rest, while that is still on its way.
        self.publisher.publish(f'{self.name}-passed', 1)
        passed.wait_for(1)
        go_on.set()
        again = Heard()
        self.sub.subscribe(self.name, again)
        self.publisher.publish(self.name, 'again')
        self.assertEqual(['again'], again.wait_for(1))
        self.assertEqual((['first'], 1), (heard.all, len(self.told.all)))

    def test_functions_may_use_the_driver(self) -> None:
        heard = Heard()

        def pass_on(payload: Any) -> None:
            self.sub.subscribe(f'{self.name}-next', heard)
            self.publisher.publish(f'{self.name}-next', payload)
            self.sub.unsubscribe(self.name)

        self.sub.subscribe(self.name, pass_on)
        self.publisher.publish(self.name, 'x')
        self.assertEqual(['x'], heard.wait_for(1))

    def test_what_cannot_be_sent(self) -> None:
        bad: Any
        for bad in (float('nan'), object(), '\ud800'):
            self.assertRaises(NotJson, self.publisher.publish, self.name, bad)
        for bad in ('', None, 1, '\ud800'):
            self.assertRaises(NotJson, self.publisher.publish, bad, 1)
            self.assertRaises(NotJson, self.sub.subscribe, bad, print)
            self.assertRaises(NotJson, self.sub.unsubscribe, bad)

    def test_after_close(self) -> None:
        heard = Heard()
        self.sub.subscribe(self.name, heard)
        self.sub.close()
        self.sub.close()
        self.publisher.publish(self.name, 1)
        self.publisher.close()
        self.publisher.close()
        self.assertRaises(SubscribeFailed, self.sub.subscribe, self.name, heard)
        self.assertRaises(PublishFailed, self.publisher.publish, self.name, 2)
        self.assertEqual([], heard.all)

    def test_a_function_may_close_its_subscriber(self) -> None:
        done = threading.Event()

        def close(payload: Any) -> None:
            self.sub.close()
            done.set()

        self.sub.subscribe(self.name, close)
        self.publisher.publish(self.name, 1)
        self.assertTrue(done.wait(PATIENCE))


class MemoryTest(Contract, EventsCase):
    backend_class = events_case.Memory


class RedisContract(Contract):
    def test_what_is_no_json_harms_nobody(self) -> None:
        heard = Heard()
        self.sub.subscribe(self.name, heard)
        foreign = self.backend.of(self.publisher)
        for message in (b'\xff', b'{', b''):
            with redis.Redis(port=foreign.server.port) as client:
                client.publish(f'slotwright:{self.name}', message)
        self.publisher.publish(self.name, 1)
        self.assertEqual([1], heard.wait_for(1))


class SingleTest(RedisContract, EventsCase):
    backend_class = events_case.Single


class ClusterTest(RedisContract, EventsCase):
    backend_class = events_case.Clustered

    def test_they_are_scattered_evenly(self) -> None:
        events = self.driver()
        self.assertGreaterEqual(self.backend.clients(), 6)  # for data, at initialisation
        for _ in range(6):
            self.subscriber(events)
            events.publisher()
        used = events._spread._used  # type: ignore[attr-defined]
        self.assertEqual([2] * 6, sorted(used.values()))
