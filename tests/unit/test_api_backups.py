"""Clients, actions, jobs, sessions and backups, in both versions."""

from typing import Any

from tests.unit.backups_fixture import BACKUP, FILES, BackupsTestCase


class Version2Test(BackupsTestCase):
    def test_clients(self) -> None:
        body = {'client_id': 'demo_db.example.org', 'supported_modes': ['fs'], 'description': 'd'}
        answer = self.ask('POST', 'clients', body)
        self.assertEqual(
            (201, {'client_id': 'demo_db.example.org'}), (answer.status_code, answer.json)
        )
        shown = self.given('GET', 'clients/demo_db.example.org')['client']
        self.assertEqual(
            (['fs'], 'd', [], False),
            (
                shown['supported_modes'],
                shown['description'],
                shown['supported_actions'],
                shown['is_central'],
            ),
        )
        self.assertRegex(shown['uuid'], '^[0-9a-f]{32}$')
        listed = self.given('GET', 'clients')['clients']
        self.assertEqual(['web', 'demo_db.example.org'], [c['client']['client_id'] for c in listed])
        self.refused(409, 'registered', 'POST', 'clients', body)
        self.assertEqual(204, self.ask('DELETE', 'clients/demo_db.example.org').status_code)
        self.refused(404, 'no client', 'GET', 'clients/demo_db.example.org')
        self.refused(404, 'no client', 'DELETE', 'clients/demo_db.example.org')
        self.assertEqual(405, self.ask('PATCH', 'clients/web', {}).status_code)

    def test_actions(self) -> None:
        made = self.given('POST', 'actions', {'freezer_action': FILES, 'extra': 1})
        path = f'actions/{made["action_id"]}'
        shown = self.given('GET', path)
        self.assertEqual(
            {**FILES, 'timeout': None, 'priority': None, 'log_file': None}, shown['freezer_action']
        )
        self.assertEqual(
            (5, 6, False, 'demo', 1),
            tuple(
                shown[name]
                for name in (
                    'max_retries',
                    'max_retries_interval',
                    'mandatory',
                    'project_id',
                    '_version',
                )
            ),
        )
        changed = self.given('PATCH', path, {'freezer_action': {'mode': 'nova'}, 'mandatory': True})
        self.assertEqual({**made, 'version': 2}, changed)
        shown = self.given('GET', path)
        self.assertEqual(
            ('nova', '/etc', True),
            (
                shown['freezer_action']['mode'],
                shown['freezer_action']['path_to_backup'],
                shown['mandatory'],
            ),
        )
        self.given('POST', path, {'freezer_action': {'action': 'restore'}, 'max_retries': 0})
        shown = self.given('GET', path)
        self.assertEqual(
            (0, 6, 'restore', None, 3),
            (
                shown['max_retries'],
                shown['max_retries_interval'],
                shown['freezer_action']['action'],
                shown['freezer_action']['mode'],
                shown['_version'],
            ),
        )
        self.assertEqual([shown], self.given('GET', 'actions')['actions'])
        self.assertEqual(
            201, self.ask('POST', 'actions/mine', {'freezer_action': FILES}).status_code
        )
        self.given('DELETE', path)
        self.refused(404, 'no action', 'DELETE', path)

    def test_jobs(self) -> None:
        part = {'freezer_action': FILES, 'mandatory': True, 'max_retries': 1}
        body = {
            'client_id': 'web',
            'job_actions': [part, {'freezer_action': {'mode': 'fs'}}],
            'job_schedule': {'schedule_interval': '1 hour'},
            'action_defaults': {'action': 'backup', 'storage': 's3'},
            'description': 'nightly',
            'job_id': 'chosen',
        }
        self.assertEqual({'job_id': 'chosen'}, self.given('POST', 'jobs', body))
        job = self.job('chosen')
        first, second = job['job_actions']
        self.assertEqual(
            (1, 6, True, 's3'),
            (
                first['max_retries'],
                first['max_retries_interval'],
                first['mandatory'],
                first['freezer_action']['storage'],
            ),
        )
        self.assertEqual(
            ('backup', 'fs'), (second['freezer_action']['action'], second['freezer_action']['mode'])
        )
        plan = job['job_schedule']
        self.assertEqual(
            ('', '1 hour', -1, -1),
            (plan['event'], plan['schedule_interval'], plan['time_started'], plan['time_ended']),
        )
        self.assertLess(1_700_000_000, plan['time_created'])
        changed = self.given('PATCH', 'jobs/chosen', {'job_schedule': {'status': 'scheduled'}})
        self.assertEqual({'job_id': 'chosen', 'version': 2}, changed)
        self.assertEqual({**plan, 'status': 'scheduled'}, self.job('chosen')['job_schedule'])
        self.given('POST', 'jobs/chosen', {'client_id': 'web', 'job_actions': []})
        replaced = self.job('chosen')
        self.assertEqual(
            ('', [], plan['time_created'], 3),
            (
                replaced['description'],
                replaced['job_actions'],
                replaced['job_schedule']['time_created'],
                replaced['_version'],
            ),
        )
        self.assertNotIn('schedule_interval', replaced['job_schedule'])
        self.given('POST', 'jobs/another', body | {'job_id': 'another'})
        self.assertEqual(
            ['chosen', 'another'], [job['job_id'] for job in self.given('GET', 'jobs')['jobs']]
        )
        self.given('DELETE', 'jobs/chosen')
        self.refused(404, "no job 'chosen'", 'GET', 'jobs/chosen')

    def test_a_document_that_was_read_can_be_sent_back(self) -> None:
        job_id = self.new_job(job_schedule={'schedule_hour': '3'})
        job = self.job(job_id)
        for method in ('PATCH', 'POST'):
            answer = self.given(method, f'jobs/{job_id}', job)
            self.assertEqual(1, answer['version'])
        session_id = self.new_session(job_id)
        session = self.given('GET', f'sessions/{session_id}')
        self.assertEqual(
            session['_version'], self.given('PATCH', f'sessions/{session_id}', session)['version']
        )

    def test_events(self) -> None:
        path = f'jobs/{self.new_job(job_schedule={"status": "completed", "result": "fail"})}'
        for event in ('start', 'stop', 'abort'):
            answer = self.ask('POST', f'{path}/event', {event: None})
            self.assertEqual((202, {'result': 'success'}), (answer.status_code, answer.json))
            again = self.given('POST', f'{path}/event', {event: None})
            self.assertEqual({'result': f'{event} already requested'}, again)
            self.assertEqual(event, self.given('GET', path)['job_schedule']['event'])
        self.assertEqual(
            ('', ''),
            tuple(self.given('GET', path)['job_schedule'][name] for name in ('status', 'result')),
        )

    def test_sessions(self) -> None:
        one, two = self.new_job(), self.new_job()
        session_id = self.new_session(one, two, description='all', schedule={'schedule_hour': '3'})
        path = f'sessions/{session_id}'
        self.assertEqual(
            (session_id, '3'),
            (self.job(one)['session_id'], self.job(one)['job_schedule']['schedule_hour']),
        )
        self.assertEqual(
            {'result': 'success', 'session_tag': 1},
            self.act(path, start={'job_id': one, 'current_tag': '0'}),
        )
        self.assertEqual(
            'hold-off', self.act(path, start={'job_id': one, 'current_tag': 1})['result']
        )
        self.act(path, start={'job_id': two, 'current_tag': 0})
        for job_id in (one, two):
            end = {'job_id': job_id, 'result': 'success', 'current_tag': 1}
            self.assertEqual({'result': 'success', 'session_tag': 1}, self.act(path, end=end))
        shown = self.given('GET', path)
        self.assertEqual(
            ('completed', 'success', {'completed'}),
            (shown['status'], shown['result'], {job['status'] for job in shown['jobs'].values()}),
        )
        self.assertEqual(shown, self.given('GET', 'sessions')['sessions'][0])
        self.given('PATCH', path, {'hold_off': 5})
        self.given('POST', path, {'schedule': {}, 'session_tag': 4})
        replaced = self.given('GET', path)
        self.assertEqual(
            (4, 30, '', {one, two}),
            (
                replaced['session_tag'],
                replaced['hold_off'],
                replaced['description'],
                set(replaced['jobs']),
            ),
        )
        self.given('DELETE', f'{path}/jobs/{one}')
        self.assertEqual(
            ('', 'stop', '3'),
            (
                self.job(one)['session_id'],
                *(self.job(one)['job_schedule'][name] for name in ('event', 'schedule_hour')),
            ),
        )
        self.given('DELETE', path)
        self.assertEqual('', self.job(two)['session_id'])

    def act(self, path: str, **action: Any) -> Any:
        return self.given('POST', f'{path}/action', action)

    def test_what_was_read_and_is_sent_back_changes_nothing(self) -> None:
        paths = [f'jobs/{self.new_job()}', f'sessions/{self.new_session()}']
        for kind, body in (('actions', {'freezer_action': FILES}), ('backups', BACKUP)):
            made = self.given('POST', kind, body)
            paths.append(f'{kind}/{made[f"{kind[:-1]}_id"]}')
        for path in paths:
            description = {'actions': {'max_retries': 1}, 'backups': {'status': 'error'}}
            kind = path.partition('/')[0]
            self.given('PATCH', path, description.get(kind, {'description': 'new'}))
            read = self.given('GET', path)
            for method in ('PATCH', 'POST'):
                if (method, kind) != ('POST', 'backups'):
                    self.given(method, path, read)
                    self.assertEqual(read, self.given('GET', path))
            for member in ('project_id', 'user_id', f'{kind[:-1]}_id'):
                self.refused(400, member, 'PATCH', path, {**read, member: 'other'})

    def test_backups(self) -> None:
        backup_id = self.given('POST', 'backups', BACKUP)['backup_id']
        path = f'backups/{backup_id}'
        shown = self.given('GET', path)
        self.assertEqual(
            (BACKUP, 'available', 'anonymous'),
            (shown['backup_metadata'], shown['status'], shown['user_id']),
        )
        changed = self.given('PATCH', path, {'status': 'error', 'backup_metadata': {'level': 1}})
        self.assertEqual(
            ('error', {**BACKUP, 'level': 1}), (changed['status'], changed['backup_metadata'])
        )
        self.assertEqual([changed], self.given('GET', 'backups')['backups'])
        self.given('DELETE', path)
        self.refused(404, 'no backup', 'GET', path)

    def test_pages_and_searches(self) -> None:
        names = [self.new_job(description=f'd{n}') for n in range(12)]
        for query, expected in (
            ('', names[:10]),
            ('?limit=100', names),
            ('?limit=3&offset=2', names[2:5]),
            ('?limit=5000&offset=11', names[11:]),
            ('?offset=50', []),
        ):
            self.assertEqual(expected, self.found(query))
        self.assertEqual([names[3]], self.found('', {'match': [{'description': 'd3'}]}))
        self.assertEqual(
            names[1:3],
            self.found(
                '?limit=2', {'match': [{'mode': 'fs'}], 'match_not': [{'description': 'd0'}]}
            ),
        )
        self.assertEqual(
            [names[4]],
            self.found('', {'match': [{'client_id': 'web'}, {'_all': '[{"description": "d4"}]'}]}),
        )
        self.assertEqual(10, len(self.found('', {})))

    def found(self, query: str, search: Any = None) -> list[str]:
        return [job['job_id'] for job in self.given('GET', f'jobs{query}', search)['jobs']]

    def test_jobs_of_all_projects(self) -> None:
        job_id = self.new_job()
        self.given('POST', 'clients', {'client_id': 'web'}, project='other')
        body = {'client_id': 'web', 'job_actions': []}
        theirs = self.given('POST', 'jobs', body, project='other')['job_id']
        self.assertEqual([job_id], self.found(''))
        self.assertEqual([job_id], self.found('?all_projects=False'))
        self.assertEqual([job_id, theirs], self.found('?all_projects=True'))

    def test_pools_and_flavors_are_no_projects(self) -> None:
        body = {'uri': 'local://', 'weight': 1}
        answer = self.client.simulate_put('/v2/pools/jobs', json=body)
        self.assertEqual(201, answer.status_code)
        self.assertEqual('jobs', self.client.simulate_get('/v2/pools/jobs').json['name'])
        answer = self.client.simulate_get('/v2/flavors/jobs')
        self.assertIn('Flavor jobs', answer.json['description'])


