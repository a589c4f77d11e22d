"""/healthcheck: what is told of each thing that the API needs, in bounded time."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import falcon
from falcon import testing

from api.health import FRESH, PATIENCE, Healthcheck, Look, Watch
from api.wiring import looks_at
from slotwright.domain.errors import StorageUnavailable, Unavailable
from slotwright.events import drivers
from slotwright.rpc.transport import get_transport
from slotwright.storage import pool_stores
from tests.guarded import wait_until
from tests.unit.api_fixture import ApiTestCase


def away() -> None:
    raise Unavailable('it does not answer')


class HealthTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 0.0
        self.over = threading.Event()
        self.addCleanup(self.over.set)

    def hang(self, *_: Any) -> None:
        self.over.wait(100)

    def serve(self, patience: float = PATIENCE, **looks: Look) -> Callable[[], testing.Result]:
        client = testing.TestClient(falcon.App())
        health = Healthcheck(self.store, looks, lambda: self.time, patience)
        client.app.add_route('/', health)
        client.app.add_error_handler(StorageUnavailable, self.refuse)
        return lambda: client.simulate_get('/')

    def test_without_anything_else(self) -> None:
        health = self.client.simulate_get('/healthcheck').json
        self.assertEqual({'status': 'OK', 'database': 'OK'}, health)

    def test_each_is_named(self) -> None:
        ask = self.serve(broker=lambda: None, management_store=away, events=away)
        self.assertEqual(
            {
                'status': 'DEGRADED',
                'database': 'OK',
                'broker': 'OK',
                'management_store': 'DOWN',
                'events': 'DOWN',
            },
            ask().json,
        )
        self.assertIn('/healthcheck misses the management store', self.log.output)

    def test_a_look_counts_for_a_while(self) -> None:
        looks: list[Exception | None] = [None, Unavailable('no answer')]

        def look() -> None:
            error = looks.pop(0)
            if error:
                raise error

        ask = self.serve(broker=look)
        for self.time, status, broker in (
            (0.0, 'OK', 'OK'),
            (FRESH - 1, 'OK', 'OK'),
            (FRESH, 'DEGRADED', 'DOWN'),
            (FRESH + 1, 'DEGRADED', 'DOWN'),
        ):
            answer = ask()
            self.assertEqual(200, answer.status_code)
            self.assertEqual({'status': status, 'database': 'OK', 'broker': broker}, answer.json)
        self.assertEqual([], looks)

    def test_a_look_holds_nobody_else(self) -> None:
        looking = threading.Event()

        def look() -> None:
            looking.set()
            self.hang()
            away()

        ask = self.serve(100, broker=look)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask)
            self.assertTrue(looking.wait(60))
            self.assertEqual('OK', ask().json['broker'])
            self.over.set()
            self.assertEqual('DOWN', first.result().json['broker'])
        self.assertEqual('DOWN', ask().json['broker'])

    def test_what_hangs_is_not_waited_for(self) -> None:
        looks = []

        def look() -> None:
            looks.append(self.time)
            self.hang()

        ask = self.serve(0.1, events=look, broker=lambda: None)
        for self.time in (0.0, 100.0, 200.0):
            answer = ask().json
            self.assertEqual(('OK', 'DOWN'), (answer['broker'], answer['events']))
        self.assertEqual([0.0], looks)  # one look hangs, not three
        self.over.set()
        wait_until(lambda: ask().json['events'] == 'OK', 'the look to end', 60)

    def test_a_database_that_hangs(self) -> None:
        self.store.list_flavors = self.hang  # type: ignore[method-assign, assignment]
        ask = self.serve(0.1)
        self.assertEqual(503, ask().status_code)
        del self.store.list_flavors
        self.over.set()
        wait_until(lambda: ask().status_code == 200, 'the look to end', 60)

    def test_a_late_look_that_ends_within_an_answer(self) -> None:
        class Ending(Watch):
            told = 0

            @property
            def error(self) -> Exception | None:
                self.told += 1
                return StorageUnavailable('it is late') if self.told == 1 else None

            @error.setter
            def error(self, error: Exception | None) -> None:
                pass

        client = testing.TestClient(falcon.App())
        health = Healthcheck(self.store, {})
        health._database = Ending('database', lambda: None)
        client.app.add_route('/', health)
        client.app.add_error_handler(StorageUnavailable, self.refuse)
        self.assertEqual(503, client.simulate_get('/').status_code)

    def refuse(self, _req: Any, resp: falcon.Response, *_: Any) -> None:
        resp.status = falcon.HTTP_503

    def test_nothing_that_a_driver_says_is_told(self) -> None:
        def look() -> None:
            raise KeyError('redis://:s3cret@10.0.0.5')

        answer = self.serve(events=look)()
        self.assertEqual('DOWN', answer.json['events'])
        self.assertNotIn('s3cret', answer.text + self.log.output)
        self.assertIn('misses the events: KeyError', self.log.output)


class LooksTest(ApiTestCase):
    """What is looked at is what the configuration has besides the database."""

    def looks(self, **drivers_of: str) -> Mapping[str, Look]:
        for group, driver in drivers_of.items():
            self.conf.set_override('driver', driver, group)
        transport = get_transport(self.conf, 'fake://')
        self.addCleanup(transport.cleanup)
        pools = pool_stores.from_config(self.conf, self.store.database)
        self.addCleanup(pools.close)
        events = drivers.from_config(self.conf)
        self.addCleanup(events.close)
        return looks_at(self.conf, transport, pools, events)

    def test_by_driver(self) -> None:
        self.assertEqual([], list(self.looks()))
        self.conf.set_override('uri', 'redis://127.0.0.1:1', 'drivers:management_store:redis')
        self.conf.set_override('uri', 'redis://127.0.0.1:1', 'events')
        self.assertEqual(['management_store'], list(self.looks(management_store='redis')))
        found = self.looks(management_store='redis', events='redis')
        self.assertEqual(['management_store', 'events'], list(found))
        self.assertRaises(Unavailable, found['events'])
