"""Pools and flavors as Zaqar's clients send and expect them."""

import json
from typing import Any
from urllib.parse import quote

from falcon import testing

from slotwright.domain.errors import StorageUnavailable
from slotwright.domain.pools import HEAVIEST
from tests.unit.api_fixture import ApiTestCase

LOCAL = {'uri': 'local://', 'weight': 100}
LIMIT = 'Limit must be at least 1 and no greater than 20'


class MessagingTestCase(ApiTestCase):
    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> testing.Result:
        if body is not None:
            options.update(body=json.dumps(body), content_type='application/json')
        return self.client.simulate_request(method, f'/v2/{path}', **options)

    def refused(self, status: int, description: str, *request: Any, **options: Any) -> None:
        before = self.row_counts()
        answer = self.ask(*request, **options)
        self.assertEqual(status, answer.status_code, answer.text)
        self.assertEqual({'title', 'description'}, set(answer.json))
        self.assertIn(description, answer.json['description'])
        self.assertEqual(before, self.row_counts())

    def put(self, path: str, body: Any, **options: Any) -> None:
        answer = self.ask('PUT', path, body, **options)
        self.assertEqual((201, ''), (answer.status_code, answer.text))
        self.assertEqual(f'/v2/{path}', answer.headers['Location'])


class PoolsTest(MessagingTestCase):
    def test_the_life_of_a_pool(self) -> None:
        self.put('pools/a', {**LOCAL, 'flavor': 'gold', 'options': {'instances': 3}})
        shown = {
            'name': 'a',
            'uri': 'local://',
            'weight': 100,
            'flavor': 'gold',
            'href': '/v2/pools/a',
        }
        self.assertEqual(shown, self.ask('GET', 'pools/a').json)
        for truth in ('true', 'True', 'TRUE'):
            answer = self.ask('GET', f'pools/a?detailed={truth}')
            self.assertEqual({**shown, 'options': {'instances': 3}}, answer.json)
        answer = self.ask('PATCH', 'pools/a', {'weight': 5, 'flavor': '', 'more': 1})
        self.assertEqual(
            (200, {**shown, 'weight': 5, 'flavor': None}), (answer.status_code, answer.json)
        )
        self.put('pools/a', LOCAL)
        self.assertEqual({}, self.ask('GET', 'pools/a?detailed=true').json['options'])
        for _ in range(2):
            answer = self.ask('DELETE', 'pools/a')
            self.assertEqual((204, ''), (answer.status_code, answer.text))
        self.refused(404, 'Pool a does not exist', 'GET', 'pools/a')
        self.refused(404, 'Pool a does not exist', 'PATCH', 'pools/a', {'weight': 1})

    def test_pages(self) -> None:
        self.assertEqual({'pools': [], 'links': []}, self.ask('GET', 'pools').json)
        for name in ('e', 'c', 'a', 'd', 'b'):
            self.put(f'pools/{name}', LOCAL)
        seen, path = [], 'pools?limit=2&detailed=True'
        while path:
            answer = self.ask('GET', path)
            self.assertEqual(f'/v2/{path}', answer.headers['Content-Location'])
            seen.append([pool['name'] for pool in answer.json['pools']])
            self.assertIn('options', answer.json['pools'][0])
            path = next((link['href'][4:] for link in answer.json['links']), '')
        self.assertEqual([['a', 'b'], ['c', 'd'], ['e']], seen)
        after = self.ask('GET', 'pools?marker=bb').json['pools']
        self.assertEqual(['c', 'd', 'e'], [pool['name'] for pool in after])

    def test_links_of_odd_names(self) -> None:
        for name in ('a b', 'x?y', 'n#1', '50%', 'a%2Fb', 'h\u00e9', 'a:b', 'a+b', 'a;b&c=d'):
            with self.row(name):
                sent = quote(name, safe='')
                answer = self.ask('PUT', f'pools/{sent}', LOCAL)
                self.assertEqual(f'/v2/pools/{sent}', answer.headers['Location'])
                shown = self.ask('GET', f'pools/{sent}').json
                self.assertEqual((name, f'/v2/pools/{sent}'), (shown['name'], shown['href']))
                self.put('pools/only', LOCAL)
                flavor = f'of {name}'
                answer = self.ask('PUT', f'flavors/{quote(flavor)}', {'pool_list': ['only']})
                shown = self.client.simulate_get(answer.headers['Location']).json
                self.assertEqual(
                    (flavor, answer.headers['Location']), (shown['name'], shown['href'])
                )

    def test_names_that_are_no_text(self) -> None:
        self.put('pools/a', LOCAL)
        for path in ('pools/%ff', 'pools/%C3', 'pools/%ed%a0%80', 'flavors/%fe'):
            self.refused(400, 'The URL has bytes that are no UTF-8', 'PUT', path, LOCAL)
        self.refused(400, 'The URL has bytes that are no UTF-8', 'GET', 'pools?marker=%ff')

    def test_what_is_refused(self) -> None:
        for limit in ('0', '21', '-1', 'abc', '', '1.0', '9' * 30):
            self.refused(400, LIMIT, 'GET', f'pools?limit={limit}')
        self.refused(400, 'must be true or false', 'GET', 'pools?detailed=maybe')
        for body, why in (
            ({'uri': 'local://'}, "'weight' is a required property"),
            ({'weight': 1}, "'uri' is a required property"),
            ({**LOCAL, 'weight': -1}, 'weight -1 must be a whole number'),
            ({**LOCAL, 'weight': HEAVIEST + 1}, 'must be a whole number'),
            ({**LOCAL, 'weight': True}, 'must be a whole number'),
            ({**LOCAL, 'weight': 1.0}, 'must be a whole number'),
            ({**LOCAL, 'uri': 7}, 'uri 7 must be a URI'),
            ({**LOCAL, 'uri': 'local://' + 'x' * 300}, 'must be a URI'),
            ({**LOCAL, 'flavor': None}, 'must be the name of a flavor'),
            ({**LOCAL, 'options': []}, 'options [] must be an object'),
            ({**LOCAL, 'wait': 1}, "'wait' was unexpected"),
            ([], 'must be an object'),
        ):
            with self.row(str(body)):
                self.refused(400, why, 'PUT', 'pools/a', body)
        self.put('pools/a', LOCAL)
        for body in ({}, {'name': 'b'}):
            self.refused(400, 'nothing to change', 'PATCH', 'pools/a', body)
        self.refused(400, 'must be a whole number', 'PATCH', 'pools/a', {'weight': 'x'})
        self.refused(409, 'cannot', 'PUT', 'pools/b', {**LOCAL, 'flavor': 'b'})
        self.refused(405, '', 'POST', 'pools', {})

    def test_where_nothing_can_run(self) -> None:
        self.put('pools/a', LOCAL)
        uris = (
            'local', 'local:/', 'local://host', 'local:///dir', 'inventory://', 'mongodb://host',
            'inventory://a/b', 'inventory://a b', 'inventory://-a', 'inventory://a?b=c',
            'inventory://' + 'x' * 64, 'LOCAL://x', 'http://[', '://', 'inventory:group',
        )  # fmt: skip
        for uri in uris:
            with self.row(uri):
                why = 'must be local:// (the host of the taskmanager) or inventory://GROUP'
                self.refused(400, why, 'PUT', 'pools/b', {**LOCAL, 'uri': uri})
                self.refused(400, why, 'PATCH', 'pools/a', {'uri': uri})
        for options, why in (
            ({'instances': -1}, "options['instances'] must be a whole number"),
            ({'instances': True}, 'must be a whole number'),
            ({'instances': '3'}, 'must be a whole number'),
            ({'ram': 0.5}, 'must be a whole number of MiB'),
            ({'ram': 2**31}, 'must be a whole number of MiB'),
            ({'failure_domain': ''}, 'must be a name of up to 255 characters'),
            ({'failure_domain': 'x' * 256}, 'must be a name of up to 255 characters'),
            ({'datastore_versions': '7.0'}, 'must be a list of the datastore versions'),
            ({'datastore_versions': []}, 'must be a list of the datastore versions'),
            ({'datastore_binary': '/bin/sh'}, 'must be the name of a server on'),
            ({'datastore_binary': '../redis-server'}, 'must be the name of a server on'),
            ({'network': '10.0.0.0/8'}, 'must be a network of 127.0.0.0/8'),
            ({'network': '127.0.0.1/8'}, 'must be a network of 127.0.0.0/8'),
            ({'network': '::1/128'}, 'must be a network of 127.0.0.0/8'),
            ({'size': 3}, "options has 'size', but only ['datastore_binary',"),
        ):
            with self.row(str(options)):
                self.refused(400, why, 'PUT', 'pools/b', {**LOCAL, 'options': options})
                self.refused(400, why, 'PATCH', 'pools/a', {'options': options})
        local = {**LOCAL, 'options': {'network': '127.9.0.0/24'}}
        why = "options['network'] is for pools with uri local://"
        self.refused(400, why, 'PUT', 'pools/b', {**local, 'uri': 'inventory://blue'})
        self.put('pools/a', local)
        self.refused(400, why, 'PATCH', 'pools/a', {'uri': 'inventory://blue'})
        self.put('pools/a', {**LOCAL, 'uri': 'inventory://blue'})
        self.refused(400, why, 'PATCH', 'pools/a', {'options': local['options']})

    def test_the_last_pool_of_a_flavor_stays(self) -> None:
        self.put('pools/a', LOCAL)
        self.put('flavors/gold', {'pool_list': ['a']})
        self.refused(403, 'Pool a is the last one of flavor gold', 'DELETE', 'pools/a')

    def test_a_store_that_is_away(self) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise StorageUnavailable('The store does not answer now.')

        self.pool_store.pools.list = away  # type: ignore[method-assign]
        self.refused(503, 'does not answer', 'GET', 'pools')


