"""How often a dying redis-server is restarted: pure but for the clock it is given."""

from collections import deque
from collections.abc import Callable

_LONGEST_WAIT = 4.0  # seconds between two restarts


class RestartBudget:
    """At most ``limit`` restarts within ``window`` seconds, each waiting longer.

    The first is immediate; after that a cause that passes by itself (a port still held, a
    full disk) gets a moment to do so.
    """

    def __init__(self, limit: int, window: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._spent: deque[float] = deque()

    def wait(self) -> float | None:
        """Seconds until the next restart is due, None when the budget is spent."""
        now = self._clock()
        while self._spent and self._spent[0] <= now - self._window:
            self._spent.popleft()
        if len(self._spent) >= self._limit:
            return None
        if not self._spent:
            return 0.0
        pause = min(_LONGEST_WAIT, 0.25 * (1 << len(self._spent)))
        return max(0.0, self._spent[-1] + pause - now)

    def spend(self) -> None:
        self._spent.append(self._clock())

    def reset(self) -> None:
        """Somebody asked for a start: count anew."""
        self._spent.clear()
