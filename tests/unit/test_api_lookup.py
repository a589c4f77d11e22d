"""Things by name, also beyond the first page, and instances of all projects."""

from tests.unit.api_fixture import ApiTestCase


class LookupTest(ApiTestCase):
    def test_a_cluster_by_name_beyond_the_first_page(self) -> None:
        self.client = self.build(api_clusters_page_size=2)
        made = {self.create(1, f'c{n}')['id']: f'c{n}' for n in range(5)}
        first = [c['id'] for c in self.call('GET', 'clusters').json['clusters']]
        last = max(made)
        self.assertNotIn(last, first)
        shown = self.call('GET', 'clusters', made[last]).json['cluster']
        self.assertEqual((last, made[last]), (shown['id'], shown['name']))

    def test_all_pages_hold_everything_once(self) -> None:
        self.client = self.build(api_clusters_page_size=2, api_instances_page_size=2)
        made = {self.create(1)['id'] for _ in range(5)}
        for path in ('clusters', 'instances', 'mgmt/instances'):
            query = 'include_clustered=True'
            found = []
            while query:
                page = self.call('GET', path, query_string=query).json
                found += [c.get('cluster_id', c['id']) for c in page[path.rpartition('/')[2]]]
                (link,) = page.get('links', [{'href': '?'}])
                query = link['href'].partition('?')[2]
            self.assertEqual(sorted(made), sorted(found))

    def test_an_id_wins_over_a_name(self) -> None:
        first = self.create(1)
        self.create(1, first['id'])
        shown = self.call('GET', 'clusters', first['id']).json['cluster']
        self.assertEqual(first['name'], shown['name'])

    def test_a_name_that_two_have_names_their_ids(self) -> None:
        ids = sorted(self.create(1, 'twin')['id'] for _ in range(2))
        answer = self.call('GET', 'clusters', 'twin')
        self.assert_refused(answer, 409, 'conflict', f'use one of the ids {ids}.')
        self.project = 'other'
        self.assertEqual(404, self.call('GET', 'clusters', 'twin').status_code)
        alone = self.create(1, 'twin')
        self.assertEqual(alone['id'], self.call('GET', 'clusters', 'twin').json['cluster']['id'])

    def test_very_many_of_a_name(self) -> None:
        for _ in range(22):
            self.create(1, 'twin')
        answer = self.call('GET', 'clusters', 'twin')
        self.assert_refused(answer, 409, 'conflict', '] and more.')

    def test_names_are_taken_literally(self) -> None:
        for name in ('%', 'a b', 'ünï 1', "o'1"):
            cluster = self.create(1, f'{name}x')
            path = f'{name}x'.replace('%', '%25').replace(' ', '%20')
            shown = self.call('GET', 'clusters', path).json['cluster']
            self.assertEqual(cluster['id'], shown['id'])
        self.assertEqual(404, self.call('GET', 'clusters', 'REDIS').status_code)

    def test_an_instance_and_a_flavor_by_name(self) -> None:
        member = self.create(2)['instances'][1]
        shown = self.call('GET', 'instances', member['name']).json['instance']
        self.assertEqual(member['id'], shown['id'])
        self.assertEqual(2, self.call('GET', 'flavors', 'medium').json['flavor']['id'])

    def test_instances_of_all_projects(self) -> None:
        self.create(1)
        self.project = 'other'
        self.create(1)
        listed = self.call('GET', 'mgmt/instances', query_string='include_clustered=True').json
        self.assertEqual({'demo', 'other'}, {i['tenant_id'] for i in listed['instances']})
        self.assertEqual([], self.call('GET', 'mgmt/instances').json['instances'])


class EmptyListsTest(ApiTestCase):
    def test_what_there_is_none_of(self) -> None:
        member = self.create(1)['instances'][0]['id']
        for path, body in (
            ('backups', {'backups': []}),
            ('backup_strategies', {'backup_strategies': []}),
            ('configurations', {'configurations': []}),
            ('modules', {'modules': []}),
            (f'instances/{member}/modules', {'modules': []}),
            (f'instances/{member}/backups', {'backups': []}),
            (f'instances/{member}/log', {'logs': []}),
            ('datastores/redis/versions/3.0/parameters', {'configuration-parameters': []}),
        ):
            with self.row(path):
                answer = self.call('GET', path)
                self.assertEqual((200, body), (answer.status_code, answer.json))


class ResetTest(ApiTestCase):
    """What is stored; what comes of it is in test_taskmanager_reset."""

    def test_a_busy_cluster_is_reset(self) -> None:
        cluster = self.create(2)
        answer = self.call('POST', 'clusters', cluster['id'], body={'reset-status': {}})
        self.assertEqual((202, ''), (answer.status_code, answer.text))
        self.assertEqual('update', self.taskmanager.casts[-1][0])
        operation = self.client.simulate_get(
            answer.headers['Location'].replace('http://api.example:8779', '')
        ).json['operation']
        self.assertEqual(('reset_status', 'pending'), (operation['kind'], operation['state']))
        given_up = self.call('GET', 'clusters', cluster['id'], 'operations').json['operations'][1]
        self.assertEqual('failed', given_up['state'])
        self.assertIn(operation['request_id'], given_up['reason'])

    def test_force_delete_as_the_client_does(self) -> None:
        cluster = self.create(2)
        self.assertEqual(422, self.call('DELETE', 'clusters', cluster['id']).status_code)
        self.call('POST', 'clusters', cluster['id'], body={'reset-status': {}})
        self.assertEqual(202, self.call('DELETE', 'clusters', cluster['id']).status_code)
        shown = self.call('GET', 'clusters', cluster['id']).json['cluster']
        self.assertEqual('DELETING', shown['task']['name'])
        self.assertEqual({'SHUTDOWN'}, {i['status'] for i in shown['instances']})

    def test_an_owner_deletes_by_force_at_once(self) -> None:
        cluster = self.create(2)
        body = {'reset-status': {'force_delete': True}}
        first = self.call('POST', 'clusters', cluster['id'], body=body)
        self.assertEqual(202, first.status_code)
        self.assertEqual('delete', self.taskmanager.casts[-1][0])
        again = self.call('POST', 'clusters', cluster['id'], body=body)
        then = self.call('DELETE', 'clusters', cluster['id'])
        for answer in (again, then):
            self.assertEqual(202, answer.status_code)
            self.assertEqual(first.headers['Location'], answer.headers['Location'])

    def test_a_cluster_of_others_is_not_there(self) -> None:
        cluster = self.create(1)
        before = self.row_counts()
        self.project = 'other'
        for body in ({'reset-status': {}}, {'reset-status': {'force_delete': True}}):
            answer = self.call('POST', 'clusters', cluster['id'], body=body)
            self.assert_refused(answer, 404, 'itemNotFound', 'cannot be found')
        self.assertEqual(before, self.row_counts())
