"""/healthcheck: whether this daemon can serve requests now, and what it would like to have."""

import threading
import time
from collections.abc import Callable

import falcon

from api.ports import Store
from slotwright.domain.errors import Unavailable

#: Looks for the broker, and raises Unavailable in bounded time when it is away.
Look = Callable[[], None]

#: Seconds a look at the broker counts: anybody may ask here, and each look is a login there.
FRESH = 5.0


class Healthcheck:
    """Of a store, and of a broker where there is one (``look``)."""

    def __init__(
        self, store: Store, look: Look | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._look = look
        self._clock = clock
        self._looking = threading.Lock()
        self._looked: float | None = None
        self._found = 'OK'  # nobody has missed it yet

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """200 when the database answers; its error becomes a 503.

        Without a broker requests are accepted all the same and wait for it: 200, and DEGRADED.
        """
        self._store.list_flavors()
        health = {'status': 'OK', 'database': 'OK'}
        if self._look is not None:
            health['broker'] = self._broker(self._look)
            if health['broker'] != 'OK':
                health['status'] = 'DEGRADED'
        resp.media = health

    def _broker(self, look: Look) -> str:
        """One asker looks; the others get what was found last, and hold no thread."""
        if self._stale() and self._looking.acquire(blocking=False):
            try:
                if self._stale():
                    self._found = _found_by(look)
                    self._looked = self._clock()
            finally:
                self._looking.release()
        return self._found

    def _stale(self) -> bool:
        return self._looked is None or self._clock() - self._looked >= FRESH


def _found_by(look: Look) -> str:
    try:
        look()
    except Unavailable:
        return 'DOWN'
    return 'OK'
