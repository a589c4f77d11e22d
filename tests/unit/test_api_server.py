"""The server as callers meet it on a socket: what it accepts, refuses and outlives."""

import http.client
import json
import socket
from typing import Any

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
            b'POST /v1.0/demo/clusters HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n'
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
            'no length': b'POST ' + path + b' HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n',
            'negative': b'POST ' + path + b' HTTP/1.1\r\nHost: h\r\nContent-Length: -2\r\n\r\n{}',
            'odd header': b'GET ' + path + b' HTTP/1.1\r\nHost h\r\n\r\n',
        }.items():
            with self.row(name):
                status, answer, head = self.raw(request)
                self.assertEqual((400, ['badRequest']), (status, list(answer)))
                self.assertIn(b'X-Openstack-Request-Id: req-', head)

    def test_what_a_refused_request_left_is_no_request(self) -> None:
        request = (
            b'POST /nowhere HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'
            b'24\r\nGET /healthcheck HTTP/1.1\r\nHost: h\r\n\r\n0\r\n\r\n'
        )
        status, answer, _ = self.raw(request)
        self.assertEqual((404, ['itemNotFound']), (status, list(answer)))

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
        for host in ('0.0.0.0', '', '::', '192.0.2.7', '8.8.8.8'):
            error = self.assertRaises(ValueError, ApiServer, None, host, 0, 1)
            self.assertIn('noauth', str(error))

    def test_unknown_names_are_refused(self) -> None:
        error = self.assertRaises(ValueError, ApiServer, None, 'no such host', 0, 1)
        self.assertIn('cannot be resolved', str(error))

    def test_loopback_is_taken(self) -> None:
        for host in ('127.0.0.1', '127.9.9.9', 'localhost'):
            ApiServer(SQLAlchemyStore, host, 0, 1)  # type: ignore[arg-type]

    def test_others_with_authentication(self) -> None:
        ApiServer(SQLAlchemyStore, '0.0.0.0', 0, 1, loopback_only=False)  # type: ignore[arg-type]
