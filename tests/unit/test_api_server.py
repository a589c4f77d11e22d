"""The server as callers meet it on a socket: what it accepts, refuses and outlives."""

import http.client
import json
import socket
import time
from typing import Any

import fixtures

from api.server import ApiServer
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.base import TestCase
from tests.unit.api_fixture import ApiTestCase, create_body


class ServedTest(ApiTestCase):
    """The application behind its real server, on a free port of this machine."""

    green = False

    def setUp(self) -> None:
        super().setUp()
        self.server = ApiServer(self.client.app, '127.0.0.1', 0, 4, green=self.green)
        self.addCleanup(self.server.stop)
        self.server.start()
        self.port = int(self.server.url.rpartition(':')[2])

    def request(self, method: str, path: str, **options: Any) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, path, **options)
        answer = connection.getresponse()
        body = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(body) if body else None, headers

    def raw(self, request: bytes) -> tuple[int, dict[str, Any], bytes]:
        """Send bytes; the status, the JSON body and the head of what comes back."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=60) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = b''
            while more := connection.recv(65536):
                received += more
        head, _, body = received.partition(b'\r\n\r\n')
        return int(head.split()[1]), json.loads(body), head

    def test_create_and_links(self) -> None:
        path = self.url('clusters')
        headers = {'Content-Type': 'application/json'}
        body = json.dumps(create_body(2))
        status, answer, got = self.request('POST', path, body=body, headers=headers)
        self.assertEqual(202, status)
        self.assertIn('x-openstack-request-id', got)
        link = answer['cluster']['links'][0]['href']
        self.assertTrue(link.startswith(self.server.url + '/v1.0/demo/clusters/'), link)
        self.assertIn(f"127.0.0.1 anonymous POST '{path}' -> 202", self.log.output)

    def test_a_body_of_ten_megabytes(self) -> None:
        before = self.row_counts()
        for headers in ({}, {'Content-Type': 'application/json'}):
            for path in (self.url('clusters'), '/nowhere'):
                status, answer, got = self.request(
                    'POST', path, body=b'[' + b' ' * 10_000_000, headers=headers
                )
                self.assertEqual(413, status)
                self.assertEqual(413, answer['overLimit']['code'])
                self.assertIn('x-openstack-request-id', got)
        self.assertEqual(before, self.row_counts())

    def test_a_body_that_never_comes_is_not_waited_for(self) -> None:
        request = (
            b'POST /v1.0/demo/clusters HTTP/1.1\r\nHost: localhost\r\n'
            b'Content-Length: 9999999999\r\n\r\n'
        )
        status, answer, _ = self.raw(request)
        self.assertEqual((413, ['overLimit']), (status, list(answer)))

    def test_chunks(self) -> None:
        body = json.dumps(create_body(1)).encode()
        status, answer, _ = self.request('POST', self.url('clusters'), body=iter([body]))
        self.assertEqual(202, status, answer)
        many = (b' ' * 65536 for _ in range(160))
        status, answer, _ = self.request('POST', self.url('clusters'), body=many)
        self.assertEqual((413, ['overLimit']), (status, list(answer)))

    def test_broken_requests(self) -> None:
        path = b'/v1.0/demo/clusters'
        for name, request in {
            'no http': b'nonsense\r\n\r\n',
            'no length': b'POST '
            + path
            + b' HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n',
            'negative': b'POST '
            + path
            + b' HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}',
            'odd header': b'GET ' + path + b' HTTP/1.1\r\nHost h\r\n\r\n',
        }.items():
            with self.row(name):
                status, answer, head = self.raw(request)
                self.assertEqual((400, ['badRequest']), (status, list(answer)))
                self.assertIn(b'X-Openstack-Request-Id: req-', head)

    def test_what_a_refused_request_left_is_no_request(self) -> None:
        request = (
            b'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
            b'24\r\nGET /healthcheck HTTP/1.1\r\nHost: localhost\r\n\r\n0\r\n\r\n'
        )
        status, answer, _ = self.raw(request)
        self.assertEqual((404, ['itemNotFound']), (status, list(answer)))

    def post(self, headers: bytes, body: bytes = b'', version: bytes = b'1.1') -> tuple[int, str]:
        """POST clusters; the status and the message of the refusal."""
        head = b'POST /v1.0/demo/clusters HTTP/' + version + b'\r\nHost: localhost\r\n'
        status, answer, _ = self.raw(head + headers + b'\r\n' + body)
        ((_, error),) = answer.items()
        return status, error['message']

    def test_what_a_proxy_might_read_otherwise(self) -> None:
        """Headers that let one request hide another, or a forged header pass a filter."""
        chunked = b'Transfer-Encoding: chunked\r\n'
        for name, headers, version in (
            ('two lengths', b'Content-Length: 0\r\nContent-Length: 2\r\n', b'1.1'),
            ('signed length', b'Content-Length: +2\r\n', b'1.1'),
            ('python length', b'Content-Length: 1_0\r\n', b'1.1'),
            ('length and chunks', b'Content-Length: 2\r\n' + chunked, b'1.1'),
            ('chunks of chunks', chunked + chunked, b'1.1'),
            ('chunks or not', b'Transfer-Encoding:\r\n', b'1.1'),
            ('chunks of old', chunked, b'1.0'),
            ('space before the colon', b'Content-Length : 2\r\n', b'1.1'),
            ('underscore', b'Content_Length: 2\r\n', b'1.1'),
            ('underscore in a login', b'X_Auth_Token: x\r\n', b'1.1'),
            ('two logins', b'Authorization: a\r\nauthorization: b\r\n', b'1.1'),
            ('two tokens', b'X-Auth-Token: a\r\nX-AUTH-TOKEN: b\r\n', b'1.1'),
            ('folded login', b'Authorization: a\r\n b\r\n', b'1.1'),
            ('two hosts', b'Host: localhost\r\n', b'1.1'),
            ('carriage return', b'X-Any: a\rX-Roles: admin\r\n', b'1.1'),
        ):
            with self.row(name):
                status, message = self.post(headers, b'{}', version)
                self.assertEqual(400, status)
                self.assertRegex(message, 'twice|Length|HTTP/1.1|only be chunked|no name|control')

    def test_headers_that_proxies_repeat(self) -> None:
        status, answer, _ = self.raw(
            b'GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n'
            b'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nVia: a\r\nVia: b\r\n\r\n'
        )
        self.assertEqual((200, 'OK'), (status, answer['status']))

    def test_no_control_characters_get_into_the_log(self) -> None:
        for method in (b'GET\x1b[2J', b'G\rET', b'G\xc9T', b''):
            status, answer, _ = self.raw(method + b' / HTTP/1.1\r\nHost: localhost\r\n\r\n')
            self.assertEqual((400, ['badRequest']), (status, list(answer)))

    def test_headers_without_an_end(self) -> None:
        many = b''.join(b'X-%d: %s\r\n' % (n, b'x' * 1000) for n in range(70))
        for name, head, expected in (
            ('one line', b'GET /' + b'x' * 70_000, 414),
            ('one header', b'GET / HTTP/1.1\r\nX: ' + b'x' * 70_000, 413),
            ('many headers', b'GET / HTTP/1.1\r\n' + many, 413),
        ):
            with self.row(name):
                self.assertEqual(expected, self.raw(head)[0])

    def test_chunks_that_are_none(self) -> None:
        for name, body in {
            'no size': b'zz\r\n{}\r\n0\r\n\r\n',
            'negative': b'-2\r\n{}\r\n0\r\n\r\n',
            'too short': b'1\r\n{}\r\n0\r\n\r\n',
            'cut': b'ff\r\n{}',
            'nothing': b'',
            'beyond all integers': b'1' * 30 + b'\r\n{}',
            'a size without an end': b'1' * 100_000,
        }.items():
            with self.row(name):
                status, message = self.post(b'Transfer-Encoding: chunked\r\n', body)
                self.assertEqual(400, status)
                self.assertIn('The body cannot be read: ', message)

    def test_a_chunk_is_read_no_further_than_bodies_may_be(self) -> None:
        """The rest of it never comes: who waited for it would not answer."""
        body = b'fffffff0\r\n' + b' ' * 200_000
        status, message = self.post(b'Transfer-Encoding: chunked\r\n', body)
        self.assertEqual(413, status)
        self.assertIn('too long', message)

    def test_a_body_that_was_cut(self) -> None:
        before = self.row_counts()
        body = json.dumps(create_body(1)).encode()
        status, message = self.post(b'Content-Length: %d\r\n' % (len(body) + 1), body)
        self.assertEqual(400, status)
        self.assertIn('fewer bytes than Content-Length says', message)
        self.assertEqual(before, self.row_counts())

    def test_a_refusal_does_not_wait_for_the_body(self) -> None:
        """It is read by the server only: the caller keeps the connection open and sends nothing."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=60) as connection:
            connection.sendall(
                b'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'
            )
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            self.assertEqual((404, 'close'), (answer.status, answer.getheader('Connection')))
            self.assertIn('itemNotFound', json.loads(answer.read()))

    def test_who_says_nothing_takes_no_thread(self) -> None:
        """As browsers that connect ahead do, and whoever wants to do harm."""
        self.crowd(b'')
        self.assertEqual(200, self.request('GET', '/healthcheck')[0])

    def test_who_speaks_slowly_leaves_threads_to_others(self) -> None:
        self.crowd(b'GET /healthcheck')
        self.assertEqual(200, self.request('GET', '/healthcheck')[0])

    def test_who_is_refused_and_sends_no_body_leaves_threads_to_others(self) -> None:
        self.useFixture(fixtures.MonkeyPatch('api.server._LINGER_SECONDS', 600.0))
        self.crowd(b'POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n')
        self.assertEqual(200, self.request('GET', '/healthcheck')[0])

    def test_a_head_in_pieces(self) -> None:
        with socket.create_connection(('127.0.0.1', self.port), timeout=60) as connection:
            for piece in (b'GET /health', b'check HTTP/1.1\r\nHost: local', b'host\r\n\r\n'):
                connection.sendall(piece)
                time.sleep(0.1)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            self.assertEqual(200, answer.status)

    def test_requests_one_after_another_without_waiting(self) -> None:
        one = b'GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n'
        with socket.create_connection(('127.0.0.1', self.port), timeout=60) as connection:
            connection.sendall((one + b'\r\n') * 2 + one + b'Connection: close\r\n\r\n')
            received = b''
            while more := connection.recv(65536):
                received += more
        self.assertEqual(3, received.count(b'HTTP/1.1 200 OK'))

    def crowd(self, words: bytes) -> None:
        """Twice as many callers as there are threads say that, and nothing more."""
        self.server._server.timeout = 600  # or time would help
        for _ in range(8):
            caller = socket.create_connection(('127.0.0.1', self.port))
            self.addCleanup(caller.close)
            caller.sendall(words)

    def test_names_of_other_machines(self) -> None:
        """A web page whose name was made to resolve to 127.0.0.1 (DNS rebinding)."""
        head = b'GET /v1.0/demo/clusters HTTP/1.1\r\nHost: %s\r\n\r\n'
        for host in (b'evil.example:8779', b'192.0.2.7', b'127.0.0.1.evil.example', b'\xff', b'['):
            with self.row(str(host)):
                status, answer, _ = self.raw(head % host)
                self.assertEqual((403, ['forbidden']), (status, list(answer)))
        for host in (
            b'localhost',
            b'LOCALHOST:1',
            b'api.localhost',
            b'127.0.0.9:8779',
            b'[::1]:8779',
        ):
            with self.row(str(host)):
                self.assertEqual(200, self.raw(head % host)[0])

    def test_one_connection_serves_many_requests(self) -> None:
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        self.addCleanup(connection.close)
        for expected in (200, 404, 415, 200):
            if expected == 415:
                headers = {'Content-Type': 'text/plain'}
                connection.request('POST', self.url('clusters'), body=b'{}', headers=headers)
            else:
                path = '/healthcheck' if expected == 200 else '/nowhere'
                connection.request('GET', path)
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(expected, answer.status)

    def test_stopped(self) -> None:
        self.server.stop()
        self.server.wait()
        self.assertRaises(OSError, socket.create_connection, ('127.0.0.1', self.port), 5)

    def test_a_taken_port(self) -> None:
        second = ApiServer(self.client.app, '127.0.0.1', self.port, 1)
        self.assertRaises(OSError, second.start)
        second.stop()  # as the daemon does after a start that failed
        second.wait()


