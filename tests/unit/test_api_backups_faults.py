"""What the real service does wrong, each with what is answered here.

The faults were seen on a running Freezer API, or read in its code where a test cannot show them
from outside.
"""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import fixtures

from api.auth import userfile
from slotwright.storage.sqlalchemy.backup_store import SQLAlchemyBackupStore
from tests.unit.backups_fixture import BACKUP, FILES, BackupsTestCase

INLINE = [{'freezer_action': FILES}]
LONG = 'x' * 5000


class BadBodies(BackupsTestCase):
    """A 500, a 753 or a stored mistake there; a 400 that names it here."""

    def rows(self) -> list[tuple[str, str, str, Any]]:
        """What the answer says, method, path, body."""
        session, job = f'sessions/{self.new_session()}', f'jobs/{self.new_job()}'
        member = self.new_job()
        busy = f'sessions/{self.new_session(member)}'
        part = {'client_id': 'web'}
        return [
            ('must be an object', 'POST', 'jobs', [1]),
            ('must be an object', 'POST', 'clients', 'x'),
            ('client_id', 'POST', 'clients', {}),
            ('client_id', 'POST', 'clients', {'client_id': 'a b'}),
            ('client_id', 'POST', 'clients', {'client_id': f'{LONG}.org'}),
            ('description', 'POST', 'clients', {'client_id': 'c', 'description': LONG}),
            ('supported_modes', 'POST', 'clients', {'client_id': 'c', 'supported_modes': ['x']}),
            ("needs an 'action'", 'POST', 'actions', {'freezer_action': {}}),
            ('must be one of backup', 'POST', 'actions', {'freezer_action': {'action': 'bogus'}}),
            ('exec', 'POST', 'actions', {'freezer_action': {'action': 'exec', 'command': 'rm'}}),
            ('mode', 'POST', 'actions', {'freezer_action': {**FILES, 'mode': 'x'}}),
            ('container', 'POST', 'actions', {'freezer_action': {**FILES, 'container': LONG}}),
            ('src_file', 'POST', 'actions', {'freezer_action': {**FILES, 'src_file': '/other'}}),
            ('action_id', 'POST', 'actions', {'freezer_action': FILES, 'action_id': 'x' * 37}),
            ('max_retries', 'POST', 'actions', {'freezer_action': FILES, 'max_retries': 2**31}),
            ('max_retries', 'POST', 'actions', {'freezer_action': FILES, 'max_retries': '5'}),
            ('job_actions', 'POST', 'jobs', part),
            ('exec', 'POST', 'jobs', {**part, 'job_actions': [
                {'freezer_action': {'action': 'exec'}}]}),
            ('freezer_action, an action_id or both', 'POST', 'jobs',
             {**part, 'job_actions': [{}]}),
            ('description', 'POST', 'jobs', {**part, 'job_actions': [], 'description': LONG}),
            ('unknown', 'POST', 'jobs', {**part, 'job_actions': [], 'unknown': 1}),
            ('job_id', 'POST', 'jobs', {**part, 'job_actions': [], 'job_id': 'a b'}),
            ('schedule_interval', 'POST', 'jobs', {**part, 'job_actions': [],
             'job_schedule': {'schedule_interval': '0 hours'}}),
            ('schedule_day_of_week', 'POST', 'jobs', {**part, 'job_actions': [],
             'job_schedule': {'schedule_day': 'mon, wed, fri'}}),
            ('schedule_start_date', 'PATCH', job, {'job_schedule': {'schedule_start_date': 'x'}}),
            ('never run', 'POST', 'jobs', {**part, 'job_actions': [],
             'job_schedule': {'schedule_month': '2', 'schedule_day': '30'}}),
            ('never run', 'POST', 'jobs/new', {**part, 'job_actions': [],
             'job_schedule': {'schedule_year': '2001'}}),
            ('never run', 'POST', job, {**part, 'job_actions': [],
             'job_schedule': {'schedule_end_date': '2001-01-01T00:00:00'}}),
            ('never run', 'PATCH', job, {'job_schedule': {'schedule_date': '2001-01-01T00:00:00'}}),
            ('never run', 'PATCH', session,
             {'schedule': {'schedule_day': '31', 'schedule_month': 'apr, jun'}}),
            ('never run', 'POST', session,
             {'schedule': {'schedule_week': '53', 'schedule_month': '6'}, 'session_tag': 0}),
            ('never run', 'POST', 'sessions', {'schedule': {'schedule_year': '2001'}}),
            ('status', 'PATCH', job, {'job_schedule': {'status': 'x'}}),
            ('action_defaults', 'PATCH', job, {'action_defaults': {'mode': 'fs'}}),
            ('Bad event request format', 'POST', f'{job}/event', {}),
            ('Bad event request format', 'POST', f'{job}/event', {'start': None, 'stop': None}),
            ('Bad Action Method', 'POST', f'{job}/event', {'remove': None}),
            ('Bad action request format', 'POST', f'{busy}/action', {}),
            ("start 'job_id' is a required", 'POST', f'{busy}/action', {'start': {}}),
            ('start', 'POST', f'{busy}/action', {'start': None}),
            ('current_tag', 'POST', f'{busy}/action',
             {'start': {'job_id': member, 'current_tag': 'x'}}),
            ('tag value too high', 'POST', f'{busy}/action',
             {'start': {'job_id': member, 'current_tag': 7}}),
            ('result', 'POST', f'{busy}/action', {'end': {'job_id': member, 'result': ''}}),
            ('is not in session', 'POST', f'{session}/action',
             {'start': {'job_id': member, 'current_tag': 0}}),
            ("'go' is no action", 'POST', f'{busy}/action', {'go': {}}),
            ('unknown', 'PATCH', session, {'unknown': 1}),
            ('hold_off', 'PATCH', session, {'hold_off': 'soon'}),
            ('session_tag', 'POST', session, {'schedule': {}}),
            ('schedule', 'POST', 'sessions', {}),
            ('hostname', 'POST', 'backups', {'container': 'c', 'backup_name': 'b'}),
            ('status', 'POST', 'backups', {**BACKUP, 'status': 'restoring'}),
            ('the id in the URL', 'POST', f'jobs/{"x" * 37}', {**part, 'job_actions': []}),
            ('the id in the URL', 'POST', 'sessions/a.b', {'schedule': {}, 'session_tag': 0}),
        ]  # fmt: skip

    def test_they_are_refused(self) -> None:
        for said, method, path, body in self.rows():
            with self.row(f'{method} {path} {body}'[:200]):
                self.refused(400, said, method, path, body)

    def test_what_is_no_json(self) -> None:
        for raw in (b'{', b'\xff', b'{"a": NaN}', b'[' * 50 + b']' * 50, b'"\\u0000"'):
            answer = self.client.simulate_post('/v2/demo/jobs', body=raw)
            self.assertEqual(400, answer.status_code, answer.text)

    def test_pages_and_searches_that_are_none(self) -> None:
        for query in ('limit=abc', 'limit=0', 'limit=-1', 'offset=-1', 'offset=9999999999',
                      'all_projects=maybe'):  # fmt: skip
            self.refused(400, query.partition('=')[0], 'GET', f'jobs?{query}')
        for search in ([], {'matches': []}, {'match': {'a': 1}}, {'match': ['a']},
                       {'match': [{'a': [1]}]}, {'match_not': [{'a': {}}]},
                       {'match': [{'_all': None}]}, {'match': [{'_all': '[1]'}]},
                       {'match': [{f'a{n}': 1} for n in range(21)]}):  # fmt: skip
            self.refused(
                400,
                'must be'
                if isinstance(search, dict)
                and 'matches' not in search
                and len(search.get('match', ())) < 20
                else 'search',
                'GET',
                'jobs',
                search,
            )


