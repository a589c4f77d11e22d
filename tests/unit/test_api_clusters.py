"""Clusters as the API makes, changes and shows them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slotwright.domain.errors import (
    EngineFailed,
    GuestSilent,
    StorageUnavailable,
    Unavailable,
)
from slotwright.domain.states import InstanceStatus, OperationKind, OperationState
from tests.unit.api_fixture import ApiTestCase, create_body, member_body

BASE = 'http://api.example:8779'
BUILDING = {'id': 2, 'name': 'BUILDING', 'description': 'Building the initial cluster.'}
NONE = {'id': 1, 'name': 'NONE', 'description': 'No tasks for the cluster.'}
TIME = r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$'


def links(kind: str, resource_id: str) -> list[dict[str, str]]:
    return [
        {'href': f'{BASE}/v1.0/demo/{kind}/{resource_id}', 'rel': 'self'},
        {'href': f'{BASE}/{kind}/{resource_id}', 'rel': 'bookmark'},
    ]


class ViewTest(ApiTestCase):
    """The seed's bodies, member by member; what is not named here is ours."""

    def assert_cluster(self, cluster: dict[str, Any], task: dict[str, Any]) -> None:
        self.assertEqual(task, cluster['task'])
        self.assertEqual('redis-clstr', cluster['name'])
        self.assertEqual({'type': 'redis', 'version': '3.0'}, cluster['datastore'])
        self.assertEqual(links('clusters', cluster['id']), cluster['links'])
        self.assertRegex(cluster['created'], TIME)
        self.assertRegex(cluster['updated'], TIME)

    def assert_new_member(self, member: dict[str, Any], number: int) -> None:
        self.assertEqual(
            {
                'id': member['id'],
                'name': f'redis-clstr-member-{number}',
                'type': 'member',
                'status': 'BUILD',
                'ip': [],
                'links': links('instances', member['id']),
                'flavor': {'id': '2', 'links': links('flavors', '2')},
                'volume': {'size': 2},
            },
            member,
        )

    def test_create(self) -> None:
        answer = self.call('POST', 'clusters', body=create_body(4))
        self.assertEqual(202, answer.status_code)
        cluster = answer.json['cluster']
        self.assert_cluster(cluster, BUILDING)
        self.assertEqual([], cluster['ip'])
        self.assertEqual(4, len({member['id'] for member in cluster['instances']}))
        for number, member in enumerate(cluster['instances'], 1):
            self.assert_new_member(member, number)
        operation = cluster['operation']
        self.assertEqual(('create', 'pending'), (operation['kind'], operation['state']))
        self.assertEqual({'done': 0, 'total': 0, 'message': ''}, operation['progress'])
        self.assertEqual(answer.headers['X-Openstack-Request-Id'], operation['request_id'])
        self.assertEqual(
            f'{BASE}/v1.0/demo/operations/{operation["id"]}', answer.headers['Location']
        )

    def test_show(self) -> None:
        cluster = self.create_active(3)
        self.assert_cluster(cluster, NONE)
        self.assertEqual(['127.0.0.1'] * 3, cluster['ip'])
        for number, member in enumerate(cluster['instances'], 1):
            self.assertEqual(f'redis-clstr-member-{number}', member['name'])
            self.assertEqual('ACTIVE', member['status'])
            self.assertEqual(['127.0.0.1'], member['ip'])
            self.assertIsInstance(member['port'], int)
            self.assertEqual({'size': 2}, member['volume'])
            self.assertEqual({'id': '2', 'links': links('flavors', '2')}, member['flavor'])
        self.assertEqual('completed', cluster['operation']['state'])

    def test_list(self) -> None:
        cluster = self.create_active(2)
        (item,) = self.call('GET', 'clusters').json['clusters']
        self.assert_cluster(item, NONE)
        self.assertNotIn('ip', item)
        self.assertEqual(
            [
                {
                    'id': member['id'],
                    'name': member['name'],
                    'type': 'member',
                    'links': links('instances', member['id']),
                }
                for member in cluster['instances']
            ],
            item['instances'],
        )

    def test_grow_answers_the_new_members_and_names_continue(self) -> None:
        cluster = self.create_active(4)
        body = {'grow': [member_body(), member_body(size='2')]}
        answer = self.call('POST', 'clusters', cluster['id'], 'action', body=body)
        self.assertEqual(202, answer.status_code)
        grown = answer.json['cluster']
        self.assert_cluster(grown, BUILDING)
        self.assertEqual([], grown['ip'])
        self.assertEqual(2, len(grown['instances']))
        for number, member in enumerate(grown['instances'], 5):
            self.assert_new_member(member, number)
        shown = self.call('GET', 'clusters', cluster['id']).json['cluster']
        self.assertEqual(BUILDING, shown['task'])
        self.assertEqual(6, len(shown['instances']))
        self.assertEqual(4, len(shown['ip']))
        kind, context, cluster_id, ids = self.taskmanager.casts[-1]
        self.assertEqual(('grow', cluster['id']), (kind, cluster_id))
        self.assertEqual([member['id'] for member in grown['instances']], ids)
        self.assertEqual(grown['operation']['request_id'], context.request_id)
        self.assertIsNone(context.epoch)

    def test_what_was_asked_for_is_shown_again(self) -> None:
        properties = {'a': 'b', 'ключ': 'значение'}
        body = create_body(1, locality='anti-affinity', extended_properties=properties)
        cluster_id = self.call('POST', 'clusters', body=body).json['cluster']['id']
        for shown in (
            self.call('GET', 'clusters', cluster_id).json['cluster'],
            self.call('GET', 'clusters').json['clusters'][0],
        ):
            self.assertEqual('anti-affinity', shown['locality'])
            self.assertEqual(properties, shown['extended_properties'])

    def test_no_secret_is_shown(self) -> None:
        cluster = self.create_active(1)
        secret = self.store.get_cluster('demo', cluster['id']).secret
        self.assertGreaterEqual(len(secret), 32)
        for path in (['clusters'], ['clusters', cluster['id']]):
            self.assertNotIn(secret, self.call('GET', *path).text)


