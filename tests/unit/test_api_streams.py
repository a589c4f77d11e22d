"""Live streams as readers meet them on a socket."""

from typing import Any

from prometheus_client import CollectorRegistry

from api.server import ApiServer
from api.streams.sender import Times
from api.streams.service import Streams
from api.wiring import render_event
from slotwright.domain.events import Event
from tests.event_reader import EventReader
from tests.guarded import wait_until
from tests.unit.api_fixture import ApiTestCase


class StreamCase(ApiTestCase):
    """The application on its server, with streams that only look into the store when told to."""

    times = Times()
    poll = 1000.0
    room = 256 * 1024
    most = 500
    green = False

    def setUp(self) -> None:
        super().setUp()
        self.registry = CollectorRegistry()
        self.streams = Streams(
            self.store,
            render_event,
            most=self.most,
            poll=self.poll,
            room=self.room,
            times=self.times,
            registry=self.registry,
        )
        self.client = self.build()
        self.server = ApiServer(self.client.app, '127.0.0.1', 0, 4, green=self.green)
        self.streams.start()
        self.addCleanup(self.streams.wait)
        self.addCleanup(self.streams.stop)
        self.server.start()
        self.addCleanup(self.server.stop)

    def read(self, *parts: str, query: str = '', **options: Any) -> EventReader:
        reader = EventReader(self.server.url, self.url(*parts) + query, **options)
        self.addCleanup(reader.close)
        return reader.begin()

    def publish(self) -> list[Event]:
        """Hand on what happened, and have the subscription hear it."""
        events = self.relay()
        for event in events:
            self.streams.hub.deliver(event)
        return events

    def wait_for_streams(self, count: int) -> None:
        wait_until(lambda: self.streams.hub.open_streams == count, f'{count} streams', 60)


class StreamTest(StreamCase):
    def test_what_happens_from_now_on(self) -> None:
        self.create(1, 'before')
        self.publish()
        reader = self.read('events')
        self.assertEqual('no-store', reader.headers['cache-control'])
        self.assertIn('x-openstack-request-id', reader.headers)
        cluster = self.create(2)
        published = self.publish()
        told = reader.take(len(published))
        listed = self.call('GET', 'events', query_string='limit=100').json['events']
        self.assertEqual(listed[-len(told) :], told)
        self.assertEqual({cluster['id']}, {event['cluster_id'] for event in told})
        self.assertEqual(str(told[-1]['id']), reader.last_id)
