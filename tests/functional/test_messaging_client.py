"""``openstack messaging pool|flavor …``, unmodified, with the management store in Redis."""

import json
from concurrent.futures import ThreadPoolExecutor

import redis

from tests import servers
from tests.base import TestCase
from tests.contract import seed_layout
from tests.deployment import cluster_body
from tests.guarded import wait_until
from tests.openstack_client import OpenStackClient
from tests.standalone import Standalone

CREATES = 8


def tiny(members: int) -> dict[str, object]:
    """The body of a POST for a cluster of flavor tiny."""
    body = cluster_body(members)
    for member in body['instances']:
        member['flavorRef'] = 'tiny'
    return {'cluster': body}


class MessagingClientTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        server = self.useFixture(servers.RedisServer())
        self.redis = redis.Redis.from_url(server.url, decode_responses=True)
        self.addCleanup(self.redis.close)
        self.standalone = self.useFixture(
            Standalone(
                {
                    'management_store': {'driver': 'redis'},
                    'drivers:management_store:redis': {'uri': server.url},
                }
            )
        )
        self.openstack = OpenStackClient(self.standalone.url)

    def test_pools_and_flavors(self) -> None:
        options = ('--pool_options', '{"instances":3}')
        self.openstack('messaging', 'pool', 'create', 'a', 'local://', '100', *options)
        *_, pools, listed, shown = self.openstack.session(
            'messaging pool create b local:// 50',
            'messaging pool create c local:// 0',
            'messaging pool update b --pool_weight 25',
            'messaging pool delete c',
            'messaging flavor create gold --pool_list a,b',
            'messaging pool list --detailed -f json',
            'messaging flavor list -f json',
            'messaging flavor show gold -f json',
        )
        self.assertEqual(
            [('a', 100, 'gold'), ('b', 25, 'gold')],
            [(pool['Name'], pool['Weight'], pool['Flavor']) for pool in json.loads(pools)],
        )
        self.assertEqual(['gold'], [flavor['Name'] for flavor in json.loads(listed)])
        self.assertEqual('gold', json.loads(shown)['Name'])
        self.assertEqual(
            {
                'pools': ['a', 'b'],
                'gold.pools': ['a', 'b'],
                'a.pools': {'p': 'a', 'u': 'local://', 'w': '100', 'o': '{"instances":3}'},
                'b.pools': {'p': 'b', 'u': 'local://', 'w': '25', 'o': '{}'},
                'flavors': ['gold'],
                '.flavors': ['gold'],
                'gold.flavors': {'f': 'gold', 'p': '', 'c': '{}'},
                'slotwright:flavor-of-pool': {'a': 'gold', 'b': 'gold'},
            },
            seed_layout.dump(self.redis),
        )

    def test_a_flavor_with_a_size_makes_clusters(self) -> None:
        status, _ = self.put('flavors/tiny', {'pool_list': ['a']})
        self.assertEqual(400, status)
        self.put('pools/a', {'uri': 'local://', 'weight': 1})
        self.put('flavors/tiny', {'pool_list': ['a'], 'capabilities': {'ram': 64}})
        api = self.standalone.api
        (flavor,) = api('GET', '/flavors')[1]['flavors']
        self.assertEqual(('tiny', 64), (flavor['id'], flavor['ram']))
        status, answer = api('POST', '/clusters', tiny(1))
        self.assertEqual(202, status, answer)
        cluster = api.completed(answer['cluster']['id'])
        self.assertEqual(['ACTIVE'], [i['status'] for i in cluster['instances']])
        self.assertEqual(64, {q['resource']: q for q in self.quotas()}['ram']['in_use'])
        self.assertEqual(202, api('DELETE', f'/clusters/{cluster["id"]}')[0])
        self.assertIsNone(api.settled(cluster['id']))

    def test_pools_are_filled_and_drained_live(self) -> None:
        self.put('pools/a', {'uri': 'local://', 'weight': 1, 'options': {'instances': 2}})
        self.put('flavors/tiny', {'pool_list': ['a'], 'capabilities': {'ram': 64}})
        api = self.standalone.api
        with ThreadPoolExecutor(CREATES) as threads:
            answers = list(threads.map(lambda _: api('POST', '/clusters', tiny(1)), range(CREATES)))
        self.assertEqual([202] * 2 + [403] * (CREATES - 2), sorted(s for s, _ in answers))
        for status, answer in answers:
            if status == 403:
                self.assertIn('a: has 2 of 2 instances', answer['forbidden']['message'])
        full = [answer['cluster']['id'] for status, answer in answers if status == 202]
        for cluster_id in full:
            api.completed(cluster_id)
        self.put('pools/b', {'uri': 'local://', 'weight': 1, 'flavor': 'tiny'})
        self.patch('pools/a', {'weight': 0})  # the client leaves a 0 out
        for _ in range(2):
            api('DELETE', f'/clusters/{full[-1]}')
            api.settled(full.pop())
        cluster = api.completed(api('POST', '/clusters', tiny(2))[1]['cluster']['id'])
        for member in cluster['instances']:  # told once the operation has ended
            key = f'demo.{member["id"]}.catalogue'
            wait_until(lambda key=key: self.redis.exists(key) == 1, f'{key}')
            self.assertEqual('b', self.redis.hgetall(key)['p_p'])

    def quotas(self) -> list[dict[str, int]]:
        return self.standalone.api('GET', '/mgmt/quotas/demo')[1]['quotas']

    def put(self, path: str, body: object) -> tuple[int, object]:
        return self.v2('PUT', path, body)

    def patch(self, path: str, body: object) -> None:
        self.assertEqual(200, self.v2('PATCH', path, body)[0])

    def v2(self, method: str, path: str, body: object) -> tuple[int, object]:
        v2 = type(self.standalone.api)(self.standalone.url)
        v2.endpoint = f'{self.standalone.url}/v2'
        return v2(method, f'/{path}', body)