class AcceptedBodiesTest(ApiTestCase):
    """Ways to say the same that clients use."""

    def accept(self, body: Any) -> dict[str, Any]:
        answer = self.call('POST', 'clusters', body=body)
        self.assertEqual(202, answer.status_code, answer.text)
        cluster: dict[str, Any] = answer.json['cluster']
        return cluster

    def test_members(self) -> None:
        for name, member in {
            'the real client': member_body('2', '2', type=['member'], related_to=None),
            'a number': member_body(2, 2),
            'a link': member_body('https://h/v1.0/demo/flavors/2', '02'),
            'empty lists': member_body(nics=[], modules=[], availability_zone=''),
            'a type': member_body(type='member'),
            'a region': member_body(region='RegionOne'),
            'a region_name': member_body(region_name='RegionOne'),
            'something unknown': member_body(colour='blue'),
        }.items():
            with self.row(name):
                (shown,) = self.accept(create_body(instances=[member]))['instances']
                self.assertEqual('2', shown['flavor']['id'])
                self.assertEqual({'size': 2}, shown['volume'])

    def test_names(self) -> None:
        for name in ('x', 'x' * 255, 'ein Name', 'кластер 1', '🦀9'):
            with self.row(name):
                self.assertEqual(name, self.accept(create_body(1, name=name))['name'])

    def test_datastores_by_name_and_id(self) -> None:
        (datastore,) = self.call('GET', 'datastores').json['datastores']
        for version in datastore['versions']:
            for kind in (datastore['id'], datastore['name']):
                for wanted in (version['id'], version['name']):
                    body = create_body(1, datastore={'type': kind, 'version': wanted})
                    expected = {'type': 'redis', 'version': version['name']}
                    self.assertEqual(expected, self.accept(body)['datastore'])

    def test_content_types(self) -> None:
        raw = b'{"cluster": {"name": "a", "datastore": {"type": "redis", "version": "3.0"}, '
        raw += b'"instances": [{"flavorRef": 1, "volume": {"size": 1}}]}}'
        for declared in (None, 'application/json; charset=utf-8', 'application/vnd.x+json'):
            answer = self.client.simulate_post(
                self.url('clusters'), body=raw, content_type=declared
            )
            self.assertEqual(202, answer.status_code, answer.text)

    def test_one_and_two_masters(self) -> None:
        for size in (1, 2):
            self.assertEqual(size, len(self.accept(create_body(size))['instances']))


