"""/healthcheck of a service whose Redis hangs."""

import json
import urllib.request
from collections.abc import Mapping

from tests import servers
from tests.base import TestCase
from tests.guarded import wait_until
from tests.standalone import Standalone

PASSWORD = 'never-to-be-told'
GONE = {'status': 'DEGRADED', 'database': 'OK', 'management_store': 'DOWN', 'events': 'DOWN'}
WELL = {'status': 'OK', 'database': 'OK', 'management_store': 'OK', 'events': 'OK'}


class HealthTest(TestCase):
    timeout = 300

    def test_each_redis_is_missed_and_seen_again(self) -> None:
        user = ('--user', 'teller', 'on', f'>{PASSWORD}', '~*', '&*', '+@all')
        self.redis = self.useFixture(servers.RedisServer(*user))
        uri = self.redis.url.replace('://', f'://teller:{PASSWORD}@')
        self.standalone = self.useFixture(
            Standalone(
                {
                    'management_store': {'driver': 'redis'},
                    'drivers:management_store:redis': {'uri': uri},
                    'events': {'driver': 'redis', 'uri': uri},
                }
            )
        )
        self.wait_for(WELL)
        self.redis.suspend()
        self.wait_for(GONE)
        self.redis.resume()
        self.wait_for(WELL)
        self.assertNotIn(PASSWORD.encode(), self.standalone.process.log_tail())

    def wait_for(self, wanted: Mapping[str, str]) -> None:
        wait_until(lambda: self.health() == wanted, f'health to be {wanted}', 60)

    def health(self) -> Mapping[str, str]:
        # Far more than it has to take: only a hang fails.
        with urllib.request.urlopen(f'{self.standalone.url}/healthcheck', timeout=50) as answer:
            text = answer.read().decode()
        self.assertNotIn(PASSWORD, text)
        found: Mapping[str, str] = json.loads(text)
        return found
