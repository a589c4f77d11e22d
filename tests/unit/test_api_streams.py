"""Live streams as readers meet them on a socket."""

import datetime
import socket
import struct
from pathlib import Path
from typing import Any

import fixtures
from prometheus_client import CollectorRegistry

from api.server import ApiServer
from api.streams.sender import Times
from api.streams.service import Streams
from api.wiring import render_event
from slotwright.domain.events import Event
from tests.event_reader import EventReader
from tests.green import is_green
from tests.guarded import wait_until
from tests.unit.api_fixture import ApiTestCase
from tests.unit.test_api_auth import USERS, basic


class StreamCase(ApiTestCase):
    """The application on its server, with streams that only look into the store when told to."""

    times = Times()
    poll = 1000.0
    room = 256 * 1024
    most = 500
    most_of_project = 400
    port = 0  # a free one

    def setUp(self) -> None:
        super().setUp()
        self.registry = CollectorRegistry()
        self.streams = Streams(
            self.store,
            render_event,
            most=self.most,
            most_of_project=self.most_of_project,
            poll=self.poll,
            room=self.room,
            times=self.times,
            registry=self.registry,
        )
        self.client = self.build()
        self.server = ApiServer(self.client.app, '127.0.0.1', self.port, 4, green=is_green())
        self.streams.start()
        self.addCleanup(self.streams.wait)
        self.addCleanup(self.streams.stop)
        self.server.start()
        self.addCleanup(self.server.stop)

    def tearDown(self) -> None:
        self.assertNotIn('Traceback', self.log.output)
        super().tearDown()

    def read(self, *parts: str, query: str = '', **options: Any) -> EventReader:
        reader = EventReader(self.server.url, self.url(*parts, 'events') + query, **options)
        self.addCleanup(reader.close)
        return reader.begin()

    def assert_told(self, message: str, status: int, reader: EventReader) -> None:
        """The stream was refused before it began."""
        self.assertEqual(status, reader.status)
        self.assertIn(message, reader.refusal())

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
        before = self.publish()[-1].position
        reader = self.read()
        self.assertEqual('no-store', reader.headers['cache-control'])
        self.assertIn('x-openstack-request-id', reader.headers)
        self.assertEqual(str(before), reader.last_id)
        cluster = self.create(2)
        told = reader.take(len(self.publish()))
        listed = self.call('GET', 'events').json['events']
        self.assertEqual(listed[-len(told) :], told)
        self.assertEqual({cluster['id']}, {event['cluster_id'] for event in told})
        self.assertEqual(str(told[-1]['id']), reader.last_id)

    def test_of_one_cluster(self) -> None:
        cluster = self.create(1, 'one')
        self.publish()
        for name in ('one', cluster['id']):
            with self.row(name):
                reader = self.read('clusters', name)
                self.assertEqual('3', reader.last_id)
        self.create(1, 'another')
        self.finish(cluster['id'])
        self.publish()
        told = reader.take(3)
        self.assertEqual([4, 5, 6], [event['id'] for event in told])
        self.assertEqual({cluster['id']}, {event['cluster_id'] for event in told})

    def test_a_project_hears_its_own(self) -> None:
        mine, everybody = self.read(), self.read('mgmt')
        self.project = 'other'
        self.create(1)
        self.project = 'demo'
        cluster = self.create(1)
        published = self.publish()
        self.assertEqual([cluster['id']] * 3, [e['cluster_id'] for e in mine.take(3)])
        self.assertEqual(
            [event.position for event in published], [e['id'] for e in everybody.take(6)]
        )

    def test_a_reader_goes_on_where_it_was(self) -> None:
        cluster = self.create_active(2)
        everything = [event.position for event in self.publish()]
        for parts, due in (
            ((), everything),
            (('clusters', cluster['id']), [*range(1, len(everything) + 1)]),
        ):
            for query, headers, after in (
                ('', {'Last_Event_ID': '4'}, 4),
                ('?marker=2', {}, 2),
                ('?marker=2', {'Last_Event_ID': '6'}, 6),
                ('?marker=0', {'Last_Event_ID': ''}, 0),
                (f'?marker={due[-1]}', {}, due[-1]),
            ):
                with self.row(f'{parts} {query} {headers}'):
                    reader = self.read(*parts, query=query, **headers)
                    told = reader.take(len([number for number in due if number > after]))
                    self.assertEqual(
                        due[due.index(after) + 1 if after else 0 :], [event['id'] for event in told]
                    )
                    reader.close()

    def test_what_is_refused_before_a_stream_begins(self) -> None:
        self.create(1)
        self.publish()
        self.assert_told("Last-Event-ID 'x' must", 400, self.read(Last_Event_ID='x'))
        self.assert_told("marker 'x' must", 400, self.read(query='?marker=x'))
        self.assert_told("limit '0' must", 400, self.read(query='?limit=0'))
        self.assert_told('no event 4 yet: the newest is 3', 400, self.read(Last_Event_ID='4'))
        self.assert_told('cannot be found', 404, self.read('clusters', 'nothing'))
        self.assertEqual(0, self.streams.hub.open_streams)

    def test_who_missed_what_is_forgotten_is_told(self) -> None:
        cluster = self.create(1)
        self.publish()
        self.store.forget_events(datetime.datetime(2999, 1, 1), 2)
        for parts in ((), ('clusters', cluster['id'])):
            with self.row(str(parts)):
                reader = self.read(*parts, Last_Event_ID='1')
                kind, told = reader.next() or ('', {})
                self.assertEqual(('forgotten', 1), (kind, told['after']))
                self.assertEqual('1', reader.last_id)
                self.assertEqual([3], [event['id'] for event in reader.take(1)])
                self.assertEqual('instance.created', self.read(*parts, query='?marker=2').next()[0])
        self.store.forget_events(datetime.datetime(2999, 1, 1), 2)
        reader = self.read(Last_Event_ID='2')
        self.assertEqual('forgotten', (reader.next() or ('',))[0])

    def test_of_the_old_version_of_http(self) -> None:
        """No chunks, and the end of the connection is the end."""
        with socket.create_connection(self.address(), timeout=100) as link:
            link.sendall(
                f'GET {self.url("events")} HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n'.encode()
            )
            self.wait_for_streams(1)
            self.create(1)
            self.publish()
            received = b''
            while received.count(b'\nevent: ') < 3:
                received += link.recv(65536)
            self.streams.stop()
            received += b''.join(iter(lambda: link.recv(65536), b''))
        head, _, body = received.partition(b'\r\n\r\n')
        self.assertNotIn(b'chunked', head)
        self.assertEqual(3, body.count(b'\n\nid: '))
        self.assertTrue(body.endswith(b'}\n\n'), body)

    def test_whoever_is_gone_is_forgotten(self) -> None:
        readers = [self.read() for _ in range(6)]
        self.assertEqual(6, self.registry.get_sample_value('slotwright_event_streams'))
        for number, reader in enumerate(readers):
            if number % 2:  # cut the connection without a word of farewell
                linger = struct.pack('ii', 1, 0)
                reader.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            reader.close()
        self.wait_for_streams(0)
        self.assertEqual(0, self.registry.get_sample_value('slotwright_event_streams'))

    def test_whoever_does_not_wait_for_the_answer_is_forgotten_too(self) -> None:
        for _ in range(40):
            reader = EventReader(self.server.url, self.url('events'))
            linger = struct.pack('ii', 1, 0)
            reader.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            reader.close()
        self.assertEqual(200, self.read().status)
        self.wait_for_streams(1)

    def test_streams_hold_no_threads(self) -> None:
        readers = [self.read() for _ in range(30)]
        self.create(1)
        self.publish()
        for reader in readers:
            self.assertEqual(3, len(reader.take(3)))

    def test_the_end_is_an_end_and_no_cut(self) -> None:
        self.create(1)
        readers = [self.read(query='?marker=0'), self.read()]
        self.publish()
        for reader in readers:
            reader.take(3)
        self.streams.stop()
        for reader in readers:
            self.assertIsNone(reader.next())
            self.assertTrue(reader.ended)
        self.assert_told('shutting down', 503, self.read())

    def address(self) -> tuple[str, int]:
        return '127.0.0.1', int(self.server.url.rpartition(':')[2])


