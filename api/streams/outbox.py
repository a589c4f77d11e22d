"""What waits to be sent to one reader."""

import threading
import time
from collections import deque
from collections.abc import Callable


class Outbox:
    """A bounded queue of frames: one thread puts them in, another takes them out.

    Readers share the frames' bytes, so many of them cost little more than one.

    :param room: bytes. A frame larger than that goes in alone.
    """

    def __init__(self, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._clock = clock
        self._lock = threading.Lock()
        self._frames: deque[tuple[float, bytes]] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._frames)

    def put(self, frame: bytes) -> bool:
        """False when there is no room for it."""
        with self._lock:
            if self._frames and self._size + len(frame) > self._room:
                return False
            self._frames.append((self._clock(), frame))
            self._size += len(frame)
            return True

    def take(self, most: int) -> tuple[float, bytes]:
        """The next frames together, about ``most`` bytes, and since when the first one waits.

        :raises IndexError: when nothing waits.
        """
        with self._lock:
            since, frame = self._frames.popleft()
            taken = [frame]
            size = len(frame)
            while self._frames and size + len(self._frames[0][1]) <= most:
                taken.append(self._frames.popleft()[1])
                size += len(taken[-1])
            self._size -= size
            return since, b''.join(taken)
