"""What is told of something that fails for a while: that it does, and that it works again."""

import logging


class Outage:
    """Says each in the log once, however often it is tried in between."""

    def __init__(self, log: logging.Logger, began: str, ended: str) -> None:
        """``began`` is followed by the reason."""
        self._log = log
        self._began = began
        self._ended = ended
        self._is_on = False

    def goes_on(self, why: object) -> None:
        """It was tried, and failed."""
        if not self._is_on:
            self._log.warning('%s: %s', self._began, why)
        self._is_on = True

    def is_over(self) -> None:
        """It was tried, and worked."""
        if self._is_on:
            self._log.info(self._ended)
        self._is_on = False
