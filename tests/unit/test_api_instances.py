"""Instances, flavors, datastores, operations, root access and the rest."""

import datetime
import hashlib
import logging
from typing import Any

import fixtures

from api import errors
from api.strategy import load
from slotwright.domain import errors as domain_errors
from slotwright.domain.errors import Unavailable
from slotwright.domain.states import InstanceStatus, OperationState
from slotwright.loading import InvalidConfiguration
from tests.unit.api_fixture import ApiTestCase, create_body

BASE = 'http://api.example:8779'


class InstanceTest(ApiTestCase):
    def show(self, instance_id: str) -> dict[str, Any]:
        instance: dict[str, Any] = self.call('GET', 'instances', instance_id).json['instance']
        return instance

    def test_show(self) -> None:
        cluster = self.create_active(1)
        (member,) = cluster['instances']
        path = ('clusters', cluster['id'], 'instances', member['id'])
        shown = self.call('GET', *path).json['instance']
        self.assertEqual(shown, self.show(member['id']))
        for name in ('id', 'name', 'status', 'ip', 'links', 'flavor', 'port'):
            self.assertEqual(member[name], shown[name])
        self.assertEqual(cluster['id'], shown['cluster_id'])
        self.assertEqual({'size': 2, 'used': 0.17}, shown['volume'])
        self.assertEqual({'type': 'redis', 'version': '3.0'}, shown['datastore'])
        self.assertEqual(f'127.0.0.1:{shown["port"]}', shown['address'])
        self.assertEqual([{'address': '127.0.0.1', 'type': 'private'}], shown['addresses'])
        self.assertEqual('RegionOne', shown['region'])

    def test_operating_status(self) -> None:
        (member,) = self.create(1)['instances']
        self.assertEqual('', self.show(member['id'])['operating_status'])
        self.finish(member_cluster(self, member['id']))
        self.assertEqual('HEALTHY', self.show(member['id'])['operating_status'])
        reported = self.store.get_instance('demo', member['id']).reported
        assert reported is not None
        self.now = reported + datetime.timedelta(seconds=20)
        self.assertEqual('HEALTHY', self.show(member['id'])['operating_status'])
        self.now = reported + datetime.timedelta(seconds=20.1)
        self.assertEqual('UNKNOWN', self.show(member['id'])['operating_status'])
        self.now = None
        self.store.report(member['id'], running=False, node_id=None, volume_used=0, wiped=False)
        self.assertEqual('CRASHED', self.show(member['id'])['operating_status'])

    def test_fault(self) -> None:
        cluster = self.create(1)
        (member,) = cluster['instances']
        claim = self.store.claim(cluster['operation']['id'], 'test', 60)
        assert claim is not None
        self.store.free_instance(claim, member['id'], 'redis-server does not start')
        self.store.finish(
            claim,
            OperationState.FAILED,
            reason='no luck',
            statuses={member['id']: InstanceStatus.ERROR},
        )
        shown = self.show(member['id'])
        self.assertEqual('ERROR', shown['status'])
        self.assertEqual('redis-server does not start', shown['fault']['message'])
        operation = self.call('GET', 'clusters', cluster['id']).json['cluster']['operation']
        self.assertEqual(('failed', 'no luck'), (operation['state'], operation['reason']))

    def test_list(self) -> None:
        cluster = self.create_active(2)
        listed = self.call('GET', 'instances', query_string='include_clustered=True').json
        self.assertEqual(
            sorted(member['id'] for member in cluster['instances']),
            [instance['id'] for instance in listed['instances']],
        )
        self.assertEqual({'HEALTHY'}, {i['operating_status'] for i in listed['instances']})


class OperationTest(ApiTestCase):
    def test_newest_first_and_of_a_deleted_cluster_too(self) -> None:
        cluster = self.create_active(1)
        self.call('DELETE', 'clusters', cluster['id'])
        going = self.store.get_cluster('demo', cluster['id']).operation
        assert going is not None
        claim = self.store.claim(going.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.COMPLETED, delete_cluster=True)
        self.assertEqual(404, self.call('GET', 'clusters', cluster['id']).status_code)
        path = ('clusters', cluster['id'], 'operations')
        found = self.call('GET', *path).json['operations']
        self.assertEqual(['delete', 'create'], [operation['kind'] for operation in found])
        found = self.call('GET', *path, query_string='limit=1').json['operations']
        self.assertEqual([going.id], [operation['id'] for operation in found])
        one = self.call('GET', 'operations', going.id).json['operation']
        self.assertEqual('completed', one['state'])


