"""One method, one transaction: begun, committed, tried again and translated here."""

import contextlib
import functools
import random
import threading
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from slotwright.domain.errors import StorageUnavailable
from slotwright.storage.sqlalchemy import engine as engines
from slotwright.storage.sqlalchemy import failures
from slotwright.storage.sqlalchemy.clock import Clock

P = ParamSpec('P')
R = TypeVar('R')
S = TypeVar('S', bound='Transactional')

CONFLICT_ATTEMPTS = 10
CONNECT_ATTEMPTS = 3
FIRST_PAUSE = 0.02  # seconds; doubled at every attempt
LONGEST_PAUSE = 0.5
PATIENCE = 30.0  # seconds after which no new attempt is begun


class Database:
    """An engine and the rules by which transactions run on it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        # What several queries read belongs to one moment. SQLite and InnoDB do so already.
        self._reader = (
            engine.execution_options(isolation_level='REPEATABLE READ')
            if engine.dialect.name == 'postgresql'
            else engine
        )
        #: Called after each transaction that may have written, but for quiet ones.
        self.written: Callable[[], None] = lambda: None
        # All threads share the one connection of a database in memory, one at a time.
        self._turn = threading.Lock() if engines.is_memory(engine) else contextlib.nullcontext()

    def read(self, work: Callable[[sa.Connection], R]) -> R:
        """Run ``work`` in a transaction that sees one moment and changes nothing.

        ``work`` runs again when its connection was lost, whenever that was.

        :raises StorageUnavailable: when the database does not answer.
        """
        return self._run(self._reader, False, work)

    def write(self, work: Callable[[sa.Connection], R], *, quietly: bool = False) -> R:
        """Run ``work`` in a transaction; whatever it raises undoes all that it did.

        ``work`` runs again when the transaction was surely undone (a deadlock, a
        connection lost before COMMIT was sent, which is also how one shows that the server
        closed long ago: nobody asks before). A connection lost within COMMIT leaves
        unknown whether it happened, so that is reported and never repeated.

        :param quietly: do not call ``written``.
        :raises StorageUnavailable: when the database does not answer.
        """
        answer = self._run(self.engine, True, work)
        if not quietly:
            self.written()
        return answer

    def close(self) -> None:
        self.engine.dispose()

    def _run(self, engine: sa.Engine, writes: bool, work: Callable[[sa.Connection], R]) -> R:
        give_up = time.monotonic() + PATIENCE
        pause = FIRST_PAUSE
        attempt = 0
        while True:
            attempt += 1
            may_be_done = False
            try:
                with self._turn, engine.connect() as connection:
                    connection.info[engines.WRITES] = writes
                    connection.info[engines.SENT] = False
                    with connection.begin() as change:
                        answer = work(connection)
                        may_be_done = writes and connection.info[engines.SENT]
                        change.commit()
                        connection.info[engines.COMMITTED] = True
                        return answer
            except failures.ANY as error:
                conflict = failures.is_conflict(error)
                if not conflict and not failures.is_away(error):
                    raise
                attempts = CONFLICT_ATTEMPTS if conflict else CONNECT_ATTEMPTS
                unknown = may_be_done and not conflict
                if unknown or attempt >= attempts or time.monotonic() > give_up:
                    raise StorageUnavailable(failures.explain(error)) from error
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, LONGEST_PAUSE)


class Transactional:
    """Base of the store's parts: where the data are, and what time it is."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock


def reads(
    method: Callable[Concatenate[S, sa.Connection, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Run the method in a transaction of its own that only reads."""

    @functools.wraps(method)
    def transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.database.read(lambda conn: method(self, conn, *args, **kwargs))

    return transaction


def writes(
    method: Callable[Concatenate[S, sa.Connection, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Run the method in a transaction of its own that may write."""

    @functools.wraps(method)
    def transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.database.write(lambda conn: method(self, conn, *args, **kwargs))

    return transaction


def writes_quietly(
    method: Callable[Concatenate[S, sa.Connection, P], R],
) -> Callable[Concatenate[S, P], R]:
    """As ``writes``, for what is no news to who waits for some: ``Database.written`` rests."""

    @functools.wraps(method)
    def transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.database.write(lambda conn: method(self, conn, *args, **kwargs), quietly=True)

    return transaction
