"""Slow work that few may do at once, so that whoever needs none of it goes on being served."""

import contextlib
import threading
from collections.abc import Iterator

from slotwright.domain.errors import Unavailable

_PATIENCE = 2.0  # seconds to wait for one's turn


class Turns:
    """Lets ``at_once`` threads work, others wait, and turns away more than ``most`` together."""

    def __init__(self, at_once: int, most: int, refusal: str) -> None:
        self._working = threading.BoundedSemaphore(at_once)
        self._here = threading.BoundedSemaphore(most)
        self._refusal = refusal

    @contextlib.contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and have it inside the ``with``.

        :raises Unavailable: ``refusal``, when too many wait, or it took too long.
        """
        if not self._here.acquire(blocking=False):
            raise Unavailable(self._refusal)
        try:
            if not self._working.acquire(timeout=_PATIENCE):
                raise Unavailable(self._refusal)
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._here.release()
