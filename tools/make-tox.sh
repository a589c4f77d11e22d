#!/bin/sh
# Put tox and bindep into .tox/bootstrap, once. They install everything else.
set -eu

cd "$(dirname "$0")/.."
bootstrap=.tox/bootstrap

if [ -x "$bootstrap/bin/tox" ] && [ -x "$bootstrap/bin/bindep" ]; then
    exit 0
fi
echo "Setting up tox in $bootstrap ..."
tools/make-venv.sh "$bootstrap"
"$bootstrap/bin/python" -m pip install -qq --disable-pip-version-check \
    'bindep>=2.11' 'tox>=4.11,<5'