class CatalogueTest(ApiTestCase):
    def test_flavors(self) -> None:
        flavors = self.call('GET', 'flavors').json['flavors']
        self.assertEqual([1, 2, 3], [flavor['id'] for flavor in flavors])
        for flavor in flavors:
            one = self.call('GET', 'flavors', flavor['str_id']).json
            self.assertEqual({'flavor': flavor}, one)
            keys = {'id', 'str_id', 'name', 'ram', 'vcpus', 'disk', 'ephemeral', 'links'}
            self.assertEqual(keys, set(flavor))

    def test_datastores(self) -> None:
        (datastore,) = self.call('GET', 'datastores').json['datastores']
        self.assertEqual('redis', datastore['name'])
        self.assertEqual(['3.0', '7.0.15'], [v['name'] for v in datastore['versions']])
        self.assertEqual(datastore['versions'][0]['id'], datastore['default_version'])
        flavors = self.call('GET', 'flavors').json
        for key in (datastore['id'], 'redis'):
            self.assertEqual(datastore, self.call('GET', 'datastores', key).json['datastore'])
            path = ('datastores', key, 'versions')
            self.assertEqual(datastore['versions'], self.call('GET', *path).json['versions'])
            for version in datastore['versions']:
                for wanted in (version['id'], version['name']):
                    found = self.call('GET', *path, wanted).json
                    self.assertEqual({'version': version}, found)
                    self.assertEqual(flavors, self.call('GET', *path, wanted, 'flavors').json)
                found = self.call('GET', 'datastores', 'versions', version['id']).json
                self.assertEqual({'version': version}, found)

    def test_ids_stay_the_same(self) -> None:
        before = self.call('GET', 'datastores').json
        self.client = self.build()
        self.assertEqual(before, self.call('GET', 'datastores').json)

    def test_versions_of_the_api(self) -> None:
        (version,) = self.client.simulate_get('/').json['versions']
        self.assertEqual(('v1.0', 'CURRENT'), (version['id'], version['status']))
        self.assertEqual(f'{BASE}/v1.0/', version['links'][0]['href'])
        for path in ('/v1.0', '/v1.0/'):
            self.assertEqual({'version': version}, self.client.simulate_get(path).json)


class RootTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.create_active(2)
        self.path = ('clusters', self.cluster['id'], 'root')
        self.taskmanager.reaction = self.finish

    def stored_hash(self) -> str:
        return self.store.get_cluster('demo', self.cluster['id']).tenant_hash

    def test_on_and_off(self) -> None:
        self.assertEqual({'rootEnabled': False}, self.call('GET', *self.path).json)
        answer = self.call('POST', *self.path)
        self.assertEqual(200, answer.status_code)
        user = answer.json['user']
        self.assertEqual('default', user['name'])
        self.assertGreaterEqual(len(user['password']), 32)
        self.assertEqual(hashlib.sha256(user['password'].encode()).hexdigest(), self.stored_hash())
        self.assertEqual('completed', answer.json['operation']['state'])
        self.assertEqual('no-store', answer.headers['Cache-Control'])
        self.assertEqual({'rootEnabled': True}, self.call('GET', *self.path).json)
        again = self.call('POST', *self.path).json['user']
        self.assertNotEqual(user['password'], again['password'])
        answer = self.call('DELETE', *self.path)
        self.assertEqual((204, ''), (answer.status_code, answer.text))
        self.assertEqual({'rootEnabled': False}, self.call('GET', *self.path).json)
        self.assertEqual('', self.stored_hash())

    def test_a_password_of_ones_own(self) -> None:
        for body in ({'password': 'correct-horse'}, {'user': {'password': 'correct-horse'}}):
            user = self.call('POST', *self.path, body=body).json['user']
            self.assertEqual({'name': 'default', 'password': 'correct-horse'}, user)
        self.assertEqual(hashlib.sha256(b'correct-horse').hexdigest(), self.stored_hash())
        shown = self.call('GET', 'clusters', self.cluster['id']).text
        self.assertNotIn('correct-horse', shown)
        self.assertNotIn(self.stored_hash(), shown)

    def test_empty_bodies(self) -> None:
        for raw in (b'', b'  ', b'{}', b'{"user": {}}', b'null'):
            self.assertEqual(200, self.call('POST', *self.path, raw=raw).status_code)

    def test_by_an_instance(self) -> None:
        path = ('instances', self.cluster['instances'][1]['id'], 'root')
        self.assertEqual(200, self.call('POST', *path).status_code)
        self.assertEqual({'rootEnabled': True}, self.call('GET', *path).json)
        self.assertEqual({'rootEnabled': True}, self.call('GET', *self.path).json)
        self.assertEqual(204, self.call('DELETE', *path).status_code)
        self.assertEqual({'rootEnabled': False}, self.call('GET', *self.path).json)

    def test_it_takes_long(self) -> None:
        self.taskmanager.reaction = lambda cluster_id: None
        answer = self.call('POST', *self.path)
        self.assertEqual(202, answer.status_code)
        self.assertAlmostEqual(10.0, sum(self.pauses))
        self.assertEqual('pending', answer.json['operation']['state'])
        self.assertIn('password', answer.json['user'])
        self.assertIn(answer.json['operation']['id'], answer.headers['Location'])
        self.finish(self.cluster['id'])
        self.taskmanager.reaction = lambda cluster_id: None
        self.assertEqual(202, self.call('DELETE', *self.path).status_code)

    def test_it_fails(self) -> None:
        self.taskmanager.reaction = lambda cluster_id: self.finish(
            cluster_id, OperationState.FAILED, 'node 2 is away'
        )
        answer = self.call('POST', *self.path)
        self.assert_refused(answer, 503, 'serviceUnavailable', 'node 2 is away')
        self.assertNotIn('user', answer.json)

    def test_a_lost_wake_up(self) -> None:
        def away(cluster_id: str) -> None:
            raise Unavailable('no broker')

        self.taskmanager.reaction = away
        self.assertEqual(202, self.call('POST', *self.path).status_code)


