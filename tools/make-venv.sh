#!/bin/sh
# Make a virtual environment with a Python that is new enough: tools/make-venv.sh DIRECTORY
#
# Newest first among the versions that are tested. Each is tried by running it: version managers
# put names on PATH that answer only with an error.
set -eu

directory=$1

is_suitable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Debian and its relatives cut ensurepip out of Python and ship it as python3-venv.
make_with() {
    if "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$1" -m venv --clear "$directory"
    elif "$1" -c 'import virtualenv' >/dev/null 2>&1; then
        "$1" -m virtualenv --quiet --clear "$directory"
    elif command -v virtualenv >/dev/null 2>&1; then
        virtualenv --quiet --clear --python "$1" "$directory"
    else
        return 1
    fi
}

found=
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if is_suitable "$python"; then
        found="$found $python"
        if make_with "$python"; then
            exit 0
        fi
    fi
done

if [ -z "$found" ]; then
    echo "No Python 3.11 or newer was found." >&2
    echo "Install one (Debian 12, Ubuntu 24.04: apt install python3 python3-venv)," >&2
    echo "or name it: make PYTHON=/path/to/python3" >&2
else
    echo "Found$found, but no way to make a virtual environment with it." >&2
    echo "Install one: apt install python3-venv (or any package of virtualenv)." >&2
fi
exit 1