class Version1Test(BackupsTestCase):
    version = 1

    def test_a_scheduler_sends_back_the_whole_document_that_it_polled(self) -> None:
        """Several times: so no version is in it, as in Freezer's lists."""
        self.new_job(job_schedule={'schedule_interval': '1 hour'})
        ((polled,), version) = self.given('GET', 'jobs')['jobs'], 1
        path = f'jobs/{polled["job_id"]}'
        for state in ({'status': 'scheduled'}, {'status': 'running', 'current_pid': 7},
                      {'status': 'completed', 'result': 'success', 'time_ended': 9}):  # fmt: skip
            polled['job_schedule'].update(state)
            self.given('PATCH', path, polled)
            version += 1
        shown = self.given('GET', path)
        self.assertEqual(version, shown.pop('_version'))
        self.assertEqual(polled, shown)

    def test_it_is_another_view_of_the_same(self) -> None:
        job_id = self.new_job()
        old, new = self.job(job_id), self.given('GET', f'jobs/{job_id}', version=2)
        self.assertEqual(FILES, old['job_actions'][0]['freezer_action'])
        self.assertEqual('demo', new.pop('project_id'))
        new['job_actions'][0]['freezer_action'] = FILES
        self.assertEqual(new, old)
        self.assertEqual(1, old['_version'])

    def test_events_and_rounds_work_here_too(self) -> None:
        job_id = self.new_job()
        self.assertEqual(
            'success', self.given('POST', f'jobs/{job_id}/event', {'stop': {}})['result']
        )
        session_id = self.new_session(job_id)
        session = self.given('GET', f'sessions/{session_id}')
        self.assertEqual(('', ''), (session['last_start'], session['result']))
        self.assertNotIn('time_start', session)
        action = {'start': {'job_id': job_id, 'current_tag': 0}}
        self.given('POST', f'sessions/{session_id}/action', action)
        self.assertIn('time_start', self.given('GET', f'sessions/{session_id}'))

    def test_clients_and_backups(self) -> None:
        (client,) = self.given('GET', 'clients')['clients']
        self.assertEqual({'client', 'user_id'}, set(client))
        backup_id = self.given('POST', 'backups', BACKUP)['backup_id']
        self.assertEqual(
            {
                'backup_id': backup_id,
                'user_id': 'anonymous',
                'user_name': 'anonymous',
                'backup_metadata': BACKUP,
                '_version': 1,
            },
            self.given('GET', f'backups/{backup_id}'),
        )

    def test_without_a_project_named_it_is_the_callers_own(self) -> None:
        answer = self.client.simulate_get('/v1/clients')
        self.assertEqual((200, {'clients': []}), (answer.status_code, answer.json))
