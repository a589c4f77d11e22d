"""Cases 2 to 4: publishers and subscribers while connections, answers and servers are lost."""

import threading
from typing import Any
from unittest import mock

import redis

from slotwright.events.errors import PublishFailed, SubscribeFailed
from slotwright.events.redis import subscriber as reader
from tests.contract import events_case
from tests.contract.events_case import PATIENCE, QUICK, EventsCase, Heard, eventually
from tests.guarded import wait_until


class Contract:
    def setUp(self) -> None:
        super().setUp()
        self.heard = Heard()
        self.use(PATIENCE)

    def use(self, timeout: float) -> None:
        """Have a driver that gives up a silent server after so many seconds."""
        self.events = self.driver(timeout)
        self.sub, self.told = self.subscriber(self.events)
        self.publisher = self.events.publisher()

    def be_quick(self) -> None:
        """For a server that hangs: elsewhere so little may pass on a busy machine, too."""
        self.events.close()
        self.use(QUICK)

    def subscribed(self) -> int:
        """Connections that are subscribed to the channel of the test, on all nodes."""
        found = 0
        for place in self.backend.places:
            with redis.Redis(port=place.server.port) as client:
                found += client.pubsub_numsub(f'slotwright:{self.name}')[0][1]
        return found

    def lost(self) -> None:
        """One message tells that the channel is lost, and nobody subscribed it again."""
        (lost,) = self.told.wait_for(1)
        self.assertEqual((self.name,), lost.channels)
        self.backend.heal()
        # The server may not have seen the end of the old connection.
        wait_until(lambda: self.subscribed() == 0, 'nobody subscribed', PATIENCE)
        again = Heard()
        eventually(lambda: self.sub.subscribe(self.name, again), SubscribeFailed)
        self.driver().publisher().publish(self.name, 'again')
        self.assertEqual(['again'], again.wait_for(1))
        self.assertEqual([], self.heard.all)
        self.assertEqual(1, len(self.told.all))

    # Case 2.

    def test_a_publish_whose_answer_is_lost_is_sent_once(self) -> None:
        self.sub.subscribe(self.name, self.heard)
        self.backend.of(self.publisher).proxy.lose_answers(b'the-lost-one')
        self.assertRaises(PublishFailed, self.publisher.publish, self.name, 'the-lost-one')
        self.publisher.publish(self.name, 'next')  # the connection is there again
        if self.backend.survives:  # another node may have taken the next, and be quicker
            self.assertEqual({'the-lost-one', 'next'}, set(self.heard.wait_for(2)))
        else:
            # Subscribed by the same proxy, but by another connection.
            self.assertEqual(['the-lost-one', 'next'], self.heard.wait_for(2))

    def test_a_publisher_whose_server_is_killed(self) -> None:
        self.away(self.backend.of(self.publisher).server.kill)

    def test_a_publisher_whose_server_hangs(self) -> None:
        self.be_quick()
        self.away(self.backend.of(self.publisher).server.suspend)

    def away(self, harm: Any) -> None:
        harm()
        self.assertRaises(PublishFailed, self.publisher.publish, self.name, 1)
        if not self.backend.survives:
            self.assertRaises(PublishFailed, self.publisher.publish, self.name, 2)
            self.backend.heal()
            eventually(lambda: self.publisher.publish(self.name, 3), PublishFailed)
        else:
            self.publisher.publish(self.name, 3)  # over another node, at once

    def test_an_idle_publisher_whose_connection_is_cut(self) -> None:
        """It is seen before anything is sent, so nothing fails."""
        self.sub.subscribe(self.name, self.heard)
        with redis.Redis(port=self.backend.of(self.publisher).server.port) as client:
            own = client.client_id()
            idle = [one for one in client.client_list('normal') if int(one['id']) != own]
            for one in idle:
                client.client_kill_filter(_id=one['id'])
        eventually(lambda: self.publisher.publish(self.name, 1), PublishFailed)
        self.assertEqual(1, self.heard.wait_for(1).count(1))

    def test_a_publish_that_is_refused(self) -> None:
        place = self.backend.of(self.publisher)
        with redis.Redis(port=place.server.port) as client:
            client.execute_command('ACL', 'SETUSER', 'default', 'resetchannels')
            try:
                error = self.assertRaises(PublishFailed, self.publisher.publish, self.name, 1)
            finally:
                client.execute_command('ACL', 'SETUSER', 'default', 'allchannels')
        self.assertIn('NoPermissionError', str(error))
        self.publisher.publish(self.name, 1)

    # Case 3.

    def test_a_subscribe_that_is_never_answered(self) -> None:
        place = self.backend.of(self.sub)
        place.proxy.hold(b'SUBSCRIBE')
        with mock.patch.object(reader, 'ANSWERING', 0.5):
            self.assertRaises(SubscribeFailed, self.sub.subscribe, self.name, self.heard)
        self.told.wait_for(1)
        wait_until(lambda: self.subscribed() == 0, 'nobody subscribed', PATIENCE)

    def test_a_subscribe_whose_answer_is_lost(self) -> None:
        self.backend.of(self.sub).proxy.lose_answers(b'SUBSCRIBE')
        self.assertRaises(SubscribeFailed, self.sub.subscribe, self.name, self.heard)
        (lost,) = self.told.wait_for(1)
        self.assertEqual((), lost.channels)
        wait_until(lambda: self.subscribed() == 0, 'nobody subscribed', PATIENCE)
        self.sub.subscribe(self.name, self.heard)
        self.publisher.publish(self.name, 1)
        self.assertEqual([1], self.heard.wait_for(1))

    def test_a_subscribe_that_is_refused(self) -> None:
        self.sub.subscribe(f'{self.name}-before', self.heard)
        place = self.backend.of(self.sub)
        with redis.Redis(port=place.server.port) as client:
            rule = ('resetchannels', f'&slotwright:{self.name}-before')
            client.execute_command('ACL', 'SETUSER', 'default', *rule)
            try:
                error = self.assertRaises(
                    SubscribeFailed, self.sub.subscribe, self.name, self.heard
                )
            finally:
                client.execute_command('ACL', 'SETUSER', 'default', 'allchannels')
        self.assertIn('NoPermissionError', str(error))
        self.publisher.publish(f'{self.name}-before', 'still')
        self.assertEqual((['still'], []), (self.heard.wait_for(1), self.told.all))

    def test_a_subscribe_while_nobody_answers(self) -> None:
        self.be_quick()
        # All of them first: whom one cuts off finds another that still answers.
        for place in self.backend.places:
            place.proxy.freeze()
        for place in self.backend.places:
            place.proxy.cut()
        self.assertRaises(SubscribeFailed, self.refused_in_the_end)
        self.backend.heal()
        self.told.wait_for(1)
        self.sub.subscribe(self.name, self.heard)

    def refused_in_the_end(self) -> None:
        """The first may find the connection before its loss is seen."""
        with mock.patch.object(reader, 'ANSWERING', 0.5):
            self.sub.subscribe(self.name, self.heard)

    # Case 4.

    def test_a_subscriber_whose_connection_is_cut(self) -> None:
        self.sub.subscribe(self.name, self.heard)
        self.backend.of(self.sub).proxy.cut()
        self.lost()

    def test_a_loss_at_the_moment_of_the_confirmation_names_the_channel(self) -> None:
        ask = self.sub._ask

        def ask_and_be_cut(*arguments: Any) -> None:
            ask(*arguments)
            self.backend.of(self.sub).proxy.cut()
            self.told.wait_for(1)

        with mock.patch.object(self.sub, '_ask', ask_and_be_cut):
            self.sub.subscribe(self.name, self.heard)
        self.lost()

    def test_a_subscriber_whom_the_server_drops(self) -> None:
        self.sub.subscribe(self.name, self.heard)
        with redis.Redis(port=self.backend.of(self.sub).server.port) as client:
            client.client_kill_filter(_type='pubsub')
        self.lost()

    def test_a_subscriber_whose_server_is_killed(self) -> None:
        self.sub.subscribe(self.name, self.heard)
        place = self.backend.of(self.sub)
        place.server.kill()
        if self.backend.survives:
            self.told.wait_for(1)
            self.assertIsNot(place, self.backend.of(self.sub))
        self.backend.heal()
        self.lost()

    def test_a_subscriber_whose_server_hangs(self) -> None:
        self.be_quick()
        self.sub.subscribe(self.name, self.heard)
        place = self.backend.of(self.sub)
        place.server.suspend()
        if self.backend.survives:
            self.told.wait_for(1)
            self.assertIsNot(place, self.backend.of(self.sub))
        else:
            lost = f"Subscriptions to ['{self.name}'] are lost"
            wait_until(lambda: lost in self.log.output, 'a loss that is noticed', PATIENCE)
        self.backend.heal()
        self.lost()

    def test_an_idle_subscriber_is_not_lost(self) -> None:
        limits = {'QUIET': 0.1, 'TICK': 0.05, 'SILENT': PATIENCE}
        with mock.patch.multiple(reader, **limits):
            sub, told = self.subscriber(self.events)
            for call in (sub.subscribe, lambda name, _: sub.unsubscribe(name)):
                call(self.name, self.heard)
                place = self.backend.of(sub)
                with redis.Redis(port=place.server.port) as client:
                    client.config_resetstat()
                    wait_until(lambda client=client: _pings(client) > 3, 'PINGs', PATIENCE)
        self.assertEqual([], told.all)

    # The end.

    def test_close_leaves_no_thread_and_no_connection(self) -> None:
        self.closed(lambda: None)

    def test_close_after_all_was_cut(self) -> None:
        self.closed(lambda: [place.proxy.cut() for place in self.backend.places])

    def test_close_while_nobody_answers(self) -> None:
        self.closed(lambda: [place.proxy.freeze() for place in self.backend.places], QUICK)

    def closed(self, harm: Any, timeout: float = PATIENCE) -> None:
        self.events.close()
        before = {thread for thread in threading.enumerate() if _ours(thread)}
        wait_until(lambda: self.backend.clients() == 0, 'nobody connected', PATIENCE)
        events = self.driver(timeout)
        subs = [events.subscriber(Heard()) for _ in range(7)]
        publishers = [events.publisher() for _ in range(7)]
        for sub in subs:
            sub.subscribe(self.name, self.heard)
        for publisher in publishers:
            publisher.publish(self.name, 1)
        self.heard.wait_for(49)
        events.tables.create(self.name, 'k', 1)
        self.assertGreaterEqual(self.backend.clients(), 15)
        harm()
        events.close()
        events.close()
        left = {thread for thread in threading.enumerate() if _ours(thread)}
        self.assertEqual(set(), left - before)  # those of other tests may end meanwhile
        self.backend.heal()
        wait_until(lambda: self.backend.clients() == 0, 'nobody connected', PATIENCE)


def _ours(thread: threading.Thread) -> bool:
    return thread.name.startswith('slotwright-events')


def _pings(client: redis.Redis) -> int:
    return int(client.info('commandstats').get('cmdstat_ping', {'calls': 0})['calls'])


class SingleTest(Contract, EventsCase):
    backend_class = events_case.Single


class ClusterTest(Contract, EventsCase):
    backend_class = events_case.Clustered