class ActionTest(ApiTestCase):
    def shrink(self, cluster: dict[str, Any], *numbers: int) -> Any:
        ids = [{'id': cluster['instances'][number]['id'].upper()} for number in numbers]
        return self.call('POST', 'clusters', cluster['id'], body={'shrink': ids})

    def test_shrink(self) -> None:
        cluster = self.create_active(3)
        leaving = [cluster['instances'][n]['id'] for n in (0, 2)]
        answer = self.shrink(cluster, 0, 2)
        self.assertEqual((202, ''), (answer.status_code, answer.text))
        self.assertEqual(sorted(leaving), sorted(self.guests.asked))
        kind, _, cluster_id, ids = self.taskmanager.casts[-1]
        self.assertEqual(('shrink', cluster['id'], leaving), (kind, cluster_id, ids))
        shown = self.call('GET', 'clusters', cluster['id']).json['cluster']
        self.assertEqual('SHRINKING_CLUSTER', shown['task']['name'])
        self.assertEqual('shrink', shown['operation']['kind'])
        self.assertEqual(leaving, shown['operation']['instances'])
        location = answer.headers['Location'].removeprefix(BASE)
        operation = self.client.simulate_get(location).json['operation']
        self.assertEqual(shown['operation'], operation)

    def test_a_node_with_slots_is_named_and_a_silent_one_does_not_hide_it(self) -> None:
        cluster = self.create_active(3)
        ids = [instance['id'] for instance in cluster['instances']]
        self.guests.holding = {ids[0]}
        self.guests.failing = {ids[1]: GuestSilent('none')}
        answer = self.shrink(cluster, 0, 1)
        self.assert_refused(answer, 403, 'forbidden', f"Instance(s) ['{ids[0]}'] currently")

    def test_agents_that_cannot_tell(self) -> None:
        cluster = self.create_active(3)
        member = cluster['instances'][0]['id']
        for error in (GuestSilent('x'), Unavailable('x'), EngineFailed('x')):
            self.guests.failing = {member: error}
            before = self.row_counts()
            answer = self.shrink(cluster, 0)
            self.assert_refused(answer, 503, 'serviceUnavailable', member)
            self.assertEqual(before, self.row_counts())

    def test_members_are_asked_at_the_same_time(self) -> None:
        cluster = self.create_active(4)
        together = threading.Barrier(3, timeout=30)
        node = self.guests.node

        def meeting(instance_id: str) -> Any:
            together.wait()  # breaks, and fails the test, unless all three are asked at once
            return node(instance_id)

        self.guests.node = meeting  # type: ignore[method-assign]
        self.assertEqual(202, self.shrink(cluster, 0, 1, 2).status_code)

    def test_a_member_that_never_had_a_node_is_not_asked(self) -> None:
        cluster = self.create_active(2)
        self.call('POST', 'clusters', cluster['id'], body={'grow': [member_body()]})
        growing = self.store.get_cluster('demo', cluster['id'])
        newcomer = growing.instances[-1].id
        assert growing.operation is not None
        claim = self.store.claim(growing.operation.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.FAILED, statuses={newcomer: InstanceStatus.ERROR})
        self.guests.failing = {newcomer: GuestSilent('there is none')}
        body = {'shrink': [{'id': newcomer}]}
        answer = self.call('POST', 'clusters', cluster['id'], body=body)
        self.assertEqual(202, answer.status_code, answer.text)
        self.assertEqual([], self.guests.asked)

    def test_a_cluster_that_could_not_be_created_can_only_be_deleted(self) -> None:
        cluster = self.create(2)
        operation = self.store.get_cluster('demo', cluster['id']).operation
        assert operation is not None
        claim = self.store.claim(operation.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.FAILED, reason='no engine')
        before = self.row_counts()
        member = cluster['instances'][0]['id']
        for path, body in (
            ('action', {'grow': [member_body()]}),
            ('action', {'shrink': [{'id': member}]}),
            ('root', None),
        ):
            answer = self.call('POST', 'clusters', cluster['id'], path, body=body)
            self.assert_refused(answer, 422, 'unprocessableEntity', 'Delete it')
        self.assertEqual(before, self.row_counts())
        self.assertEqual(202, self.call('DELETE', 'clusters', cluster['id']).status_code)

    def test_delete(self) -> None:
        cluster = self.create_active(2)
        answer = self.call('DELETE', 'clusters', cluster['id'])
        self.assertEqual((202, ''), (answer.status_code, answer.text))
        self.assertEqual('delete', self.taskmanager.casts[-1][0])
        shown = self.call('GET', 'clusters', cluster['id']).json['cluster']
        self.assertEqual('DELETING', shown['task']['name'])
        self.assertEqual({'SHUTDOWN'}, {member['status'] for member in shown['instances']})
        self.assertEqual([], shown['ip'])

    def test_delete_again_while_it_goes(self) -> None:
        cluster = self.create_active(2)
        first = self.call('DELETE', 'clusters', cluster['id'])
        before = self.row_counts()
        again = self.call('DELETE', 'clusters', cluster['id'])
        self.assertEqual(202, again.status_code)
        self.assertEqual(first.headers['Location'], again.headers['Location'])
        self.assertEqual(before, self.row_counts())

    def test_a_lost_wake_up_is_no_error(self) -> None:
        def broker_is_away(cluster_id: str) -> None:
            raise Unavailable('no broker')

        cluster = self.create_active(3)
        self.taskmanager.reaction = broker_is_away
        self.assertEqual(202, self.call('POST', 'clusters', body=create_body(1)).status_code)
        self.assertEqual(202, self.shrink(cluster, 0).status_code)
        self.finish(cluster['id'])
        one = ('clusters', cluster['id'])
        self.assertEqual(202, self.call('POST', *one, body={'grow': [member_body()]}).status_code)
        self.finish(cluster['id'])
        self.assertEqual(202, self.call('DELETE', *one).status_code)

    def test_of_two_grows_at_once_one_is_accepted(self) -> None:
        cluster = self.create_active(3)
        together = threading.Barrier(2, timeout=30)
        begin = self.store.begin_operation

        def begin_together(*args: Any, **kwargs: Any) -> Any:
            together.wait()  # both have been validated by now
            return begin(*args, **kwargs)

        self.store.begin_operation = begin_together  # type: ignore[method-assign]

        def grow(_: int) -> Any:
            return self.call('POST', 'clusters', cluster['id'], body={'grow': [member_body()]})

        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(grow, range(2)), key=lambda answer: answer.status_code)
        self.assertEqual([202, 422], [answer.status_code for answer in answers])
        self.assert_refused(answers[1], 422, 'unprocessableEntity', "task is 'BUILDING'")
        shown = self.store.get_cluster('demo', cluster['id'])
        self.assertEqual(4, len(shown.instances))
        self.assertEqual(OperationKind.GROW, shown.operation.kind if shown.operation else None)

    def test_of_two_deletes_at_once_both_are_accepted(self) -> None:
        cluster = self.create_active(2)
        together = threading.Barrier(2, timeout=30)
        begin = self.store.begin_operation

        def begin_together(*args: Any, **kwargs: Any) -> Any:
            together.wait()
            return begin(*args, **kwargs)

        self.store.begin_operation = begin_together  # type: ignore[method-assign]
        before = self.row_counts()['operations']
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(lambda _: self.call('DELETE', 'clusters', cluster['id']), range(2))
            )
        self.assertEqual([202, 202], [answer.status_code for answer in answers])
        self.assertEqual(1, len({answer.headers['Location'] for answer in answers}))
        self.assertEqual(before + 1, self.row_counts()['operations'])

    def test_no_database(self) -> None:
        def gone(*args: Any) -> Any:
            raise StorageUnavailable('The database does not answer now.')

        self.store.list_clusters = gone  # type: ignore[method-assign]
        self.store.list_flavors = gone  # type: ignore[method-assign]
        answer = self.call('GET', 'clusters')
        self.assert_refused(answer, 503, 'serviceUnavailable', 'The database')
        answer = self.client.simulate_get('/healthcheck')
        self.assert_refused(answer, 503, 'serviceUnavailable', 'The database')

    def test_what_nobody_expected(self) -> None:
        def broken(*args: Any) -> Any:
            raise KeyError('secret inside')

        self.store.get_cluster = broken  # type: ignore[method-assign]
        answer = self.call('GET', 'clusters', 'x')
        self.assert_refused(answer, 500, 'instanceFault', 'Please keep this ID')
        self.assertIn(answer.headers['X-Openstack-Request-Id'], answer.text)
        self.assertNotIn('secret inside', answer.text)