class FewStreamsTest(StreamCase):
    most = 2

    def test_no_more_than_configured(self) -> None:
        readers = [self.read() for _ in range(2)]
        refused = self.read()
        self.assertEqual('5', refused.headers['retry-after'])
        self.assert_told('2 event streams are open', 503, refused)
        self.assertEqual(200, self.call('GET', 'events').status_code)
        readers[0].close()
        self.wait_for_streams(1)
        self.assertEqual(200, self.read().status)


class FewStreamsOfAProjectTest(StreamCase):
    most_of_project = 1

    def test_no_more_than_configured(self) -> None:
        reader = self.read()
        refused = self.read()
        self.assertEqual('5', refused.headers['retry-after'])
        self.assert_told('has 1 event streams open', 413, refused)
        reader.close()
        self.wait_for_streams(0)
        self.assertEqual(200, self.read().status)


class ShortStreamsTest(StreamCase):
    times = Times(keep_alive=0.05, lifetime=3.0, tick=0.05)

    def test_they_show_that_they_live_and_end_in_time(self) -> None:
        reader = self.read()
        reader.wait_for_comment()
        self.assertIsNone(reader.next())
        self.assertTrue(reader.ended)
        self.wait_for_streams(0)


class SlowReaderTest(StreamCase):
    times = Times(patience=1.0, tick=0.05)
    room = 20_000

    def test_it_is_cut_off_and_others_are_not(self) -> None:
        slow = self.read(window=4096)
        stream = self.read()
        cut = 'reads events too slowly and is cut off'
        instance = self.create_active(1)['instances'][0]['id']
        seen = len(stream.take(len(self.publish())))
        while cut not in self.log.output:
            for running in (False, True):
                said = {'running': running, 'node_id': None, 'volume_used': 0.1, 'wiped': False}
                self.store.report(instance, **said, fault='x' * 2000)
            seen += len(stream.take(len(self.publish())))
        self.assertEqual(1, self.log.output.count(cut))
        self.wait_for_streams(1)
        slow_seen = 0
        while slow.next() is not None:
            slow_seen += 1
        self.assertFalse(slow.ended)
        self.assertLess(slow_seen, seen)
        self.assertEqual(
            seen - slow_seen, len(self.read(Last_Event_ID=slow.last_id).take(seen - slow_seen))
        )


class StreamLoginTest(StreamCase):
    def test_it_is_that_of_other_requests(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'users')
        path.write_text(USERS)
        self.server.stop()
        app = self.build(
            api_auth_strategy='http_basic', api_user_file=str(path), api_read_rate=4
        ).app
        self.server = ApiServer(app, '127.0.0.1', 0, 4, green=is_green())
        self.server.start()
        self.addCleanup(self.server.stop)
        self.project = 'acme'
        self.assert_told('', 401, self.read())
        self.assert_told('', 401, self.read(**basic('alice', 'wrong')))
        self.assert_told('not allowed for tenant', 403, self.read(**basic('bob')))
        self.assert_told(
            "Policy doesn't allow event:index_all", 403, self.read('mgmt', **basic('alice'))
        )
        self.assertEqual(200, self.read('mgmt', **basic('root')).status)
        self.assertEqual(200, self.read(**basic('alice')).status)
        self.assertEqual(200, self.read(**basic('alice')).status)
        refused = self.read(**basic('alice'))
        self.assertIn('retry-after', refused.headers)
        self.assert_told('too many GET requests', 413, refused)
        self.assertEqual(3, self.streams.hub.open_streams)
