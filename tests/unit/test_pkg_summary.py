"""The line that ends a test run tells the truth."""

import io
import tempfile
from pathlib import Path

import subunit
import testtools
from testtools.matchers import Contains

from tests import base
from tools import summary


class SuiteWithEverything(testtools.TestCase):
    def test_pass(self):
        pass

    def test_fail(self):
        self.fail('the reason it failed')

    def test_error(self):
        raise ValueError('the error it met')

    def test_skip(self):
        self.skipTest('the reason it was skipped')

    def test_expected_failure(self):
        self.expectFailure('known', self.fail, 'as known')

    def test_unexpected_success(self):
        self.expectFailure('known', lambda: None)


# Only run from here, never by discovery: half of it fails on purpose.
def load_tests(loader, tests, pattern):
    tests = loader.suiteClass()
    for case in (OutcomesTest, RunTest):
        tests.addTests(loader.loadTestsFromTestCase(case))
    return tests


def stream_of(*names: str, unfinished: tuple[str, ...] = ()) -> bytes:
    """Run tests of the suite and return their subunit stream, as stestr stores it."""
    output = io.BytesIO()
    stream = subunit.StreamResultToBytes(output)
    result = testtools.ExtendedToStreamDecorator(stream)
    result.startTestRun()
    for name in names:
        SuiteWithEverything(name).run(result)
    result.stopTestRun()
    for name in unfinished:
        stream.status(test_id=name, test_status='exists')
        stream.status(test_id=name, test_status='inprogress')
    return output.getvalue()


class OutcomesTest(base.TestCase):
    def outcome(self, name: str) -> summary.Outcome:
        [found] = summary.read_outcomes(io.BytesIO(stream_of(name)))
        self.assertTrue(found.name.endswith(name))
        return found

    def test_states(self):
        states = {
            'test_pass': 'passed',
            'test_fail': 'failed',
            'test_error': 'failed',
            'test_skip': 'skipped',
            'test_expected_failure': 'passed',
            'test_unexpected_success': 'failed',
        }
        self.assertEqual(states, {name: self.outcome(name).state for name in states})

    def test_failure_keeps_its_traceback(self):
        self.assertThat(self.outcome('test_fail').detail, Contains('the reason it failed'))
        self.assertThat(self.outcome('test_error').detail, Contains('ValueError: the error it met'))

    def test_skip_keeps_its_reason(self):
        self.assertEqual('the reason it was skipped', self.outcome('test_skip').detail)

    def test_test_that_never_ended_has_failed(self):
        stream = io.BytesIO(stream_of('test_pass', unfinished=('killed',)))
        states = {o.name.rpartition('.')[2]: o.state for o in summary.read_outcomes(stream)}
        self.assertEqual({'test_pass': 'passed', 'killed': 'failed'}, states)


class RunTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def check(self, name: str, status: int) -> None:
        (self.directory / f'{name}.exit').write_text(f'{status}\n')

    def suite(self, name: str, status: int, stream: bytes) -> None:
        self.check(name, status)
        (self.directory / f'{name}.subunit').write_bytes(stream)

    def report(self) -> list[str]:
        return summary.render(summary.judge_run(summary.read_steps(self.directory)))

    def test_everything_is_counted_once(self):
        self.check('lint', 0)
        self.check('types', 1)
        self.suite('unit', 1, stream_of('test_pass', 'test_fail', 'test_skip'))
        self.suite('functional', 0, stream_of('test_pass'))
        *before, counted, _, last = self.report()
        self.assertEqual('3 passed, 2 failed, 1 skipped', last)
        self.assertEqual(
            'Counted: tests (3 in unit, 1 in functional), checks (lint, types) as one each,',
            counted,
        )
        self.assertIn(f'SKIPPED {self.id_of("test_skip")}: the reason it was skipped', before)
        self.assertIn(f'FAILED {self.id_of("test_fail")}', before)
        self.assertIn('FAILED types', before)
        reason = 'AssertionError: the reason it failed'
        self.assertIn(f'FAILED {self.id_of("test_fail")}: {reason}', before)

    def id_of(self, name: str) -> str:
        return SuiteWithEverything(name).id()

    def test_green_run(self):
        self.check('lint', 0)
        self.suite('unit', 0, stream_of('test_pass'))
        self.assertEqual('2 passed, 0 failed, 0 skipped', self.report()[-1])

    def test_suite_without_any_test_has_failed(self):
        self.suite('unit', 0, stream_of('test_pass'))
        self.suite('functional', 0, b'')
        self.assertEqual('1 passed, 1 failed, 0 skipped', self.report()[-1])

    def test_run_in_which_every_test_was_skipped_has_failed(self):
        self.check('lint', 0)
        self.suite('unit', 0, stream_of('test_skip'))
        self.assertEqual('1 passed, 1 failed, 1 skipped', self.report()[-1])

    def test_exit_status_counts_where_no_test_failed(self):
        self.suite('unit', 3, stream_of('test_pass'))
        (self.directory / 'unit.stderr').write_text('a worker died\n')
        self.assertEqual('1 passed, 1 failed, 0 skipped', self.report()[-1])
        self.assertIn('    a worker died', self.report())

    def test_run_without_suites_has_failed(self):
        self.check('lint', 0)
        self.assertEqual('1 passed, 1 failed, 0 skipped', self.report()[-1])
