#!/bin/sh
# Run every check and every test, and end with one line: N passed, N failed, N skipped.
# Called by `make test`. Exits non-zero when anything failed, or could not be run.
#
# ALLOW_MISSING=1 goes on without the system packages that cannot be installed; the tests that
# need them are skipped.
set -eu

cd "$(dirname "$0")/.."
bootstrap=.tox/bootstrap
shared=.tox/shared
results=.tox/results

# Before there is anything to sum up: whatever stops us here is the one failure.
give_up() {
    echo
    echo "FAILED setup: $1"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}

rm -rf "$results"
mkdir -p "$results"

tools/make-tox.sh || give_up "tox could not be installed"

if ! tools/install-test-packages.sh "$bootstrap/bin/bindep"; then
    [ -n "${ALLOW_MISSING:-}" ] || give_up "packages are missing (ALLOW_MISSING=1 goes on without)"
fi

run() {
    name=$1
    shift
    echo
    echo "== $name"
    status=0
    "$bootstrap/bin/tox" run -q -e "$name" "$@" || status=$?
    echo "$status" >"$results/$name.exit"
}

for check in lint types imports; do
    run "$check"
done

# Failed tests are shown by the summary, with their tracebacks and logs; a hundred passed ones are
# a line, so that nothing hides the others.
progress() {
    awk '/^\{[0-9]+\} .* \.\.\. ok$/ { if (++passed % 100 == 0) print "  " passed " passed"; next }
         { print } { fflush() }'
}

# A repository for each suite and each run: results of an earlier run can never be counted. What
# the tests' processes say on stderr is kept, and shown when it has to explain a failure.
for suite in unit functional; do
    mkdir "$results/stestr-$suite"
    TEST_STESTR_OPTIONS="--repo-url $results/stestr-$suite"
    export TEST_STESTR_OPTIONS
    run "$suite" 2>"$results/$suite.stderr" | progress
    "$shared/bin/stestr" --repo-url "$results/stestr-$suite" last --subunit \
        >"$results/$suite.subunit" 2>/dev/null || true  # fails when tests did, and without results
done

[ -x "$shared/bin/python" ] || give_up "the test environment could not be made"
exec "$shared/bin/python" tools/summary.py "$results"
