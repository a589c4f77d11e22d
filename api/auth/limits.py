"""How often a project may ask, by kind of request."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

_READING = frozenset({'GET', 'HEAD', 'OPTIONS'})


class RateLimits:
    """Counts requests in windows of a minute, in this process; forgets old windows.

    :param reads: GET requests a minute of one project; 0 for any number.
    :param writes: of all others together.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._reads = RateLimitItemPerMinute(reads) if reads else None
        self._writes = RateLimitItemPerMinute(writes) if writes else None

    def wait(self, project: str, method: str) -> int:
        """Count a request; answers 0, or the seconds after which to try again."""
        kind = 'read' if method in _READING else 'write'
        limit = self._reads if kind == 'read' else self._writes
        if limit is None or self._limiter.hit(limit, kind, project):
            return 0
        ends = self._limiter.get_window_stats(limit, kind, project).reset_time
        return max(1, math.ceil(ends - time.time()))
