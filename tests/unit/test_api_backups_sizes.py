"""Documents that many small requests, or one of many parts, would make too large."""

from tests.unit.backups_fixture import BACKUP, FILES, BackupsTestCase

LARGE = {'notes': 'x' * 50_000}


class Sizes(BackupsTestCase):
    def test_changes_make_no_document_too_large(self) -> None:
        backup = self.given('POST', 'backups', BACKUP)['backup_id']
        action = self.given('POST', 'actions', {'freezer_action': FILES})['action_id']
        for path, member in (
            (f'backups/{backup}', 'backup_metadata'),
            (f'actions/{action}', 'freezer_action'),
        ):
            for part in ('one', 'two'):
                self.given('PATCH', path, {member: {part: LARGE}})
            self.refused(400, 'characters of JSON', 'PATCH', path, {member: {'three': LARGE}})
            self.assertNotIn('three', self.given('GET', path)[member])
            self.given('PATCH', path, {member: {'two': 0, 'three': LARGE}})

    def test_changes_add_members_up_to_what_a_body_may_have(self) -> None:
        """So that what was read may be sent back."""
        backup = self.given('POST', 'backups', BACKUP)['backup_id']
        action = self.given('POST', 'actions', {'freezer_action': FILES})['action_id']
        for path, member in (
            (f'backups/{backup}', 'backup_metadata'),
            (f'actions/{action}', 'freezer_action'),
        ):
            for part in 'ab':
                more = {f'{part}{n}': n for n in range(100)}
                stored = len(self.given('GET', path)[member])
                if part == 'a':
                    self.given('PATCH', path, {member: more})
                else:
                    self.assertLess(100, stored)
                    self.refused(400, '200 members', 'PATCH', path, {member: more})

    def test_defaults_are_not_multiplied_without_end(self) -> None:
        body = {
            'client_id': 'web',
            'job_actions': [{'freezer_action': {'container': f'c{n}'}} for n in range(3)],
            'action_defaults': {**FILES, **LARGE},
        }
        self.refused(400, 'job_actions', 'POST', 'jobs', body)
        self.given('POST', 'jobs', {**body, 'job_actions': body['job_actions'][:2]})
        path = f'jobs/{self.new_job()}'
        self.refused(
            400, 'job_actions', 'PATCH', path, {k: v for k, v in body.items() if k != 'client_id'}
        )

    def test_defaults_are_members_too(self) -> None:
        body = {
            'client_id': 'web',
            'job_actions': [{'freezer_action': {f'own{n}': n for n in range(150)}}],
            'action_defaults': {**FILES, **{f'default{n}': n for n in range(100)}},
        }
        self.refused(400, 'one of job_actions would have more than 200', 'POST', 'jobs', body)

    def test_thousands_of_names_come_and_go(self) -> None:
        path = f'backups/{self.given("POST", "backups", BACKUP)["backup_id"]}'
        self.given('PATCH', path, {'backup_metadata': {'many': {f'{n}': 1 for n in range(8000)}}})
        self.assertEqual(1, len(self.given('GET', 'backups', {'match': [{'7999': 1}]})['backups']))
        self.given('PATCH', path, {'backup_metadata': {'many': 0}})
        self.assertEqual([], self.given('GET', 'backups', {'match': [{'7999': 1}]})['backups'])
