"""What Prometheus gets to see."""

import datetime

from prometheus_client.parser import text_string_to_metric_families

from slotwright.domain.errors import StorageUnavailable
from tests.unit.api_fixture import ApiTestCase

Sample = tuple[str, tuple[tuple[str, str], ...]]


class MetricsTest(ApiTestCase):
    def scrape(self) -> dict[Sample, float]:
        """Values by name and sorted labels."""
        answer = self.client.simulate_get('/metrics')
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertTrue(answer.headers['Content-Type'].startswith('text/plain'))
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def test_what_is_there_is_counted(self) -> None:
        self.create_active(3)
        self.create(2, 'another')
        values = self.scrape()

        def instances(status: str, operating: str) -> float | None:
            labels = (('operating_status', operating), ('status', status))
            return values.get(('slotwright_instances', labels))

        def operations(state: str) -> float | None:
            labels = (('kind', 'create'), ('state', state))
            return values.get(('slotwright_operations', labels))

        self.assertEqual(1, values[('slotwright_store_up', ())])
        self.assertEqual(1, values[('slotwright_clusters', (('task', 'NONE'),))])
        self.assertEqual(1, values[('slotwright_clusters', (('task', 'BUILDING'),))])
        self.assertEqual(3, instances('ACTIVE', 'HEALTHY'))
        self.assertEqual(2, instances('BUILD', 'UNKNOWN'))
        self.assertEqual(1, operations('completed'))
        self.assertEqual(1, operations('pending'))
        self.now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(1)
        values = self.scrape()
        self.assertEqual(3, instances('ACTIVE', 'UNKNOWN'))

    def test_requests_are_counted_by_route(self) -> None:
        for cluster_id in ('one', 'two', 'three'):
            self.call('GET', 'clusters', cluster_id)
        self.client.simulate_request('SPY', '/x')
        values = self.scrape()
        labels = {
            'method': 'GET',
            'route': '/v1.0/{tenant_id}/clusters/{cluster_id}',
            'status': '404',
        }
        name = 'slotwright_http_request_seconds_count'
        self.assertEqual(3, values[(name, tuple(sorted(labels.items())))])
        self.assertNotIn('three', str(values))
        self.assertNotIn('SPY', str(values))

    def test_without_a_database(self) -> None:
        self.store.take_census = self.away  # type: ignore[method-assign]
        values = self.scrape()
        self.assertEqual(0, values[('slotwright_store_up', ())])
        self.assertNotIn('slotwright_clusters', {name for name, _ in values})

    def away(self, _heard_since: datetime.datetime) -> None:
        raise StorageUnavailable('The database does not answer now.')
