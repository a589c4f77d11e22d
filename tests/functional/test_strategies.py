"""Strategies that are not of this tree decide what the daemons do."""

import os
from pathlib import Path

import fixtures

from tests import servers
from tests.base import TestCase
from tests.deployment import Deployment, cluster_body, members
from tests.tenant import Tenant

MODULE = '''
from api.strategy import RedisAPIStrategy
from slotwright.domain.errors import Forbidden
from slotwright.domain.slots import SlotRange
from slotwright.domain.plan import plan


class InPairs(RedisAPIStrategy):
    """Clusters of an even number of nodes only."""

    def check_members(self, wanted, get_flavor, existing=()):
        if (len(wanted) + len(existing)) % 2:
            raise Forbidden('Nodes come in pairs here.')
        return super().check_members(wanted, get_flavor, existing)


class Lopsided:
    """A hundred slots each, and the rest for the last."""

    def layout(self, masters):
        firsts = [100 * number for number in range(masters)]
        lasts = [first - 1 for first in firsts[1:]] + [16383]
        return [SlotRange(first, last) for first, last in zip(firsts, lasts)]

    def plan(self, desired, observed):
        return plan(desired, observed)
'''


class StrategiesTest(TestCase):
    timeout = 400

    def test_strategies_from_elsewhere_are_obeyed(self) -> None:
        elsewhere = self.useFixture(fixtures.TempDir()).path
        Path(elsewhere, 'house_rules.py').write_text(MODULE)
        path = os.pathsep.join(filter(None, (elsewhere, os.environ.get('PYTHONPATH'))))
        broker = servers.shared(servers.RabbitMQ)
        options = {
            'redis': {
                'api_strategy': 'house_rules.InPairs',
                'taskmanager_strategy': 'house_rules.Lopsided',
            }
        }
        plane = Deployment(broker.new_vhost(), options=options, environment={'PYTHONPATH': path})
        api = self.useFixture(plane).api
        status, body = api('POST', '/clusters', {'cluster': cluster_body(3)})
        self.assertEqual((403, 'Nodes come in pairs here.'), (status, body['forbidden']['message']))
        self.assertEqual([], api('GET', '/clusters')[1]['clusters'])

        cluster_id = api.create(2)['id']
        api.completed(cluster_id)
        tenant = Tenant(api, cluster_id)
        tenant.require_clean()
        for table in tenant.node_tables():
            owned = sorted(str(slots) for node in table for slots in node.slots)
            self.assertEqual(['0-99', '100-16383'], owned)
        status, _ = api('POST', f'/clusters/{cluster_id}/action', {'grow': members(1)})
        self.assertEqual(403, status)
