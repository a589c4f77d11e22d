"""Links for callers who reach the API through a proxy, and what others may pretend."""

from pathlib import Path
from typing import Any

import fixtures
from falcon import testing
from oslo_config import cfg

from api import proxies
from tests.unit.api_fixture import ApiTestCase
from tests.unit.test_api_streams import StreamCase

PLAIN = 'http://api.example:8779'
PROXY = 'https://db.example/cloud'

#: What a proxy sends that was called by https://db.example/cloud, in both ways.
OLD = {
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'db.example',
    'X-Forwarded-For': '192.0.2.7',
    'X-Forwarded-Prefix': '/cloud',
}
NEW = {
    'Forwarded': 'for=192.0.2.7;proto=https;host=db.example, for=10.0.0.1;proto=http',
    'X-Forwarded-Prefix': '/cloud',
}


def links_in(found: Any) -> list[str]:
    """Every ``href``, at any depth."""
    if isinstance(found, list):
        return [link for entry in found for link in links_in(entry)]
    if not isinstance(found, dict):
        return []
    own = [found['href']] if 'href' in found else []
    return own + [link for entry in found.values() for link in links_in(entry)]


class ProxyTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.create_active(1, 'first')
        self.cluster = self.create_active(2, 'second')

    def believe(self) -> None:
        self.conf.set_override('enable_proxy_headers_parsing', True, 'oslo_middleware')
        self.client = self.build()

    def get(self, url: str, headers: dict[str, str]) -> testing.Result:
        answer = self.client.simulate_get(url, headers=headers)
        self.assertEqual(200, answer.status_code, answer.text)
        return answer

    def all_links(self, headers: dict[str, str]) -> list[str]:
        """Those of every kind of answer that has some."""
        self.relay()
        pages = (
            '/',
            '/v1.0',
            *(
                self.url(path)
                for path in (
                    'clusters?limit=1',
                    'events?limit=1',
                    'instances?include_clustered=true&limit=1',
                    'flavors',
                    'datastores',
                    'datastores/redis/versions',
                    f'clusters/{self.cluster["id"]}/operations',
                    f'clusters/{self.cluster["id"]}/events?limit=1',
                )
            ),
        )
        found = []
        for page in pages:
            links = links_in(self.get(page, headers).json)
            self.assertNotEqual([], links, page)
            found += links
        answer = self.call('DELETE', 'clusters', self.cluster['id'], headers=headers)
        return [*found, answer.headers['Location']]

    def assert_all_begin_with(self, beginning: str, links: list[str]) -> None:
        self.assertEqual([], [link for link in links if not link.startswith(beginning)])

    def test_links_lead_through_the_proxy(self) -> None:
        self.believe()
        for name, headers in (('old', OLD), ('new', NEW)):
            with self.row(name):
                links = self.all_links(headers)
                self.assert_all_begin_with(f'{PROXY}/', links)
                self.assertIn(f'{PROXY}/v1.0/', links)
            self.cluster = self.create_active(1)

    def test_pools_have_paths_through_the_proxy(self) -> None:
        self.believe()
        for name in ('one', 'two'):
            answer = self.client.simulate_put(
                f'/v2/pools/{name}', json={'uri': 'local://', 'weight': 1}, headers=OLD
            )
            self.assertEqual(201, answer.status_code, answer.text)
            self.assertEqual(f'{PROXY}/v2/pools/{name}', answer.headers['Location'])
        answer = self.get('/v2/pools?limit=1', OLD)
        self.assertEqual('/cloud/v2/pools/one', answer.json['pools'][0]['href'])
        self.assertEqual(
            '/cloud/v2/pools?marker=one&limit=1&detailed=false', answer.json['links'][0]['href']
        )

    def test_what_no_proxy_says_is_as_it_was_called(self) -> None:
        self.believe()
        self.assert_all_begin_with(f'{PLAIN}/', self.all_links({}))

    def test_forged_headers_do_nothing_unless_wanted(self) -> None:
        for headers in (OLD, NEW, {**OLD, **NEW}):
            self.assert_all_begin_with(f'{PLAIN}/', self.all_links(headers))
            self.cluster = self.create_active(1)
        self.assertNotIn('192.0.2.7', self.log.output)
        answer = self.call('GET', 'clusters', headers={**OLD, 'Origin': 'https://db.example'})
        self.assert_refused(answer, 403, 'forbidden', 'other sites')

    def test_pages_of_the_same_site_may_call(self) -> None:
        self.believe()
        headers = {**OLD, 'Origin': 'https://db.example'}
        self.assertEqual(200, self.call('GET', 'clusters', headers=headers).status_code)
        headers['Origin'] = 'https://evil.example'
        answer = self.call('GET', 'clusters', headers=headers)
        self.assert_refused(answer, 403, 'forbidden', 'other sites')

    def test_the_log_has_the_callers_address_and_no_more(self) -> None:
        self.believe()
        self.call('GET', 'clusters', headers=OLD)
        self.assertIn('192.0.2.7 anonymous GET', self.log.output)
        forged = {'X-Forwarded-For': "192.0.2.8 admin GET '/' -> 200\x1b[2J, 192.0.2.7"}
        self.call('GET', 'clusters', headers=forged)
        self.assertIn('192.0.2.8adminGET-2002J,192.0.2.7 anonymous GET', self.log.output)

    def test_neither_true_nor_false_is_told_at_the_start(self) -> None:
        file = Path(self.useFixture(fixtures.TempDir()).path, 'slotwright.conf')
        file.write_text('[oslo_middleware]\nenable_proxy_headers_parsing = maybe\n')
        conf = cfg.ConfigOpts()
        conf(['--config-file', str(file)], project='slotwright')
        app: Any = self.client.app
        error = self.assertRaises(ValueError, proxies.behind, conf, app)
        self.assertIn('enable_proxy_headers_parsing', str(error))


class NextPageTest(ApiTestCase):
    def test_the_next_page_of_a_cluster_with_an_odd_name(self) -> None:
        self.create(1, name='50% a?b#ü')
        self.relay()
        answer = self.call(
            'GET', 'clusters', '50%25%20a%3Fb%23%C3%BC', 'events', params={'limit': 1}
        )
        link = answer.json['links'][0]['href']
        again = self.client.simulate_get(link.removeprefix(PLAIN))
        self.assertEqual(200, again.status_code, again.text)
        self.assertEqual([2], [event['id'] for event in again.json['events']])


class ProxiedStreamTest(StreamCase):
    """The connection is handed over through the middleware, too."""

    def build(self, **overrides: Any) -> testing.TestClient:
        if 'oslo_middleware' not in self.conf:
            super().build(**overrides)  # registers the option
        self.conf.set_override('enable_proxy_headers_parsing', True, 'oslo_middleware')
        return super().build()

    def test_events_are_streamed(self) -> None:
        reader = self.read(X_Forwarded_Proto='https', X_Forwarded_For='192.0.2.7')
        cluster = self.create(1)
        told = reader.take(len(self.publish()))
        self.assertEqual({cluster['id']}, {event['cluster_id'] for event in told})
