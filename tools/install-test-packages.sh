#!/bin/sh
# Install the Debian packages that the tests need: tools/install-test-packages.sh [BINDEP]
#
# Asks bindep what bindep.txt names and this system lacks. As root on a system with apt it installs
# that; else it says what is missing and fails. No service is started, and none that runs is
# touched: the tests start servers of their own.
set -eu

cd "$(dirname "$0")/.."
bindep=${1:-bindep}
policy=/usr/sbin/policy-rc.d

if ! command -v dpkg >/dev/null 2>&1; then
    echo "bindep.txt knows package names for Debian and its relatives only. Where one of these is"
    echo "not installed, the tests that need it are skipped:"
    sed 's/^/    /;/^ *#/d;/^ *$/d;s/ \[.*//' bindep.txt
    exit 0
fi

missing=$("$bindep" --brief test) && exit 0
missing=$(printf '%s' "$missing" | tr '\n' ' ')
# bindep fails for other reasons too, and then names nothing.
if [ -z "$missing" ]; then
    "$bindep" test || true
    exit 1
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need packages that are not installed. Install them with:" >&2
    echo "    sudo apt-get install --no-install-recommends $missing" >&2
    exit 1
fi

# Debian's packages start their services unless this file forbids it.
restore() {
    rm -f "$policy"
    if [ -e "$policy.before-tests" ]; then
        mv "$policy.before-tests" "$policy"
    fi
}
if [ -e "$policy" ]; then
    mv "$policy" "$policy.before-tests"
fi
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

install() {
    apt-get update -qq || return
    # shellcheck disable=SC2086  # one word for each package
    apt-get install -qq -y --no-install-recommends $missing
}

export DEBIAN_FRONTEND=noninteractive
echo "Installing system packages: $missing"
if ! said=$(install </dev/null 2>&1); then
    echo "$said" >&2
    exit 1
fi