class FlavorsTest(MessagingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pool_store.flavors.drop_all()
        for name in ('a', 'b', 'c'):
            self.put(f'pools/{name}', LOCAL)

    def pools(self) -> dict[str, Any]:
        return {p['name']: p['flavor'] for p in self.ask('GET', 'pools').json['pools']}

    def test_the_life_of_a_flavor(self) -> None:
        sizes = {'ram': 1024, 'disk': 10, 'tier': 'gold'}
        self.put('flavors/gold', {'pool_list': ['b', 'a'], 'capabilities': sizes})
        shown = {
            'name': 'gold',
            'href': '/v2/flavors/gold',
            'pool_list': ['a', 'b'],
            'capabilities': sizes,
        }
        self.assertEqual(shown, self.ask('GET', 'flavors/gold').json)
        self.assertEqual({'a': 'gold', 'b': 'gold', 'c': None}, self.pools())
        answer = self.ask('PATCH', 'flavors/gold', {'pool_list': ['c']})
        self.assertEqual((200, {**shown, 'pool_list': ['c']}), (answer.status_code, answer.json))
        self.assertEqual({'a': None, 'b': None, 'c': 'gold'}, self.pools())
        self.put('flavors/gold', {'pool_list': ['a']})
        self.assertEqual({**shown, 'pool_list': ['a']}, self.ask('GET', 'flavors/gold').json)
        listed = self.ask('GET', 'flavors?detailed=False').json
        self.assertEqual(
            {
                'flavors': [{'name': 'gold', 'href': '/v2/flavors/gold', 'pool_list': ['a']}],
                'links': [],
            },
            listed,
        )
        for _ in range(2):
            self.assertEqual(204, self.ask('DELETE', 'flavors/gold').status_code)
        self.assertEqual({'a': None, 'b': None, 'c': None}, self.pools())
        self.refused(404, 'Flavor gold does not exist', 'GET', 'flavors/gold')
        self.refused(404, 'Flavor gold', 'PATCH', 'flavors/gold', {'pool_list': ['a']})

    def test_one_with_a_size_is_a_flavor_of_instances(self) -> None:
        self.put('flavors/xl', {'pool_list': ['a'], 'capabilities': {'ram': 8192}})
        (found,) = self.call('GET', 'flavors').json['flavors']
        self.assertEqual(('xl', 'xl', 8192), (found['id'], found['name'], found['ram']))

    def test_what_is_refused(self) -> None:
        for body, why in (
            ({}, "'pool_list' is a required property"),
            ({'pool_list': None}, 'must be a list of at least one pool'),
            ({'pool_list': []}, 'must be a list of at least one pool'),
            ({'pool_list': [7]}, 'must be the name of a pool'),
            ({'pool_list': 'a'}, 'must be a list of at least one pool'),
            ({'pool_list': ['a'], 'x': 1}, "'x' was unexpected"),
            ({'pool_list': ['a'], 'capabilities': ['FIFO']}, 'must be an object'),
            ({'pool_list': ['a'], 'capabilities': {'ram': 0}}, 'ram in capabilities'),
            (
                {'pool_list': ['a', 'zz']},
                'Flavor gold could not be created, error:Pool zz does not exist',
            ),
        ):
            with self.row(str(body)):
                self.refused(400, why, 'PUT', 'flavors/gold', body)
        self.put('flavors/gold', {'pool_list': ['a']})
        for body, why in (
            ({}, 'nothing to change'),
            ({'pool_list': []}, 'must be a list of at least one pool'),
            ({'pool_list': ['zz']}, 'Flavor gold could not be updated'),
        ):
            with self.row(str(body)):
                self.refused(400, why, 'PATCH', 'flavors/gold', body)
        self.assertEqual('gold', self.pools()['a'])

    def test_projects(self) -> None:
        one, two = ({'headers': {'X-Project-Id': name}} for name in ('one', 'two'))
        self.put('flavors/gold', {'pool_list': ['a']}, **one)
        self.assertEqual(200, self.ask('GET', 'flavors/gold', **one).status_code)
        self.assertEqual(200, self.ask('GET', 'flavors/gold').status_code)
        self.refused(404, 'Flavor gold', 'GET', 'flavors/gold', **two)
        self.refused(409, 'gold', 'PUT', 'flavors/gold', {'pool_list': ['b']}, **two)
        self.assertEqual([], self.ask('GET', 'flavors', **two).json['flavors'])


class OperatorsTest(MessagingTestCase):
    """Only they manage where instances run."""

    def setUp(self) -> None:
        super().setUp()
        self.client = self.build(api_auth_strategy='admin_token', api_admin_token='s3cret')

    def test_without_a_login(self) -> None:
        for path in ('pools', 'flavors'):
            self.refused(401, 'X-Auth-Token', 'GET', path)
            token = {'X-Auth-Token': 's3cret'}
            self.assertEqual(200, self.ask('GET', path, headers=token).status_code)
