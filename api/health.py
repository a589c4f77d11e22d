"""/healthcheck: whether this daemon can serve requests now, and what it would like to have."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

import falcon

from api.ports import Store
from slotwright.domain.errors import SlotwrightError, StorageUnavailable
from slotwright.outage import Outage

LOG = logging.getLogger(__name__)

#: Looks for what we need, and raises when it is away. It should take seconds at most.
Look = Callable[[], object]

#: Seconds a look counts: anybody may ask here, and a look at the broker is a login there.
FRESH = 5.0
#: Seconds that looks are waited for; what has not answered then does not.
PATIENCE = 5.0


class Watch:
    """One thing that we need: looked at now and then, by one thread at a time."""

    def __init__(
        self,
        name: str,
        look: Look,
        fresh: float = FRESH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``fresh``: seconds that a look counts, counted by ``clock``."""
        self._name = name
        self._look = look
        self._fresh = fresh
        self._clock = clock
        self._turn = threading.Lock()  # held while a look is under way
        self._looked: float | None = None
        self._outage = Outage(LOG, f'/healthcheck misses the {name}', f'The {name} is there again')
        #: What the last look raised; nobody has missed it yet.
        self.error: Exception | None = None

    def begin(self) -> threading.Event | None:
        """Begin a look, which sets the event at its end; None when there is no need to wait.

        That is so when the last look counts still, or one is under way: whoever began that
        waits for it, and the others hold no thread.
        """
        if self._is_fresh() or not self._turn.acquire(blocking=False):
            return None
        over = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(over,), name=f'health-{self._name}', daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # there are too many
            self._turn.release()
            raise
        return over

    def end(self, over: threading.Event | None, seconds: float) -> None:
        """Wait for the look that has begun; one that takes longer corrects itself later."""
        if over is not None and not over.wait(max(0.0, seconds)):
            self._note(StorageUnavailable(f'The {self._name} does not answer now.'))

    def _is_fresh(self) -> bool:
        return self._looked is not None and self._clock() - self._looked < self._fresh

    def _run(self, over: threading.Event) -> None:
        error: Exception | None = None
        try:
            self._look()
        except Exception as raised:  # noqa: BLE001 - whatever a driver raises, it is of no use
            error = raised
        try:
            self._note(error)
        finally:
            self._looked = self._clock()
            self._turn.release()
            over.set()

    def _note(self, error: Exception | None) -> None:
        self.error = error
        if error is None:
            self._outage.is_over()
        else:  # texts that are not ours may tell an address, or a password
            ours = isinstance(error, SlotwrightError)
            self._outage.goes_on(error if ours else type(error).__name__)


class Healthcheck:
    """Of a database, without which nothing works, and of what else there is.

    :param looks: by the names that answers have for it: ``{'broker': …}``.
    :param patience: seconds that an answer takes at most.
    """

    def __init__(
        self,
        store: Store,
        looks: Mapping[str, Look],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._store = store
        self._database = Watch('database', self._ask, 0.0, clock)
        self._others = {
            name: Watch(name.replace('_', ' '), look, clock=clock) for name, look in looks.items()
        }
        self._patience = patience

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """200 when the database answers; its error becomes a 503.

        Without the rest requests are served that do not need it, or accepted and wait: 200,
        and DEGRADED.
        """
        watches = [self._database, *self._others.values()]
        begun = [(watch, watch.begin()) for watch in watches]
        until = time.monotonic() + self._patience
        for watch, over in begun:
            watch.end(over, until - time.monotonic())
        missed = self._database.error  # once: a late look may end just now
        if missed is not None:
            raise missed.with_traceback(None)
        found = {name: 'DOWN' if watch.error else 'OK' for name, watch in self._others.items()}
        status = 'DEGRADED' if 'DOWN' in found.values() else 'OK'
        resp.media = {'status': status, 'database': 'OK', **found}

    def _ask(self) -> None:
        self._store.list_flavors()
