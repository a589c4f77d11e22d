"""What happened, as pages."""

from typing import Any

from slotwright.domain.states import OperationState
from tests.unit.api_fixture import ApiTestCase

OTHER = 'other'


class EventsTest(ApiTestCase):
    def events(self, *parts: str, **query: Any) -> list[dict[str, Any]]:
        answer = self.call('GET', *parts, 'events', params=query)
        self.assertEqual(200, answer.status_code, answer.text)
        found: list[dict[str, Any]] = answer.json['events']
        return found

    def test_the_story_of_a_cluster(self) -> None:
        cluster = self.create(1)
        self.finish(cluster['id'], OperationState.FAILED, 'no space')
        events = self.events('clusters', cluster['id'])
        self.assertEqual([*range(1, len(events) + 1)], [event['id'] for event in events])
        first, last = events[0], events[-1]
        operation = cluster['operation']
        self.assertEqual(
            {
                'id': 1,
                'kind': 'cluster.created',
                'message': 'Cluster redis-clstr was accepted.',
                'tenant_id': 'demo',
                'cluster_id': cluster['id'],
                'instance_id': None,
                'operation_id': operation['id'],
                'request_id': operation['request_id'],
                'state': {'name': 'redis-clstr', 'task': 'BUILDING'},
                'created': first['created'],
            },
            first,
        )
        failed = [event for event in events if event['kind'] == 'operation.failed']
        self.assertEqual('Operation create has failed: no space.', failed[0]['message'])
        self.assertEqual({'name': 'redis-clstr', 'task': 'NONE'}, last['state'])

    def test_by_name_while_it_lives_and_by_id_for_ever(self) -> None:
        cluster = self.create_active(1)
        by_id = self.events('clusters', cluster['id'])
        self.assertEqual(by_id, self.events('clusters', 'redis-clstr'))
        self.call('DELETE', 'clusters', cluster['id'])
        operation = self.store.get_cluster(self.project, cluster['id']).operation
        assert operation is not None
        claim = self.store.claim(operation.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.COMPLETED, delete_cluster=True)
        events = self.events('clusters', cluster['id'])
        self.assertEqual(by_id, events[: len(by_id)])
        self.assertEqual('cluster.deleted', events[-1]['kind'])
        answer = self.call('GET', 'clusters', 'redis-clstr', 'events')
        self.assert_refused(answer, 404, 'itemNotFound', 'redis-clstr cannot be found')

    def test_a_name_that_two_have(self) -> None:
        for _ in range(2):
            self.create(1)
        answer = self.call('GET', 'clusters', 'redis-clstr', 'events')
        self.assert_refused(answer, 409, 'conflict', 'is not unique')

    def test_pages(self) -> None:
        cluster = self.create_active(3)
        self.relay()
        for parts in (('clusters', cluster['id']), (), ('mgmt',)):
            with self.row('/'.join(parts)):
                everything = self.events(*parts)
                answer = self.call('GET', *parts, 'events', params={'limit': 4})
                found = list(answer.json['events'])
                self.assertEqual(4, len(found))
                while 'links' in answer.json:
                    url = answer.json['links'][0]['href'].removeprefix('http://api.example:8779')
                    answer = self.client.simulate_get(url)
                    found += answer.json['events']
                self.assertEqual(everything, found)
                last = everything[-1]['id']
                self.assertEqual([], self.events(*parts, marker=last))
                self.assertEqual([], self.events(*parts, marker=last + 1000))
        self.client = self.build(api_events_page_size=2)
        self.assertEqual(2, len(self.events(limit=50)))

    def test_a_project_sees_its_own(self) -> None:
        mine = self.create(1)
        self.project = OTHER
        theirs = self.create(1)
        self.relay()
        seen = {event['cluster_id'] for event in self.events()}
        self.assertEqual({theirs['id']}, seen)
        answer = self.call('GET', 'clusters', mine['id'], 'events')
        self.assert_refused(answer, 404, 'itemNotFound', 'cannot be found')
        everything = self.events('mgmt')
        self.assertEqual({'demo', OTHER}, {event['tenant_id'] for event in everything})
        self.assertEqual([*range(1, len(everything) + 1)], [event['id'] for event in everything])

    def test_what_cannot_be_asked(self) -> None:
        cluster = self.create(1)
        for query, message in (
            ({'limit': '0'}, "limit '0' must be"),
            ({'limit': 'x'}, "limit 'x' must be"),
            ({'marker': '-1'}, "marker '-1' must be the number of an event"),
            ({'marker': 'x'}, "marker 'x' must be"),
            ({'marker': '1' * 19}, 'must be'),
            ({'marker': '٣'}, 'must be'),
        ):
            for parts in ((), ('mgmt',), ('clusters', cluster['id'])):
                with self.row(f'{query} {parts}'):
                    answer = self.call('GET', *parts, 'events', params=query)
                    self.assert_refused(answer, 400, 'badRequest', message)

    def test_a_list_unless_a_stream_is_wanted(self) -> None:
        for accept in ('*/*', 'application/json', 'text/html', 'text/event-stream;q=0.5, */*', ''):
            with self.row(accept):
                answer = self.call('GET', 'events', headers={'Accept': accept})
                self.assertEqual((200, []), (answer.status_code, answer.json['events']))

    def test_a_server_without_streams_says_so(self) -> None:
        answer = self.call('GET', 'events', headers={'Accept': 'text/event-stream'})
        self.assert_refused(answer, 501, 'notImplemented', 'list them')
