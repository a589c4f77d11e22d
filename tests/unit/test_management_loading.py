"""[management_store] driver: which store the configuration opens."""

from typing import Any

from oslo_config import cfg

from slotwright import conf as options
from slotwright.loading import InvalidConfiguration
from slotwright.storage import pool_stores
from slotwright.storage.redis.store import RedisPoolStore
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests.base import TestCase

REDIS = 'drivers:management_store:redis'


class OwnStore:
    """A driver as somebody else might write one."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    @classmethod
    def from_config(cls, *given: Any) -> 'OwnStore':
        return cls(*given)


class LoadingTest(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = options.register(cfg.ConfigOpts())
        self.conf([])
        self.database = SQLAlchemyStore.connect('sqlite://').database
        self.addCleanup(self.database.close)

    def load(self, driver: str | None = None) -> Any:
        if driver is not None:
            self.conf.set_override('driver', driver, 'management_store')
        return pool_stores.from_config(self.conf, self.database, lambda scheme: [scheme])

    def test_sql_by_default(self) -> None:
        self.assertIsInstance(self.load(), SQLAlchemyPoolStore)

    def test_redis(self) -> None:
        self.conf.set_override('uri', 'redis://127.0.0.1:1/7', REDIS)
        self.assertIsInstance(self.load('redis'), RedisPoolStore)

    def test_one_of_your_own(self) -> None:
        store = self.load(f'{__name__}.OwnStore')
        self.assertIsInstance(store, OwnStore)
        self.assertEqual((self.conf, self.database), store.given[:2])

    def test_what_cannot_be_loaded(self) -> None:
        for driver, said in (
            ('mongodb', 'not a dotted path'),
            ('no.such.Store', 'cannot import'),
            (f'{__name__}.LoadingTest', 'no from_config'),
        ):
            error = self.assertRaises(InvalidConfiguration, self.load, driver)
            self.assertIn(f'[management_store] driver = {driver}', error.message)
            self.assertIn(said, error.message)

    def test_the_password_of_the_uri_is_shown_nowhere(self) -> None:
        self.conf.set_override('uri', 'redis://:hidden@h/x', REDIS)
        error = self.assertRaises(InvalidConfiguration, self.load, 'redis')
        self.assertIn(f'[{REDIS}] uri cannot be used', error.message)
        self.conf.set_override('uri', 'redis://:hidden@127.0.0.1:1', REDIS)
        store = self.load('redis')
        self.addCleanup(store.close)
        shown = repr([store, store.pools, vars(store)])
        (option,) = [opt for opt in dict(options.list_opts())[REDIS] if opt.name == 'uri']
        self.assertTrue(option.secret)
        self.assertNotIn('hidden', error.message + shown + self.log.output)