class StrategyTest(ApiTestCase):
    def test_one_from_outside(self) -> None:
        self.client = self.build(redis_api_strategy=f'{__name__}.TwoOnlyStrategy')
        answer = self.call('POST', 'clusters', body=create_body(3))
        self.assert_refused(answer, 403, 'forbidden', 'Two it is.')

    def test_none_there(self) -> None:
        for path in ('api.strategy.Nothing', 'no.such.module.Strategy', 'nodots', ''):
            self.assertRaises(InvalidConfiguration, load, path, None)


class TwoOnlyStrategy:
    """A strategy as somebody else might write one."""

    def __init__(self, rules: Any) -> None:
        self.rules = rules

    def check_members(self, wanted: Any, get_flavor: Any, existing: Any = ()) -> Any:
        raise domain_errors.Forbidden('Two it is.')


class ErrorTableTest(ApiTestCase):
    def test_every_error_of_the_domain_has_a_row(self) -> None:
        kinds = [domain_errors.SlotwrightError]
        for kind in kinds:
            kinds.extend(kind.__subclasses__())
        for kind in kinds:
            if kind.__module__ == domain_errors.__name__:
                self.assertIn(kind.code, errors.TABLE)

    def test_one_name_for_a_status(self) -> None:
        self.assertEqual(
            len({s for s, _ in errors.TABLE.values()}), len(set(errors.TABLE.values()))
        )


class RequestIdTest(ApiTestCase):
    def test_every_answer_has_its_own(self) -> None:
        paths = ['/', '/nope', self.url('clusters'), self.url('clusters', 'x'), '/healthcheck']
        ids = {self.client.simulate_get(p).headers['X-Openstack-Request-Id'] for p in paths}
        self.assertEqual(len(paths), len(ids))

    def test_one_line_in_the_log(self) -> None:
        logger = self.useFixture(fixtures.FakeLogger(level=logging.INFO))
        self.client.simulate_get(self.url('clusters', 'a%0Ab'))
        self.assertRegex(logger.output, r"GET '/v1.0/demo/clusters/a\\nb' -> 404 in \d")

    def test_the_id_of_a_caller(self) -> None:
        logger = self.useFixture(fixtures.FakeLogger(level=logging.INFO))
        sent = 'req-11111111-2222-4333-8444-555555555555'
        for header in (sent, 'req-1\x20forged'):
            answer = self.client.simulate_get('/', headers={'X-Openstack-Request-Id': header})
            self.assertNotEqual(header, answer.headers['X-Openstack-Request-Id'])
        self.assertIn(f'for {sent} -> 200', logger.output)
        self.assertNotIn('forged', logger.output)


def member_cluster(case: ApiTestCase, instance_id: str) -> str:
    return case.store.get_instance(case.project, instance_id).cluster_id