class Missing(BackupsTestCase):
    """An empty 404, a 400, a 204 or a 500 there."""

    def test_what_is_missing_is_404_in_both(self) -> None:
        job, session = self.new_job(), self.new_session()
        action = {'start': {'job_id': job, 'current_tag': 0}}
        for version in (1, 2):
            for method, path, body in (
                *((m, f'{kind}/none', {} if m == 'PATCH' else None)
                  for kind in ('actions', 'jobs', 'sessions', 'backups')
                  for m in ('GET', 'PATCH', 'DELETE')),
                ('GET', 'clients/none', None),
                ('DELETE', 'clients/none', None),
                ('POST', 'jobs/none/event', {'start': None}),
                ('POST', 'sessions/none/action', action),
                ('PUT', f'sessions/none/jobs/{job}', None),
                ('PUT', f'sessions/{session}/jobs/none', None),
                ('DELETE', f'sessions/none/jobs/{job}', None),
                ('DELETE', f'sessions/{session}/jobs/{job}', None),
            ):  # fmt: skip
                with self.row(f'{version} {method} {path}'):
                    self.refused(404, '', method, path, body, version=version)

    def test_what_is_named_and_missing_is_422(self) -> None:
        for said, body in (
            ('nobody', {'client_id': 'nobody', 'job_actions': INLINE}),
            ('none', {'client_id': 'web', 'job_actions': [*INLINE, {'action_id': 'none'}]}),
        ):
            self.refused(422, said, 'POST', 'jobs', body)

    def test_an_id_is_free_again_after_a_delete(self) -> None:
        body = {'client_id': 'web', 'job_actions': INLINE, 'job_id': 'j'}
        for _ in range(2):
            self.given('POST', 'jobs', body)
            self.refused(409, 'already existing', 'POST', 'jobs', body)
            self.given('DELETE', 'jobs/j')


