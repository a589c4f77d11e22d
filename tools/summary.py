"""Sum up a test run: ``python tools/summary.py DIRECTORY``.

The directory holds, for each step, ``NAME.exit`` (the exit status of its command) and, when the
step was a suite of tests, ``NAME.subunit`` (its results, as ``stestr last --subunit`` gives them)
and ``NAME.stderr``. A step without results is a check and counts as one, passed or failed.

Prints what failed with its traceback, then in a line each what failed and what was skipped with
the reason, what the numbers count, and last one line: ``N passed, N failed, N skipped``. Exits 1
when anything failed.

The exit statuses keep the results honest: a suite that fails without a failed test (a module that
cannot be imported, a worker that crashed) counts as failed, so does one in which no test ran, and
so does a whole run in which every test was skipped.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import subunit
import testtools

RUN = 'run'
STATES = ('passed', 'failed', 'skipped')
STDERR_LINES = 50

# What testtools calls the ends of a test. Anything else, 'inprogress' above all, is a test that
# began and never ended.
PASSED = frozenset({'success', 'xfail'})
SKIPPED = frozenset({'skip'})
NOT_RUN = frozenset({'exists'})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test or check: ``state`` is passed, failed or skipped; ``detail`` says why."""

    name: str
    state: str
    detail: str = ''


@dataclass(slots=True)
class Step:
    """One step of the run and what came of it."""

    name: str
    is_suite: bool
    outcomes: list[Outcome] = field(default_factory=list)
    breakage: list[Outcome] = field(default_factory=list)  # of a suite as a whole

    def count(self, state: str) -> int:
        return sum(outcome.state == state for outcome in self.outcomes)


def read_outcomes(stream: BinaryIO) -> list[Outcome]:
    """Read a subunit v2 stream; a test that was never finished counts as failed."""
    outcomes: list[Outcome] = []

    def on_test(test: dict[str, Any]) -> None:
        if test['status'] not in NOT_RUN:
            outcomes.append(_outcome(test))

    result = testtools.StreamToDict(on_test)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(stream, non_subunit_name='output').run(result)
    result.stopTestRun()
    return outcomes


def _outcome(test: dict[str, Any]) -> Outcome:
    details = {name: content.as_text() for name, content in test['details'].items()}
    status = test['status']
    if status in PASSED:
        return Outcome(test['id'], 'passed')
    if status in SKIPPED:
        return Outcome(test['id'], 'skipped', details.get('reason', 'no reason given').strip())
    text = '\n'.join(f'{name}:\n{detail}' for name, detail in details.items() if detail.strip())
    return Outcome(test['id'], 'failed', text if status == 'fail' else f'ended as {status}\n{text}')


def judge_suite(name: str, status: int, stream: BinaryIO, stderr: str = '') -> Step:
    """Read a suite's results and hold them against its exit status."""
    step = Step(name, is_suite=True, outcomes=read_outcomes(stream))
    why = ''
    if not step.outcomes:
        why = f'no test ran (exit status {status})'
    elif status != 0 and step.count('failed') == 0:
        why = f'exit status {status}, though no test failed'
    if why:
        said = '\n'.join([why, *stderr.splitlines()[-STDERR_LINES:]])
        step.breakage.append(Outcome(name, 'failed', said))
    return step


def judge_check(name: str, status: int) -> Step:
    """Turn the exit status of a check into one outcome."""
    state = 'passed' if status == 0 else 'failed'
    outcome = Outcome(name, state, '' if status == 0 else f'exit status {status}: see above')
    return Step(name, is_suite=False, outcomes=[outcome])


def read_steps(directory: Path) -> Iterator[Step]:
    """Read every step in the order in which they ended."""
    for exit_file in sorted(directory.glob('*.exit'), key=lambda path: path.stat().st_mtime_ns):
        status = int(exit_file.read_text())
        results = exit_file.with_suffix('.subunit')
        if results.exists():
            with results.open('rb') as stream:
                stderr = exit_file.with_suffix('.stderr')
                said = stderr.read_text(errors='replace') if stderr.exists() else ''
                yield judge_suite(exit_file.stem, status, stream, said)
        else:
            yield judge_check(exit_file.stem, status)


def judge_run(steps: Iterable[Step]) -> list[Step]:
    """Add a failure when no test of any suite was executed."""
    judged = list(steps)
    executed = sum(s.count('passed') + s.count('failed') for s in judged if s.is_suite)
    if executed == 0:
        nothing = Outcome(RUN, 'failed', 'no test was executed')
        judged.append(Step(RUN, is_suite=True, breakage=[nothing]))
    return judged


def _reason(detail: str) -> str:
    """The line that a traceback ends with; without one, the first line."""
    _, _, traceback = detail.rpartition('Traceback (most recent call last):\n')
    raised = [line for line in traceback.splitlines() if line and not line.startswith(' ')]
    return (raised or detail.splitlines() or [''])[0]


def render(steps: list[Step]) -> list[str]:
    """Write the report; its last line is the result."""
    outcomes = [outcome for step in steps for outcome in step.outcomes + step.breakage]
    lines = []
    for failure in (o for o in outcomes if o.state == 'failed'):
        lines += ['', f'FAILED {failure.name}', *(f'    {d}' for d in failure.detail.splitlines())]
    failed = [o for o in outcomes if o.state == 'failed']
    lines += ['', *(f'FAILED {o.name}: {_reason(o.detail)}' for o in failed)] if failed else []
    skipped = [o for o in outcomes if o.state == 'skipped']
    lines += ['', *(f'SKIPPED {o.name}: {o.detail}' for o in skipped)] if skipped else []
    checks = ', '.join(step.name for step in steps if not step.is_suite) or 'none'
    suites = [f'{len(s.outcomes)} in {s.name}' for s in steps if s.is_suite and s.name != RUN]
    lines += ['', f'Counted: tests ({", ".join(suites) or "none"}), checks ({checks}) as one each,']
    lines += ['and as one failure each whatever broke without being a test.']
    totals = {state: sum(o.state == state for o in outcomes) for state in STATES}
    lines.append(', '.join(f'{totals[state]} {state}' for state in STATES))
    return lines


def main(directory: str) -> int:
    """Print the report and return the exit status."""
    steps = judge_run(read_steps(Path(directory)))
    sys.stdout.write('\n'.join(render(steps)) + '\n')
    return 1 if any(step.breakage or step.count('failed') for step in steps) else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