class PagingTest(ApiTestCase):
    def walk(self, kind: str, query: str) -> list[list[str]]:
        pages = []
        path: str | None = self.url(kind) + f'?{query}'
        while path:
            answer = self.client.simulate_get(path.removeprefix(BASE))
            self.assertEqual(200, answer.status_code, answer.text)
            pages.append([entry['id'] for entry in answer.json[kind]])
            following = answer.json.get('links', [])
            self.assertEqual(['next'] * len(following), [link['rel'] for link in following])
            path = following[0]['href'] if following else None
        return pages

    def test_clusters(self) -> None:
        ids = sorted(self.create(1)['id'] for _ in range(5))
        self.assertEqual([ids[0:2], ids[2:4], ids[4:5]], self.walk('clusters', 'limit=2'))
        self.assertEqual([ids], self.walk('clusters', 'limit=5'))
        self.assertEqual([ids], self.walk('clusters', 'limit=999999999999'))
        self.assertEqual([ids[2:]], self.walk('clusters', f'marker={ids[1]}'))
        self.assertEqual([[]], self.walk('clusters', 'marker=zzz'))

    def test_the_page_size_caps_the_limit(self) -> None:
        self.client = self.build(api_clusters_page_size=2)
        ids = sorted(self.create(1)['id'] for _ in range(3))
        self.assertEqual([ids[:2], ids[2:]], self.walk('clusters', 'limit=3'))
        self.assertEqual([ids[:2], ids[2:]], self.walk('clusters', ''))

    def test_instances(self) -> None:
        ids = sorted(member['id'] for member in self.create(5)['instances'])
        query = 'include_clustered=True&limit=3'
        self.assertEqual([ids[:3], ids[3:]], self.walk('instances', query))
        self.assertEqual([[]], self.walk('instances', 'include_clustered=False'))
        self.assertEqual([[]], self.walk('instances', ''))