class Isolation(BackupsTestCase):
    def test_nothing_moves_to_another_project_or_owner(self) -> None:
        job, session = f'jobs/{self.new_job()}', f'sessions/{self.new_session()}'
        for path in (job, session):
            for member in ('project_id', 'user_id', f'{path.partition("s/")[0]}_id'):
                self.refused(400, member, 'PATCH', path, {member: 'other'})
        for path in ('jobs', 'actions', 'sessions'):
            body = {'client_id': 'web', 'job_actions': [], 'project_id': 'other'}
            body = (
                body
                if path == 'jobs'
                else {'project_id': 'other', 'schedule': {}, 'freezer_action': FILES}
            )
            body = {
                k: v
                for k, v in body.items()
                if (k, path) not in (('freezer_action', 'sessions'), ('schedule', 'actions'))
            }
            self.refused(400, 'project_id', 'POST', path, body)

    def test_a_foreign_id_is_404_and_nothing_happens_to_it(self) -> None:
        job = self.new_job()
        session = self.new_session(job)
        (part,) = self.job(job)['job_actions']
        action = part['action_id']
        self.given('POST', 'clients', {'client_id': 'web'}, project='other')
        before = self.job(job)
        for method, path, body in (
            ('DELETE', f'actions/{action}', None),
            ('PATCH', f'actions/{action}', {'mandatory': True}),
            ('DELETE', f'jobs/{job}', None),
            ('PATCH', f'jobs/{job}', {'description': 'x'}),
            ('POST', f'jobs/{job}/event', {'stop': None}),
            ('GET', f'sessions/{session}', None),
            ('DELETE', f'sessions/{session}/jobs/{job}', None),
        ):
            for version in (1, 2):
                self.refused(404, '', method, path, body, project='other', version=version)
        self.assertEqual(before, self.job(job))
        other = {'client_id': 'web', 'job_actions': [{'action_id': action}]}
        self.refused(422, action, 'POST', 'jobs', other, project='other')

    def test_the_same_ids_in_two_projects(self) -> None:
        for project in ('demo', 'other'):
            if project == 'other':
                self.given('POST', 'clients', {'client_id': 'web'}, project=project)
            self.given(
                'POST',
                'jobs/j',
                {'client_id': 'web', 'job_actions': INLINE, 'description': project},
                project=project,
            )
        self.assertEqual('demo', self.job('j')['description'])

    def test_central_clients(self) -> None:
        self.given('POST', 'clients', {'client_id': 'all', 'is_central': True}, project='ops')
        self.given('POST', 'jobs', {'client_id': 'all', 'job_actions': INLINE})
        self.assertEqual(2, len(self.given('GET', 'clients')['clients']))
        self.refused(404, 'all', 'DELETE', 'clients/all')


