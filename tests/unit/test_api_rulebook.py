"""Rules changed by files, right ones and wrong ones."""

from pathlib import Path

import fixtures
from oslo_policy import policy

from api.auth.identity import ADMIN, EVERY, Identity
from api.auth.rulebook import Rulebook
from slotwright.loading import InvalidConfiguration
from tests.guarded import wait_until
from tests.unit.api_fixture import ApiTestCase

MEMBER = Identity('alice', frozenset({'acme'}), frozenset({'member'}))
SCRAPER = Identity('prometheus', frozenset({'none'}), frozenset({'monitor'}))
DENIED = '"cluster:create": "role:builder"\n'
ALLOWED = '"cluster:create": "role:builder or role:member"\n'


class RulebookTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.path = self.directory / 'rules.yaml'
        self.path.write_text(DENIED)
        policy.Enforcer(self.conf)  # registers the options
        self.conf.set_override('policy_file', str(self.path), 'oslo_policy')
        self.conf.set_override('policy_dirs', [str(self.directory / 'more')], 'oslo_policy')

    def may_create(self, rulebook: Rulebook) -> bool:
        return rulebook.allows('cluster:create', MEMBER, 'acme')

    def test_a_file_overrides_the_defaults_and_may_change(self) -> None:
        rulebook = Rulebook(self.conf, look_every=0)
        self.assertFalse(self.may_create(rulebook))
        self.assertTrue(rulebook.allows('cluster:show', MEMBER, 'acme'))
        self.assertFalse(rulebook.allows('cluster:show', MEMBER, 'other'))
        self.path.write_text(ALLOWED)
        self.assertTrue(self.may_create(rulebook))

    def test_a_directory_overrides_the_file(self) -> None:
        more = self.directory / 'more'
        rulebook = Rulebook(self.conf, look_every=0)
        more.mkdir()
        (more / '10.yaml').write_text(ALLOWED)
        (more / '.hidden').write_text('nonsense')
        self.assertTrue(self.may_create(rulebook))
        (more / '20.yaml').write_text(DENIED)
        self.assertFalse(self.may_create(rulebook))
        (more / '20.yaml').unlink()
        self.assertTrue(self.may_create(rulebook))

    def test_rules_of_its_own(self) -> None:
        self.path.write_text('"ours": "role:member"\n"cluster:create": "rule:ours"\n')
        self.assertTrue(self.may_create(Rulebook(self.conf, look_every=0)))

    def test_nobody_and_everybody(self) -> None:
        for text, allowed in (('!', False), ('not !', True), ('@', True), ('', True)):
            self.path.write_text(f'"cluster:create": "{text}"\n')
            with self.row(text):
                self.assertEqual(allowed, self.may_create(Rulebook(self.conf, look_every=0)))

    def test_mistakes(self) -> None:
        for text, expected in (
            ('"cluster:create": ["', 'rules.yaml: '),
            ('- a\n- b\n', 'a line is'),
            ('some text', 'a line is'),
            ('"cluster:create": 5', 'cluster:create: a rule is a string, not 5'),
            ('"cluster:create": ["role:member"]', 'a rule is a string'),
            ('5: "role:member"', 'a rule is a string'),
            ('"cluster:create": "role:member and"', "'role:member and' is no rule"),
            ('"cluster:create": "member"', "'member' is no rule"),
            ('"cluster:create": "role:member or member"', 'is no rule'),
            ('"cluster:create": "rule:none"', 'refer to a rule that is not there'),
            ('"cluster:create": "rule:cluster:create"', 'or to themselves'),
            ('"cluster:craete": "!"', 'cluster:craete: there is no such rule'),
            ('"cluster:create": "role:\udcff"', 'utf-8'),
        ):
            self.path.write_text(DENIED)
            rulebook = Rulebook(self.conf, look_every=0)
            self.path.write_text(text, errors='surrogateescape')
            with self.row(text):
                error = self.assertRaises(InvalidConfiguration, Rulebook, self.conf)
                self.assertIn(expected, str(error))
                self.assertIn(str(self.path), str(error))
                self.assertNotIn('\n', str(error))
                before = self.log.output.count('The rules stay as they were')
                for _ in range(3):
                    self.assertFalse(self.may_create(rulebook))
                    self.assertTrue(rulebook.allows('cluster:show', MEMBER, 'acme'))
                told = self.log.output.count('The rules stay as they were') - before
                self.assertEqual(1, told)

    def test_a_file_that_is_not_there(self) -> None:
        rulebook = Rulebook(self.conf, look_every=0)
        self.path.unlink()
        error = self.assertRaises(InvalidConfiguration, Rulebook, self.conf)
        self.assertIn(f'there is no file {self.path}', str(error))
        self.assertFalse(self.may_create(rulebook))
        self.assertIn('The rules stay as they were: [oslo_policy] policy_file', self.log.output)
        self.path.write_text(ALLOWED)
        self.assertTrue(self.may_create(rulebook))

    def test_nobody_has_to_have_a_file(self) -> None:
        self.conf.clear_override('policy_file', 'oslo_policy')
        self.conf(['--config-dir', str(self.directory)], project='slotwright')
        rulebook = Rulebook(self.conf, look_every=0)
        self.assertTrue(self.may_create(rulebook))
        found = self.directory / 'policy.yaml'
        found.write_text(DENIED)
        self.assertFalse(self.may_create(rulebook))
        found.unlink()  # perhaps an editor will put another in its place
        self.assertFalse(self.may_create(rulebook))
        self.assertIn('policy_file is gone', self.log.output)

    def test_metrics_can_be_given_to_somebody_who_may_nothing_else(self) -> None:
        self.path.write_text('"metrics:show": "rule:admin or role:monitor"\n')
        rulebook = Rulebook(self.conf, look_every=0)
        self.assertTrue(rulebook.allows('metrics:show', SCRAPER, None))
        self.assertFalse(rulebook.allows('metrics:show', MEMBER, None))
        self.assertFalse(rulebook.allows('instance:index_all', SCRAPER, 'none'))

    def test_requests_are_refused_by_it(self) -> None:
        self.project = 'acme'
        self.path.write_text('"cluster:index": "!"\n')
        self.client = self.build()
        refused = self.call('GET', 'clusters')
        self.assert_refused(refused, 403, 'forbidden', "doesn't allow cluster:index")
        self.path.write_text('"cluster:index": ["')
        self.assertEqual(403, self.call('GET', 'clusters').status_code)
        self.path.write_text('{}')
        wait_until(lambda: self.call('GET', 'clusters').status_code == 200, 'the new rules')

    def test_files_are_looked_at_now_and_then(self) -> None:
        now = [0.0]
        rulebook = Rulebook(self.conf, look_every=1, clock=lambda: now[0])
        self.assertFalse(self.may_create(rulebook))
        self.path.write_text(ALLOWED)
        now[0] = 0.9
        self.assertFalse(self.may_create(rulebook))
        now[0] = 1.0
        self.assertTrue(self.may_create(rulebook))

    def test_answers_about_names_that_are_no_project_are_not_kept(self) -> None:
        admin = Identity('root', frozenset({EVERY}), frozenset({ADMIN}))
        rulebook = Rulebook(self.conf)
        asked = self.useFixture(
            fixtures.MockPatch('oslo_policy.policy.Enforcer.authorize', return_value=True)
        ).mock
        for length, calls in ((255, 1), (60_000, 2)):
            asked.reset_mock()
            for _ in range(2):
                self.assertTrue(rulebook.allows('cluster:show', admin, 'x' * length))
            self.assertEqual(calls, asked.call_count)

    def test_what_another_service_answers_is_asked_each_time(self) -> None:
        answers = [True, False, True]
        self.useFixture(
            fixtures.MockPatch(
                'oslo_policy._external.HttpCheck.__call__', lambda *_, **__: answers.pop(0)
            )
        )
        self.path.write_text('"cluster:create": "rule:asked"\n"asked": "http://127.0.0.1:1/x"\n')
        rulebook = Rulebook(self.conf)
        self.assertEqual([True, False, True], [self.may_create(rulebook) for _ in range(3)])
