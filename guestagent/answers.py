"""The answers given to the last commands, so that a repeated one is not run again.

Kept over a restart of the agent in ``answers.json``, written without fsync: after a power
cut a repeated command runs once more, which every command bears.
"""

import contextlib
import json
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

from guestagent.directory import InstanceDirectory, write_private
from slotwright.domain import errors
from slotwright.domain.errors import GuestError

KEPT = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: a result, or the name and message of a GuestError."""

    result: Any = None
    error: str = ''
    message: str = ''

    @classmethod
    def of_error(cls, error: GuestError) -> 'Answer':
        return cls(error=type(error).__name__, message=error.message)

    def replay(self) -> Any:
        """Hand out the result or raise the error, as the first time."""
        if not self.error:
            return self.result
        kind = getattr(errors, self.error, GuestError)
        raise kind(self.message)


class AnswerCache:
    """The last ``KEPT`` answers by command id."""

    def __init__(self, directory: InstanceDirectory) -> None:
        self._path = directory.answers
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._in_memory = False

    def load(self) -> None:
        """Read what an earlier agent left. A damaged file counts as none."""
        with self._lock, contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            for command_id, answer in json.loads(self._path.read_text('utf-8')):
                self._answers[command_id] = Answer(**answer)

    def get(self, command_id: str) -> Answer | None:
        with self._lock:
            return self._answers.get(command_id)

    def put(self, command_id: str, answer: Answer) -> None:
        """Remember an answer; the oldest one beyond ``KEPT`` goes."""
        with self._lock:
            self._answers[command_id] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
            if not self._in_memory:
                kept = [[key, asdict(value)] for key, value in self._answers.items()]
                write_private(self._path, json.dumps(kept))

    def detach(self) -> None:
        """The instance is gone from this host: write nothing any more."""
        with self._lock:
            self._in_memory = True