class Changes(BackupsTestCase):
    def test_a_patch_changes_only_what_it_names(self) -> None:
        job = self.new_job(job_schedule={'schedule_hour': '3'}, description='kept')
        before = self.job(job)
        self.given('PATCH', f'jobs/{job}', {'job_schedule': {'status': 'running'}})
        self.given('PATCH', f'jobs/{job}', {'description': 'new'})
        state = {**before['job_schedule'], 'status': 'running'}
        self.assertEqual(
            {**before, 'job_schedule': state, 'description': 'new', '_version': 3}, self.job(job)
        )
        action = self.given(
            'POST', 'actions', {'freezer_action': {**FILES, 'own': [1]}, 'max_retries': 2}
        )['action_id']
        before = self.given('GET', f'actions/{action}')
        self.given('PATCH', f'actions/{action}', {'mandatory': True})
        self.assertEqual(
            {**before, 'mandatory': True, '_version': 2}, self.given('GET', f'actions/{action}')
        )

    def test_a_schedule_that_is_over_is_refused_only_when_it_changes(self) -> None:
        over = {'schedule_date': '2020-01-01T00:00:00', 'schedule_year': '2020'}
        job = self.new_job(job_schedule={'schedule_hour': '3'})
        session = self.new_session(schedule={'schedule_hour': '3'})
        store = SQLAlchemyBackupStore(self.store.database)
        for things, name in ((store.jobs, job), (store.sessions, session)):
            things.write('demo', name, lambda old: replace(old, schedule=over))  # years ago
        shown = self.job(job)
        plan, body = shown['job_schedule'], {'client_id': 'web', 'job_actions': INLINE}
        for path, patch, whole in (
            (f'jobs/{job}', {'job_schedule': {**plan, 'status': 'completed'}},
             {**body, 'job_schedule': plan}),
            (f'sessions/{session}', {'schedule': {'schedule_hour': ''}},
             {'schedule': over, 'session_tag': 0}),
        ):  # fmt: skip
            self.given('PATCH', path, {'description': 'has run'})
            self.given('PATCH', path, patch)
            self.given('POST', path, whole)
            member = next(name for name in patch)
            self.refused(400, 'is over', 'PATCH', path, {member: {'schedule_hour': '4'}})
            self.given('PATCH', path, {member: {'schedule_date': '2120-01-01T00:00:00'}})

    def test_versions_count_and_an_old_one_is_409(self) -> None:
        job, session = self.new_job(), self.new_session()
        action = self.given('POST', 'actions', {'freezer_action': FILES})['action_id']
        for path, body, again in (
            (f'jobs/{job}', {'description': 'a'}, {'description': 'b'}),
            (f'sessions/{session}', {'hold_off': 1}, {'hold_off': 2}),
            (f'actions/{action}', {'max_retries': 1}, {'max_retries': 2}),
        ):
            self.assertEqual(2, self.given('PATCH', path, {**body, '_version': 1})['version'])
            for name in ('_version', 'version'):
                self.refused(409, 'not the latest', 'PATCH', path, {**again, name: 1})
            self.assertEqual(3, self.given('PATCH', path, {**again, 'version': 2})['version'])

    def test_actions_in_patches_do_not_pile_up(self) -> None:
        job = self.new_job()
        for _ in range(3):
            self.given('PATCH', f'jobs/{job}', {'job_actions': INLINE})
        self.assertEqual(1, len(self.given('GET', 'actions')['actions']))
        self.given('DELETE', f'jobs/{job}')
        self.assertEqual([], self.given('GET', 'actions')['actions'])

    def test_a_job_can_be_stopped_after_its_client_is_gone(self) -> None:
        job = self.new_job()
        self.given('DELETE', 'clients/web')
        for event in ('stop', 'abort'):
            answer = self.given('POST', f'jobs/{job}/event', {event: None})
            self.assertEqual('success', answer['result'])

    def test_a_client_and_a_search_find_that_clients_jobs(self) -> None:
        """There, ``job-list -C c --search x`` shows the jobs of all clients."""
        self.given('POST', 'clients', {'client_id': 'db'})
        self.new_job()
        theirs = self.new_job(client_id='db', description='x')
        search = {'match': [{'client_id': 'db'}, {'_all': 'x'}]}
        (found,) = self.given('GET', 'jobs', search)['jobs']
        self.assertEqual(theirs, found['job_id'])

    def test_the_late_end_of_a_round_does_not_close_the_next(self) -> None:
        job = self.new_job()
        path = f'sessions/{self.new_session(job, hold_off=0)}'
        self.given('PATCH', path, {'session_tag': 1, 'status': 'running'})
        end = {'job_id': job, 'result': 'success', 'current_tag': 0}
        answer = self.given('POST', f'{path}/action', {'end': end})
        self.assertEqual({'result': 'out-of-sync', 'session_tag': 1}, answer)

    def test_what_a_client_cannot_is_refused_before_anything_is_stored(self) -> None:
        self.given(
            'POST',
            'clients',
            {'client_id': 'tar', 'supported_engines': ['tar'], 'supported_actions': ['backup']},
        )
        for wrong in ({**FILES, 'engine_name': 'rsync'}, {**FILES, 'action': 'restore'}):
            body = {'client_id': 'tar', 'job_actions': [*INLINE, {'freezer_action': wrong}]}
            self.refused(422, 'does not support', 'POST', 'jobs', body)


