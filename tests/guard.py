"""Run one command and outlive nobody: when stdin closes, everything it started is gone.

``python guard.py [--linger] PIDFILE COMMAND…`` is how the tests start servers. The test process
holds the other end of stdin, so whatever way it ends, SIGKILL included, the pipe closes and the
guard stops the command and every descendant, daemonised ones too: the guard is their reaper
(PR_SET_CHILD_SUBREAPER), so a process that forks twice comes back as a child of the guard.
PR_SET_PDEATHSIG alone would do neither: it is bound to the thread that forked, lost by setuid
wrappers, and unknown to grandchildren.

The guard writes the pid of the command to PIDFILE. When the command ends by itself, so does the
rest, and the guard exits with its status; with ``--linger`` what the command left running stays
until stdin closes, which is how a test kills a daemon and finds its children alive.

It is a script on its own that imports nothing of ours, so that it starts in a few tens of
milliseconds.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE = 10.0  # seconds between SIGTERM and SIGKILL


def become_subreaper() -> None:
    """Make orphaned descendants children of this process instead of init's.

    :raises OSError: when the kernel refuses
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')


def parents() -> dict[int, int]:
    """Map every living process to its parent; zombies are left out."""
    found = {}
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / 'stat').read_text(errors='replace')
        except OSError:  # it ended while we looked
            continue
        # The name, in brackets, may hold blanks and brackets of its own.
        state, parent = stat.rpartition(')')[2].split()[:2]
        if state != 'Z':
            found[int(entry.name)] = int(parent)
    return found


def descendants(root: int) -> list[int]:
    """List the living processes below ``root``, nearest first."""
    parent_of = parents()
    found: list[int] = []
    generation = {root}
    while generation:
        generation = {pid for pid, parent in parent_of.items() if parent in generation}
        found.extend(sorted(generation))
    return found


def reap() -> bool:
    """Collect every child that has ended; answers whether there is none left.

    Then there are no descendants either: each would be a child by now. To look for them in
    /proc is not enough, where one is missed whose parent ends while we read.
    """
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def send(pids: list[int], signum: int) -> None:
    """Signal each of ``pids`` that still lives."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)


def stop_everything(main: int) -> None:
    """End ``main`` politely, then what is left of its family, until nothing is left."""
    send([main] if main in descendants(os.getpid()) else [], signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while main in descendants(os.getpid()) and time.monotonic() < deadline:
        reap()
        time.sleep(0.02)
    while not reap():
        send(descendants(os.getpid()), signal.SIGKILL)
        time.sleep(0.02)


def main(arguments: list[str]) -> int:
    """Run the command until it ends or stdin does, as the module's text says."""
    linger = arguments[0] == '--linger'
    pid_file, *command = arguments[1:] if linger else arguments
    become_subreaper()
    # Stopped by the pipe only: a Ctrl-C or a group kill meant for the tests must not end the
    # guard before its work is done.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    partial = Path(pid_file + '.part')
    partial.write_text(f'{child.pid}\n')
    partial.rename(pid_file)  # whoever sees the file reads a whole number
    pidfd = os.pidfd_open(child.pid)
    ready, _, _ = select.select([sys.stdin, pidfd], [], [])
    status = child.wait() if pidfd in ready else 0
    if linger:
        select.select([sys.stdin], [], [])
    stop_everything(child.pid)
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
