"""How long the management store waits for its Redis server, and which uris it takes."""

from redis import connection

from slotwright.domain.errors import StorageUnavailable
from slotwright.loading import InvalidConfiguration
from slotwright.redis_uri import parse
from slotwright.storage.redis.link import PATIENCE, Link
from tests import servers
from tests.base import TestCase


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class PatienceTest(TestCase):
    def slept(self, attempts: int, pause: float) -> list[float]:
        """How long it slept between its attempts, on a port where nobody listens."""
        time = Time()
        target = parse(f'redis://127.0.0.1:{servers.free_port()}')
        link = Link(target, attempts, pause, time.sleep, lambda: time.now)
        self.addCleanup(link.close)
        self.assertRaises(StorageUnavailable, link.script('pools_get'), 'p')
        return time.slept

    def test_no_attempt_begins_after_the_patience(self) -> None:
        """The real one slept for 1023 s with its default options."""
        self.assertEqual([1.0, 2.0], self.slept(10, 1.0))
        for pause in (0.001, 0.3, 100.0):
            self.assertLessEqual(sum(self.slept(1000, pause)), PATIENCE)

    def test_attempts_are_counted(self) -> None:
        self.assertEqual([0.1, 0.2, 0.4], self.slept(4, 0.1))
        self.assertEqual([], self.slept(1, 0.1))


class UriTest(TestCase):
    def test_what_is_read(self) -> None:
        plain, tls, unix = (
            connection.Connection,
            connection.SSLConnection,
            connection.UnixDomainSocketConnection,
        )
        timeouts = {'socket_timeout': 2.0, 'socket_connect_timeout': 2.0}
        here = {'host': '127.0.0.1', 'port': 6379, 'db': 0, **timeouts}
        for uri, kind, options in (
            ('redis://127.0.0.1', plain, here),
            ('redis://127.0.0.1:7000/2', plain, here | {'port': 7000, 'db': 2}),
            ('redis://127.0.0.1?dbid=2', plain, here | {'db': 2}),
            ('redis://[::1]:7000', plain, here | {'host': '::1', 'port': 7000}),
            ('redis://:p%40ss@127.0.0.1', plain, here | {'password': 'p@ss'}),
            ('redis://u%3A:%2F@127.0.0.1', plain, here | {'username': 'u:', 'password': '/'}),
            (
                'redis://127.0.0.1?socket_timeout=0.1',
                plain,
                here | dict.fromkeys(timeouts, 0.1),
            ),
            ('rediss://127.0.0.1/1', tls, here | {'db': 1}),
            ('unix:///run/redis.sock', unix, {'path': '/run/redis.sock', 'db': 0, **timeouts}),
            (
                'redis://:x@/run/redis.sock?dbid=3',
                unix,
                {'path': '/run/redis.sock', 'db': 3, 'password': 'x', **timeouts},
            ),
        ):
            target = parse(uri)
            self.assertEqual((uri, kind, options), (uri, target.kind, dict(target.options)))
            self.assertNotIn('password', repr(target))

    def test_what_is_refused(self) -> None:
        for tail, said in (
            ('h:port', 'no such host or port'),
            ('h:99999', 'no such host or port'),
            ('', 'Unix socket'),
            ('h/x', 'is a number'),
            ('h?dbid=x', 'is a number'),
            ('h/1?dbid=2', 'two databases'),
            ('h?socket_timeout=-1', 'above 0'),
            ('h?socket_timeout=nan', 'above 0'),
            ('h1,h2', 'Sentinel'),
            ('h?master=m', 'Sentinel'),
            ('h?db_id=3', 'unknown parameter, db_id'),
        ):
            error = self.assertRaises(InvalidConfiguration, parse, f'redis://u:secret@{tail}')
            self.assertIn(said, error.message)
            self.assertNotIn('secret', error.message)
        for uri in ('http://h', 'h', '', 'redis://user@h', 'rediss:///run/x', 'redis://h:-1'):
            self.assertRaises(InvalidConfiguration, parse, uri)