class GreenServedTest(ServedTest):
    """The server that is used with green threads, on those of the operating system."""

    green = True


class LoopbackTest(TestCase):
    """Without authentication nobody from outside is let in."""

    def test_others_are_refused(self) -> None:
        for host in ('0.0.0.0', '', '::', '0', '192.0.2.7', '::ffff:0.0.0.0', '8.8.8.8'):
            error = self.assertRaises(ValueError, ApiServer, None, host, 0, 1)
            self.assertIn('noauth', str(error))

    def test_unknown_names_are_refused(self) -> None:
        for host in ('no such host', 'x' * 70):
            error = self.assertRaises(ValueError, ApiServer, None, host, 0, 1)
            self.assertIn('cannot be resolved', str(error))

    def test_with_a_login_any_name_will_do(self) -> None:
        def app(_environ: object, start_response: Any) -> list[bytes]:
            start_response('200 OK', [])
            return [b'{}']

        server = ApiServer(app, '127.0.0.1', 0, 1, loopback_only=False)
        self.addCleanup(server.stop)
        server.start()
        port = int(server.url.rpartition(':')[2])
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
        self.addCleanup(connection.close)
        connection.request('GET', '/', headers={'Host': 'api.example'})
        self.assertEqual(200, connection.getresponse().status)

    def test_loopback_is_taken(self) -> None:
        for host in ('127.0.0.1', '127.9.9.9', 'localhost'):
            ApiServer(SQLAlchemyStore, host, 0, 1)  # type: ignore[arg-type]

    def test_others_with_authentication(self) -> None:
        ApiServer(SQLAlchemyStore, '0.0.0.0', 0, 1, loopback_only=False)  # type: ignore[arg-type]
