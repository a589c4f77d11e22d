"""A directory belongs to one process at a time.

An agent holds the lock on its instance's directory, a standalone on its data; whoever
starts agents looks first. The kernel drops the lock with the process, however it ends, so
it is never stale. It is on the directory itself: nothing of it stays behind a wipe.
"""

import fcntl
import os
import select
import signal
import time
from collections.abc import Callable

#: How often to try for a lock that somebody may only look at, and seconds between.
LOOKS, PAUSE = 100, 0.001


class Held(Exception):
    """Another process has the directory."""


def acquire(directory: str | os.PathLike[str], sleep: Callable[[float], None] = time.sleep) -> int:
    """Take the lock and answer its file descriptor, to be kept open.

    Whoever only looks whether it is held has it for a moment, which is waited for.

    :raises Held: when another process has it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(PAUSE)
        else:
            return descriptor
    os.close(descriptor)
    raise Held(os.fspath(directory))


def is_held(directory: str | os.PathLike[str]) -> bool:
    """Whether a process has the directory."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        # Shared: two that look at the same time must not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def holder(directory: str | os.PathLike[str]) -> int | None:
    """The pid of the process that has the directory, from /proc/locks (see proc(5)).

    Whoever looks has a shared lock for a moment, and is not meant.
    """
    try:
        found = os.stat(directory)
    except FileNotFoundError:
        return None
    device = f'{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}'
    with open('/proc/locks', encoding='ascii') as locks:
        for line in locks:
            fields = line.split()
            if fields[1:4:2] == ['FLOCK', 'WRITE'] and fields[5] == f'{device}:{found.st_ino}':
                return int(fields[4])
    return None


def terminate(directory: str | os.PathLike[str], timeout: float) -> bool:
    """End the process that has the directory: SIGTERM, after ``timeout`` s SIGKILL.

    Answers whether it is gone. A pidfd keeps a pid that was given to another process
    meanwhile from being hit.
    """
    pid = holder(directory)
    if pid is None:
        return not is_held(directory)
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if holder(directory) == pid:
            ending = select.poll()
            ending.register(process, select.POLLIN)
            for number in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(process, number)
                if ending.poll(timeout * 1000):
                    break
    except ProcessLookupError:
        pass
    finally:
        os.close(process)
    return not is_held(directory)
