"""[events] driver: which driver the configuration opens, and what it cannot open."""

from typing import Any

from oslo_config import cfg

from slotwright import conf as options
from slotwright.events import drivers
from slotwright.events.memory import MemoryDriver
from slotwright.events.redis.driver import ClusterDriver, OneServerDriver
from slotwright.loading import InvalidConfiguration
from tests import servers
from tests.base import TestCase


class OwnDriver:
    """A driver as somebody else might write one."""

    def __init__(self, conf: Any) -> None:
        self.conf = conf

    @classmethod
    def from_config(cls, conf: Any) -> 'OwnDriver':
        return cls(conf)


class LoadingTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = options.register(cfg.ConfigOpts())
        self.conf([])

    def load(self, **given: Any) -> Any:
        for name, value in given.items():
            self.conf.set_override(name, value, 'events')
        made = drivers.from_config(self.conf)
        self.addCleanup(getattr(made, 'close', lambda: None))
        return made

    def refused(self, **given: Any) -> str:
        error = self.assertRaises(InvalidConfiguration, self.load, **given)
        return str(error)

    def test_memory_by_default(self) -> None:
        self.assertIsInstance(self.load(), MemoryDriver)

    def test_redis_that_does_not_answer(self) -> None:
        uri = f'redis://127.0.0.1:{servers.free_port()}'
        self.assertIsInstance(self.load(driver='redis', uri=uri), OneServerDriver)
        self.assertIsInstance(self.load(driver='redis_cluster', uri=uri), ClusterDriver)

    def test_one_of_your_own(self) -> None:
        made = self.load(driver=f'{__name__}.OwnDriver')
        self.assertIsInstance(made, OwnDriver)
        self.assertIs(self.conf, made.conf)

    def test_what_cannot_be_loaded(self) -> None:
        for driver, said in (
            ('etcd', 'not a dotted path'),
            ('no.such.Driver', 'cannot import'),
            (f'{__name__}.LoadingTest', 'no from_config'),
        ):
            message = self.refused(driver=driver)
            self.assertIn(f'[events] driver = {driver}', message)
            self.assertIn(said, message)

    def test_options_that_cannot_be_used(self) -> None:
        for driver in ('redis', 'redis_cluster'):
            self.assertIn('[events] prefix', self.refused(driver=driver, prefix='a{b}'))
            self.conf.clear_override('prefix', 'events')
        for uri in ('unix:///run/redis', 'redis://h/1'):
            self.assertIn('[events] uri cannot be used', self.refused(uri=uri))
        self.conf.set_override('uri', 'redis://127.0.0.1:1', 'events')
        for nodes in (['h'], ['h:x'], [':1'], ['h:70000'], ['u:p@h:1']):
            message = self.refused(nodes=nodes)
            self.assertIn('[events] nodes', message)
            self.assertNotIn('u:p', message)

    def test_the_wrong_driver_for_the_server(self) -> None:
        one = servers.shared(servers.RedisServer)
        self.assertIn('set driver = redis', self.refused(driver='redis_cluster', uri=one.url))
        clustered = self.useFixture(servers.RedisServer('--cluster-enabled', 'yes'))
        message = self.refused(driver='redis', uri=clustered.url)
        self.assertIn('set driver = redis_cluster', message)

    def test_the_password_of_the_uri_is_shown_nowhere(self) -> None:
        bad = self.refused(driver='redis', uri='redis://:hidden@h/x')
        uri = f'redis://:hidden@127.0.0.1:{servers.free_port()}'
        made = [self.load(driver=driver, uri=uri) for driver in ('redis', 'redis_cluster')]
        (option,) = [one for one in dict(options.list_opts())['events'] if one.name == 'uri']
        self.assertTrue(option.secret)
        shown = repr([made, [vars(one) for one in made]])
        self.assertNotIn('hidden', bad + shown + self.log.output)
