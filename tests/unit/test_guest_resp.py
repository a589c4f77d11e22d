"""The Redis protocol, against a server that says what the test wants."""

import socket
import threading

import testtools

from guestagent.resp import Connection, ProtocolError, ReplyError, pack


class RespTests(testtools.TestCase):
    def answered(self, data: bytes, *commands: tuple[str, ...]):
        """What ``commands`` come to when the server sends ``data`` and closes."""
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        asked = pack(commands)
        received: list[bytes] = []

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                received.append(peer.recv(len(asked), socket.MSG_WAITALL))
                peer.sendall(data)

        server = threading.Thread(target=serve)
        server.start()
        self.addCleanup(server.join)
        connection = Connection(*listener.getsockname(), connect_timeout=10, timeout=10)
        self.addCleanup(connection.close)
        answers = connection.run(commands)
        server.join()
        self.assertEqual([asked], received)
        return answers

    def test_every_kind_of_answer(self):
        data = (
            '+OK\r\n:-7\r\n$6\r\nä\r\nb\n\r\n$-1\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n*-1\r\n$0\r\n\r\n'
        )
        answers = self.answered(data.encode(), *[('PING',)] * 7)
        self.assertEqual(['OK', -7, 'ä\r\nb\n', None, ['x', [1]], None, ''], answers)

    def test_errors_are_answers_in_their_place(self):
        data = b'-ERR unknown node\r\n-LOADING wait\r\n+OK\r\n'
        first, second, third = self.answered(data, ('A',), ('B',), ('C',))
        self.assertIsInstance(first, ReplyError)
        self.assertEqual(['unknown node', 'LOADING wait', 'OK'], [str(first), str(second), third])

    def test_what_is_cut_off_or_no_redis_is_an_error(self):
        for data in (b'', b'+O', b'$5\r\nab', b'HTTP/1.1 400\r\n', b'$x\r\n', b'*1\r\n'):
            self.assertRaises(ProtocolError, self.answered, data, ('PING',))

    def test_an_idle_connection_knows_its_end(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            connection = Connection(*listener.getsockname(), connect_timeout=10, timeout=10)
            self.addCleanup(connection.close)
            peer, _ = listener.accept()
            self.assertTrue(connection.is_idle())
            peer.close()
            while connection.is_idle():
                pass
