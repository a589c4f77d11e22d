"""Whatever is sent about backups, the answer is one of ours, and a refusal stores nothing."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_api_bodies import anything, fuzz, mostly
from tests.unit.backups_fixture import BACKUP, FILES, BackupsTestCase

freezer_actions = st.fixed_dictionaries(
    {'action': mostly('backup')},
    optional=dict.fromkeys(('mode', 'container', 'src_file', 'timeout', 'x' * 300), anything),
)
parts = st.one_of(
    st.fixed_dictionaries(
        {'freezer_action': freezer_actions},
        optional={'max_retries': mostly(1), 'mandatory': mostly(True), 'action_id': mostly('a')},
    ),
    st.just({'freezer_action': FILES}),
    anything,
)
schedules = st.dictionaries(
    st.sampled_from(['schedule_interval', 'schedule_date', 'schedule_day', 'schedule_hour', 'event',
                     'status', 'time_created', 'current_pid', 'x']),
    st.one_of(anything, st.sampled_from(['1 hour', '*/2', '2026-12-31T00:00:00', 'start'])),
    max_size=3,
)  # fmt: skip
jobs = st.one_of(
    st.fixed_dictionaries(
        {'client_id': mostly('web'), 'job_actions': st.lists(parts, max_size=3)},
        optional={
            'job_schedule': schedules,
            'description': mostly('d'),
            'action_defaults': freezer_actions,
            'job_id': anything,
            'session_id': mostly(''),
            '_version': anything,
        },
    ),
    anything,
)
sessions = st.one_of(
    st.fixed_dictionaries(
        {'schedule': schedules, 'session_tag': mostly(0)},
        optional={'hold_off': mostly(1), 'status': anything, 'time_end': anything},
    ),
    anything,
)
metadata = st.one_of(
    st.dictionaries(st.text(max_size=8), anything, max_size=3).map(lambda more: {**BACKUP, **more}),
    anything,
)
searches = st.dictionaries(
    st.sampled_from(['match', 'match_not', 'x']),
    st.one_of(
        st.lists(st.dictionaries(st.sampled_from(['_all', 'client_id']), anything), max_size=3),
        anything,
    ),
)


class AnythingTest(BackupsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job_id = self.new_job()
        self.session_id = self.new_session(self.job_id)

    def check(self, method: str, path: str, body: Any) -> None:
        before = self.row_counts()
        answer = self.client.simulate_request(
            method, f'/v2/demo/{path}', body=json.dumps(body).encode()
        )
        if answer.status_code >= 300:
            self.assertIn(answer.status_code, (400, 404, 409, 413, 422), answer.text)
            self.assertTrue(answer.json['description'])
            self.assertEqual(before, self.row_counts())

    @fuzz
    @given(jobs, st.sampled_from(['POST', 'PATCH']))
    def test_jobs(self, body: Any, method: str) -> None:
        self.check(method, 'jobs' if method == 'POST' else f'jobs/{self.job_id}', body)

    @fuzz
    @given(st.one_of(freezer_actions.map(lambda one: {'freezer_action': one}), anything))
    def test_actions(self, body: Any) -> None:
        self.check('POST', 'actions', body)
        self.check('POST', 'actions/mine', body)

    @fuzz
    @given(sessions)
    def test_sessions(self, body: Any) -> None:
        self.check('PATCH', f'sessions/{self.session_id}', body)
        self.check('POST', f'sessions/{self.session_id}', body)

    @fuzz
    @given(st.dictionaries(st.sampled_from(['start', 'end', 'stop', 'é']), anything, max_size=2))
    def test_events_and_rounds(self, body: Any) -> None:
        self.check('POST', f'jobs/{self.job_id}/event', body)
        self.check('POST', f'sessions/{self.session_id}/action', body)

    @fuzz
    @given(metadata)
    def test_backups(self, body: Any) -> None:
        self.check('POST', 'backups', body)

    @fuzz
    @given(searches)
    def test_searches(self, body: Any) -> None:
        self.check('GET', 'jobs', body)
