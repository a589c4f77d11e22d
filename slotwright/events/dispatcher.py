"""From the reader's queue to the functions: one thread that hands out, others that call.

    reader -> queue -> dispatcher -> lane of the channel -> function

Each channel has a lane. A lane with messages has a worker, one at a time, so a channel's
messages stay in order, and a function that is slow holds up its own channel only.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from slotwright.events import coding
from slotwright.events.base import Function, Lost, Told

LOG = logging.getLogger(__name__)

#: Messages that wait for one function; with more, its subscription is lost.
MOST_WAITING = 100_000
#: Functions that may be slow at the same time, before the next one waits.
MOST_WORKERS = 64
#: Seconds that close() gives to functions that run.
GRACE = 10.0


class Subscription:
    """A function on a channel, until it is ended; nothing is called after that."""

    __slots__ = ('active', 'channel', 'function', 'stands')

    def __init__(self, channel: str, function: Function) -> None:
        self.channel = channel
        self.function = function
        self.active = True
        self.stands = False  # confirmed by the server


class _Lane:
    """What waits for one channel: (subscription, JSON), or (None, Lost)."""

    __slots__ = ('busy', 'waiting')

    def __init__(self) -> None:
        self.waiting: deque[tuple[Any, Any]] = deque()
        self.busy = False


class Dispatcher:
    """Calls functions with decoded payloads."""

    def __init__(self, told: Told, overflow: Callable[[Subscription], None]) -> None:
        """``overflow`` is called with a subscription that has ended since it fell behind."""
        self._told = told
        self._overflow = overflow
        self._queue: SimpleQueue[tuple[Any, Any] | None] = SimpleQueue()
        self._lanes: dict[str, _Lane] = {}
        # Lanes that need a worker. With a ThreadPoolExecutor for it, publish to function took
        # 1.45 times as long as with redis-py alone, without it 1.2 (python -m bench events).
        self._jobs: SimpleQueue[_Lane | None] = SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._free = 0  # workers, less the lanes that have or need one
        self._closed = False
        self._state = threading.Lock()  # of lanes and workers
        #: Queue a message: (subscription, JSON). Never blocks.
        self.put: Callable[[tuple[Subscription, bytes]], None] = self._queue.put
        self._thread = threading.Thread(
            target=self._run, name='slotwright-events-dispatcher', daemon=True
        )
        self._thread.start()

    def tell(self, lost: Lost) -> None:
        """Queue the message that subscriptions are lost."""
        self._queue.put((None, lost))

    def close(self) -> None:
        """End the threads; what waits is dropped. May be called by a function."""
        with self._state:
            self._closed = True
            for lane in self._lanes.values():
                lane.waiting.clear()
        self._queue.put(None)
        for _ in self._workers:
            self._jobs.put(None)
        if threading.current_thread() in self._workers:
            return
        self._thread.join()
        give_up = time.monotonic() + GRACE
        for worker in self._workers:
            worker.join(max(0.0, give_up - time.monotonic()))
        running = sorted(channel for channel, lane in self._lanes.items() if lane.busy)
        if running:
            LOG.warning('Functions of events run on, of channels %s', running)

    def _run(self) -> None:
        get = self._queue.get
        while (item := get()) is not None:
            subscription = item[0]
            if subscription is None:
                self._add(self._lane(''), item)
            elif subscription.active:
                lane = self._lane(subscription.channel)
                if len(lane.waiting) < MOST_WAITING:
                    self._add(lane, item)
                else:
                    self._give_up(subscription, lane)

    def _lane(self, channel: str) -> _Lane:
        lane = self._lanes.get(channel)
        if lane is None:
            with self._state:
                if len(self._lanes) >= MOST_WORKERS:
                    self._lanes = {name: lane for name, lane in self._lanes.items() if lane.busy}
                lane = self._lanes[channel] = _Lane()
        return lane

    def _add(self, lane: _Lane, item: tuple[Any, Any]) -> None:
        with self._state:
            if self._closed:
                return
            lane.waiting.append(item)
            if lane.busy:
                return
            lane.busy = True
            if self._free <= 0 and len(self._workers) < MOST_WORKERS:
                self._hire()
            else:
                self._free -= 1
            self._jobs.put(lane)

    def _hire(self) -> None:
        worker = threading.Thread(target=self._work, name='slotwright-events-function', daemon=True)
        self._workers.append(worker)
        worker.start()

    def _give_up(self, subscription: Subscription, lane: _Lane) -> None:
        LOG.error('A function is too slow for the messages of channel %s', subscription.channel)
        subscription.active = False
        lane.waiting.clear()
        self._overflow(subscription)
        self._add(self._lane(''), (None, Lost((subscription.channel,), 'its function is too slow')))

    def _work(self) -> None:
        while (lane := self._jobs.get()) is not None:
            self._drain(lane)

    def _drain(self, lane: _Lane) -> None:
        while True:
            try:
                subscription, content = lane.waiting.popleft()
            except IndexError:
                with self._state:
                    if lane.waiting:
                        continue
                    lane.busy = False
                    self._free += 1
                    return
            try:
                if subscription is None:
                    self._told(content)
                elif subscription.active:
                    subscription.function(coding.decode(content))
            except Exception:  # not ours: the next message is for others
                name = subscription.channel if subscription else 'what tells of losses'
                LOG.exception('A function of events failed: %s', name)
