"""The lock an agent holds on its instance's directory while it runs.

One agent per directory: the agent takes the lock at its start, whoever starts agents
looks at it first. The kernel drops the lock with the process, however it ends, so it is
never stale. It is on the directory itself, so that nothing of it stays behind a wipe.
"""

import fcntl
import os


class AgentRuns(Exception):
    """Another agent has the directory."""


def acquire(directory: str | os.PathLike[str]) -> int:
    """Take the lock and answer its file descriptor, to be kept open.

    :raises AgentRuns: when another agent holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AgentRuns(f'another guest agent serves {os.fspath(directory)}') from None
    return descriptor


def is_held(directory: str | os.PathLike[str]) -> bool:
    """Whether an agent runs on the directory."""
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
