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
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._found = ''

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
        with self._lock:
            if self._looked is None or self._clock() - self._looked >= FRESH:
                try:
                    look()
                    self._found = 'OK'
                except Unavailable:
                    self._found = 'DOWN'
                self._looked = self._clock()
            return self._found
