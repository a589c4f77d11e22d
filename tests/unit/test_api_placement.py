"""Where the API lets new members run."""

from collections import Counter
from typing import Any

from slotwright.domain.clusters import Instance
from tests.unit.api_fixture import ApiTestCase, create_body


class PlacementTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pools = self.pool_store.pools

    def members(self, cluster_id: str) -> tuple[Instance, ...]:
        return self.store.get_cluster(self.project, cluster_id).instances

    def pools_of(self, cluster_id: str) -> Counter[str | None]:
        return Counter(member.pool for member in self.members(cluster_id))

    def post(self, size: int = 3, **more: Any) -> Any:
        body = create_body(size)
        body['cluster'].update(more)
        return self.call('POST', 'clusters', body=body)

    def refused(self, message: str, size: int = 3, **more: Any) -> None:
        before = self.row_counts()
        self.assert_refused(self.post(size, **more), 403, 'forbidden', message)
        self.assertEqual(before, self.row_counts())
        self.assertEqual([], self.taskmanager.casts)

    def test_without_pools_nothing_changes(self) -> None:
        self.assertEqual({None: 3}, self.pools_of(self.create()['id']))

    def test_pools_of_the_flavor_come_first(self) -> None:
        self.pools.create('mine', 1, 'inventory://blue', self.flavor())
        self.pools.create('any', 100, 'local://')
        self.pools.create('other', 100, 'local://', 'another')
        cluster = self.create()
        self.assertEqual({'mine': 3}, self.pools_of(cluster['id']))
        self.assertEqual('inventory://blue', self.members(cluster['id'])[0].pool_uri)

    def test_pools_without_flavor_take_the_rest(self) -> None:
        self.pools.create('any', 1, 'local://')
        self.pools.create('other', 100, 'local://', 'another')
        self.assertEqual({'any': 3}, self.pools_of(self.create()['id']))

    def test_pools_of_other_flavors_take_nothing(self) -> None:
        self.pools.create('other', 100, 'local://', 'another')
        self.refused(f'No pool is for flavor {self.flavor()}: give one of the pools that flavor')

    def test_no_room(self) -> None:
        self.pools.create('tight', 1, 'local://', options={'instances': 2})
        self.pools.create('drained', 0, 'local://')
        self.refused(
            'No pool has room for 3 instances of 2048 MiB: drained: takes nothing new (weight 0); '
            'tight: has room, but not for all of them.'
        )
        self.assertEqual(202, self.post(2).status_code)

    def test_a_pool_that_cannot_work_is_passed_over(self) -> None:
        """The store takes it of whoever writes there directly."""
        self.pools.create('elsewhere', 100, 'mongodb://host')
        flaws = {'instances': 'many', 'ram': None, 'failure_domain': [], 'datastore_versions': 5}
        for name, value in flaws.items():
            self.pools.create(name, 100, 'local://', options={name: value})
        self.refused("elsewhere: uri 'mongodb://host' must be local://")
        self.refused("datastore_versions: options['datastore_versions'] must be a list")
        self.refused('ram: options', locality='affinity')
        self.pools.create('fine', 1, 'local://')
        self.assertEqual({'fine': 3}, self.pools_of(self.create()['id']))

    def test_a_grow_goes_by_the_pools_of_now(self) -> None:
        cluster = self.create_active()
        self.pools.create('new', 1, 'local://', options={'instances': 1})
        more = {'grow': [{'flavorRef': '2', 'volume': {'size': 2}}]}
        path = ('clusters', cluster['id'], 'action')
        self.assertEqual(202, self.call('POST', *path, body=more).status_code)
        self.assertEqual({None: 3, 'new': 1}, self.pools_of(cluster['id']))
        self.finish(cluster['id'])
        before = self.row_counts()
        answer = self.call('POST', *path, body=more)
        self.assert_refused(answer, 403, 'forbidden', 'new: has 1 of 1 instances')
        self.assertEqual(before, self.row_counts())

    def test_locality(self) -> None:
        for name, rack in (('a', 'x'), ('b', 'x'), ('c', 'y')):
            self.pools.create(name, 1, 'local://', options={'failure_domain': rack})
        self.refused('for anti-affinity', locality='anti-affinity')
        apart = self.post(2, locality='anti-affinity').json['cluster']['id']
        domains = [member.failure_domain for member in self.members(apart)]
        self.assertEqual(['x', 'y'], sorted(filter(None, domains)))
        together = self.post(6, locality='affinity').json['cluster']['id']
        self.assertEqual(1, len({member.failure_domain for member in self.members(together)}))

    def test_affinity_to_a_pool_that_is_told_its_failure_domain_later(self) -> None:
        self.pools.create('a', 1, 'local://')
        cluster_id = self.post(2, locality='affinity').json['cluster']['id']
        self.finish(cluster_id)
        self.pools.update('a', options={'failure_domain': 'x'})
        self.pools.create('b', 100, 'local://', options={'failure_domain': 'y'})
        more = {'grow': [{'flavorRef': '2', 'volume': {'size': 2}}] * 4}
        answer = self.call('POST', 'clusters', cluster_id, 'action', body=more)
        self.assertEqual(202, answer.status_code, answer.text)
        self.assertEqual({'a': 6}, self.pools_of(cluster_id))

    def test_a_datastore_version_that_a_pool_has_not(self) -> None:
        self.pools.create('p', 1, 'local://', options={'datastore_versions': ['9.9']})
        self.refused('p: runs 9.9, not 3.0')

    def flavor(self) -> str:
        """The name of the flavor that ``create_body`` asks for."""
        return self.store.get_flavor('2').name
