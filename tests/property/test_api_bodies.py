"""Whatever is sent, the answer is one of ours, and never that something broke."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api_fixture import ApiTestCase, member_body

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),  # NaN and the infinities are no JSON, and are sent all the same
    st.text(st.characters()),  # half surrogate pairs too
    st.sampled_from(['redis', '3.0', '2', 'affinity', 'member', '٢', '2\n', '\0']),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def mostly(good: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(good), st.just(good), anything)


members = st.fixed_dictionaries(
    {},
    optional={
        'flavorRef': st.one_of(st.sampled_from(['2', 2, '1', '999']), anything),
        'volume': st.one_of(
            st.just({'size': 2}), st.fixed_dictionaries({'size': anything}), anything
        ),
        'type': anything,
        'nics': anything,
        'modules': anything,
        'region': anything,
        'availability_zone': anything,
        'related_to': anything,
    },
)
instances = st.one_of(
    st.lists(st.one_of(st.just(member_body()), members), max_size=4), mostly([member_body()])
)
clusters = st.fixed_dictionaries(
    {
        'cluster': st.one_of(
            st.fixed_dictionaries(
                {
                    'name': mostly('a'),
                    'datastore': mostly({'type': 'redis', 'version': '3.0'}),
                    'instances': instances,
                },
                optional={
                    'locality': anything,
                    'extended_properties': anything,
                    'configuration': anything,
                },
            ),
            anything,
        )
    }
)
actions = st.one_of(
    st.fixed_dictionaries({'grow': instances}),
    st.fixed_dictionaries({'shrink': mostly([{'id': '11111111-2222-4333-8444-555555555555'}])}),
    st.dictionaries(st.sampled_from(['grow', 'shrink', 'restart', 'é\ud800']), anything),
    anything,
)
roots = st.one_of(
    st.fixed_dictionaries({}, optional={'password': anything, 'user': anything}), anything
)

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class AnythingTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.cluster_id = self.create_active(2)['id']

    def check(self, raw: bytes, *path: str) -> None:
        before = self.row_counts()
        answer = self.call('POST', *path, raw=raw)
        if answer.status_code in (200, 202):
            self.finish_everything()
            return
        self.assertIn(answer.status_code, (400, 403, 404, 413, 415, 422), answer.text)
        (name,) = answer.json
        self.assertEqual(answer.status_code, answer.json[name]['code'])
        self.assertTrue(answer.json[name]['message'])
        self.assertEqual(before, self.row_counts())

    def finish_everything(self) -> None:
        for cluster in self.store.list_clusters(self.project, 1000):
            if cluster.task.name != 'NONE':
                self.finish(cluster.id)
        self.cluster_id = self.store.list_clusters(self.project, 1)[0].id

    @fuzz
    @given(clusters)
    def test_create(self, body: Any) -> None:
        self.check(json.dumps(body).encode(), 'clusters')

    @fuzz
    @given(anything)
    def test_create_of_anything(self, body: Any) -> None:
        self.check(json.dumps(body).encode(), 'clusters')

    @fuzz
    @given(actions)
    def test_actions(self, body: Any) -> None:
        self.check(json.dumps(body).encode(), 'clusters', self.cluster_id, 'action')

    @fuzz
    @given(roots)
    def test_roots(self, body: Any) -> None:
        self.taskmanager.reaction = self.finish
        self.check(json.dumps(body).encode(), 'clusters', self.cluster_id, 'root')

    @fuzz
    @given(st.binary(max_size=200))
    def test_bytes(self, raw: bytes) -> None:
        self.check(raw or b' ', 'clusters', self.cluster_id)

    @fuzz
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_queries(self, limit: str, marker: str) -> None:
        limit, marker = (text.encode('utf-8', 'replace').decode() for text in (limit, marker))
        answer = self.call('GET', 'clusters', params={'limit': limit, 'marker': marker})
        self.assertIn(answer.status_code, (200, 400), answer.text)
