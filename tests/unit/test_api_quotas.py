"""Quotas and limits as operators and tenants see them."""

from typing import Any

from slotwright.domain.states import OperationState
from tests.unit.api_fixture import ApiTestCase, create_body, member_body


class QuotaTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = self.build(quota_max_instances_per_tenant=4, quota_max_volumes_per_tenant=20)

    def quotas(self, project: str | None = None) -> dict[str, tuple[int, int]]:
        answer = self.call('GET', 'mgmt/quotas', project or self.project)
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual({0}, {q['reserved'] for q in answer.json['quotas']})
        return {q['resource']: (q['in_use'], q['limit']) for q in answer.json['quotas']}

    def set(self, **limits: Any) -> Any:
        answer = self.call('PUT', 'mgmt/quotas', self.project, body={'quotas': limits})
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json

    def refused(self, answer: Any, resources: str) -> None:
        message = f'Quota exceeded for resources: {resources}.'
        self.assert_refused(answer, 413, 'overLimit', message)

    def test_shown_as_they_are_used(self) -> None:
        self.assertEqual({'instances': (0, 4), 'volumes': (0, 20), 'ram': (0, -1)}, self.quotas())
        self.create_active(3)
        self.assertEqual(
            {'instances': (3, 4), 'volumes': (6, 20), 'ram': (6144, -1)}, self.quotas()
        )
        (limits,) = self.call('GET', 'limits').json['limits']
        self.assertEqual('ABSOLUTE', limits['verb'])
        self.assertEqual((4, 3), (limits['max_instances'], limits['instances_in_use']))
        self.assertEqual((0, 4), self.quotas('other')['instances'])

    def test_create_and_grow_are_refused(self) -> None:
        before = self.row_counts()
        self.refused(self.call('POST', 'clusters', body=create_body(5)), "['instances']")
        self.assertEqual(before, self.row_counts())
        cluster = self.create_active(3)
        before = self.row_counts()
        grow = {'grow': [member_body()] * 2}
        self.refused(self.call('POST', 'clusters', cluster['id'], body=grow), "['instances']")
        self.assertEqual(before, self.row_counts())
        self.assertEqual(
            202,
            self.call(
                'POST', 'clusters', cluster['id'], body={'grow': [member_body()]}
            ).status_code,
        )

    def test_set_and_taken_back(self) -> None:
        self.assertEqual({'quotas': {'instances': 2}}, self.set(instances=2))
        self.refused(self.call('POST', 'clusters', body=create_body(3)), "['instances']")
        self.set(instances=-1, volumes=6, ram=3 * 2048)
        self.create_active(3)
        self.refused(self.call('POST', 'clusters', body=create_body(1)), "['volumes', 'ram']")
        self.assertEqual({'quotas': {'instances': 4}}, self.set(instances=None))
        self.assertEqual((3, 4), self.quotas()['instances'])

    def test_a_delete_gives_back(self) -> None:
        cluster = self.create_active(4)
        self.call('DELETE', 'clusters', cluster['id'])
        self.assertEqual((4, 4), self.quotas()['instances'])
        found = self.store.get_cluster(self.project, cluster['id'])
        assert found.operation
        claim = self.store.claim(found.operation.id, 'test', 60)
        assert claim
        self.store.finish(claim, OperationState.COMPLETED, delete_cluster=True)
        self.assertEqual((0, 4), self.quotas()['instances'])
        self.create(4)

    def test_volumes_do_not_count_where_there_are_none(self) -> None:
        self.client = self.build(redis_volume_support=False, quota_max_volumes_per_tenant=0)
        answer = self.call('POST', 'clusters', body=create_body(instances=[{'flavorRef': '3'}]))
        self.assertEqual(202, answer.status_code, answer.text)

    def test_a_project_is_known_by_its_id(self) -> None:
        answer = self.call('GET', 'projects', 'acme')
        self.assertEqual({'project': {'id': 'acme', 'name': 'acme'}}, answer.json)