class Methods(BackupsTestCase):
    def test_a_slash_more_and_verbs_that_are_not_served(self) -> None:
        self.assertEqual(200, self.ask('GET', 'jobs/').status_code)
        for method, path in (
            ('PUT', 'jobs/x'),
            ('PATCH', 'jobs'),
            ('PATCH', 'clients/web'),
            ('POST', 'backups/x'),
            ('GET', 'jobs/x/event'),
        ):
            self.assertEqual(405, self.ask(method, path, {}).status_code)
        self.assertEqual(404, self.ask('GET', 'volumes').status_code)


class Logins(BackupsTestCase):
    """Who may do what; the projects of others are closed in both versions."""

    def setUp(self) -> None:
        super().setUp()
        path = str(Path(self.useFixture(fixtures.TempDir()).path, 'users'))
        for user, project, role in (
            ('ann', 'demo', 'member'),
            ('ron', 'demo', 'reader'),
            ('sid', 'demo', 'service'),
            ('eve', 'other', 'member'),
        ):
            userfile.put(path, user, project, role, 'a long password')
        self.client = self.build(api_auth_strategy='http_basic', api_user_file=path)

    def as_user(self, user: str, *request: Any, **options: Any) -> int:
        login = base64.b64encode(f'{user}:a long password'.encode()).decode()
        headers = {'Authorization': f'Basic {login}'}
        return self.ask(*request, headers=headers, **options).status_code

    def test_projects_and_roles(self) -> None:
        body = {'client_id': 'web', 'job_actions': INLINE}
        central = {'client_id': 'c', 'is_central': True}
        for version in (1, 2):
            for user, method, path, sent, status in (
                ('ann', 'POST', 'jobs', body, 201),
                ('ann', 'GET', 'jobs', None, 200),
                ('ann', 'GET', 'jobs?all_projects=true', None, 403),
                ('ann', 'POST', 'clients', central, 403),
                ('ron', 'GET', 'jobs', None, 200),
                ('ron', 'GET', 'clients/web', None, 200),
                ('ron', 'POST', 'jobs', body, 403),
                ('ron', 'DELETE', 'clients/web', None, 403),
                ('eve', 'GET', 'jobs', None, 403),
                ('eve', 'GET', 'clients/web', None, 403),
                ('eve', 'POST', 'jobs', body, 403),
                ('sid', 'GET', 'jobs?all_projects=true', None, 200),
                ('ron', 'GET', 'jobs?all_projects=true', None, 403),
            ):
                with self.row(f'{version} {user} {method} {path}'):
                    found = self.as_user(user, method, path, sent, version=version)
                    self.assertEqual(status, found)
        self.assertEqual(401, self.ask('GET', 'jobs').status_code)

    def test_the_second_user_of_a_project_changes_jobs_and_does_not_own_them(self) -> None:
        job = self.given_as('ann', 'POST', 'jobs', {'client_id': 'web', 'job_actions': []})
        path = f'jobs/{job["job_id"]}'
        self.assertEqual(200, self.as_user('ann', 'PATCH', path, {'description': 'x'}))
        shown = self.given_as('ron', 'GET', path)
        self.assertEqual(('ann', 'x'), (shown['user_id'], shown['description']))

    def given_as(self, user: str, method: str, path: str, body: Any = None) -> Any:
        login = base64.b64encode(f'{user}:a long password'.encode()).decode()
        return self.given(method, path, body, headers={'Authorization': f'Basic {login}'})
