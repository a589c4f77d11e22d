"""The lock an agent holds on its instance's directory while it runs.

One agent per directory: the agent takes the lock at its start, whoever starts agents
asks for its holder first. The kernel drops the lock with the process, however it ends,
so a lock is never stale; the file holds the holder's pid.
"""

import fcntl
import os
import select
import signal

NAME = 'agent.lock'


class AgentRuns(Exception):
    """Another agent has the directory."""


def acquire(directory: str) -> int:
    """Take the lock and answer its file descriptor, to be kept open.

    :raises AgentRuns: when another agent holds it.
    """
    fd = os.open(os.path.join(directory, NAME), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise AgentRuns(f'an agent runs on {directory} already') from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def holder(directory: str) -> int | None:
    """The pid of the agent that runs on the directory, None when there is none.

    0 for one that has just taken the lock and not said who it is yet.
    """
    try:
        fd = os.open(os.path.join(directory, NAME), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(fd, 20, 0) or b'0')
    else:
        return None
    finally:
        os.close(fd)


def terminate(directory: str, timeout: float) -> None:
    """End the agent that holds the directory: SIGTERM, after ``timeout`` s SIGKILL.

    A pidfd keeps a pid that is given to another process meanwhile from being hit.
    """
    pid = holder(directory)
    if not pid:
        return
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if holder(directory) != pid:
            return
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        if not select.select([fd], [], [], timeout)[0]:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            select.select([fd], [], [], timeout)
    except ProcessLookupError:
        pass
    finally:
        os.close(fd)
