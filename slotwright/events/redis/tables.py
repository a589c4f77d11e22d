"""Tables in Redis: a hash of rows for each topic, all of a table in one slot.

| key | type | holds |
|---|---|---|
| ``P:{TABLE}:rows:TOPIC`` | hash | JSON by key, behind 32 characters of who added it |
| ``P:{TABLE}:topics`` | set | the topics that have rows |
| ``P:{TABLE}:undone:TOKEN`` | string | for an hour: this create was rolled back |
| ``P:{TABLE}:last`` | string | the number given last |
"""

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from redis import exceptions

from slotwright.events import coding
from slotwright.events.errors import (
    RowExists,
    RowNotFound,
    StoreRefused,
    StoreUnavailable,
)
from slotwright.events.redis import faults, scripts
from slotwright.events.redis.rollback import Rollback
from slotwright.events.redis.servers import Servers

TRIES = 3
PAUSE = 0.1  # seconds before the second try; doubled before the third
PATIENCE = 6.0  # seconds after which no try begins
UNDONE_FOR = 3600  # seconds


class RedisTables:
    """See ``slotwright.events.base.Tables``."""

    def __init__(
        self,
        servers: Servers,
        prefix: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = servers
        self._prefix = prefix
        self._sleep = sleep
        self._now = now
        self._rollback = Rollback(self._run_once, servers.look_again)

    def create(self, table: str, key: str, value: Any, topic: str = '') -> None:
        rows, topics, field = self._row(table, key, topic)
        token = uuid.uuid4().hex
        undone = self._key(table, f'undone:{token}')
        given = (field, token, coding.encode(value), coding.escaped(topic))
        try:
            made = self._run(scripts.CREATE, (rows, topics, undone), *given)
        except (StoreUnavailable, StoreRefused):
            undo = (field, token, coding.escaped(topic), UNDONE_FOR)
            self._rollback.of(scripts.UNDO, (rows, topics, undone), undo)
            raise
        if not made:
            raise RowExists(f'{table} has {key} already.')

    def get(self, table: str, key: str, topic: str = '') -> Any:
        rows, _, field = self._row(table, key, topic)
        row = self._try(lambda _: self._servers.run(rows, 'HGET', rows, field))
        if row is None:
            raise RowNotFound(f'{table} has no {key}.')
        return _value(row)

    def set(self, table: str, key: str, value: Any, topic: str = '') -> None:
        rows, _, field = self._row(table, key, topic)
        if not self._run(scripts.SET, (rows,), field, coding.encode(value)):
            raise RowNotFound(f'{table} has no {key}.')

    def delete(self, table: str, key: str, topic: str = '') -> None:
        rows, topics, field = self._row(table, key, topic)
        given = (field, coding.escaped(topic))

        def delete(tried: int) -> bool:
            # After a lost answer it may have been us who deleted it.
            return bool(self._run_once(scripts.DELETE, (rows, topics), given)) or tried > 0

        if not self._try(delete):
            raise RowNotFound(f'{table} has no {key}.')

    def keys(self, table: str, topic: str | None = None) -> Sequence[str]:
        return [_text(field) for field in self._list('HKEYS', table, topic)]

    def values(self, table: str, topic: str | None = None) -> Sequence[Any]:
        return [_value(row) for row in self._list('HVALS', table, topic)]

    def allocate(self, table: str) -> int:
        last = self._key(coding.named(table, 'table'), 'last')
        return int(self._try(lambda _: self._servers.run(last, 'INCR', last)))

    def close(self) -> None:
        """Try the roll-backs that are left once more."""
        self._rollback.close()

    def _list(self, command: str, table: str, topic: str | None) -> Sequence[bytes]:
        start = self._key(coding.named(table, 'table'), 'rows:')
        found: Sequence[bytes]
        if topic is None:
            found = self._run(scripts.LIST, (self._key(table, 'topics'),), command, start)
        else:
            rows = start + coding.escaped(coding.text(topic, 'topic'))
            found = self._try(lambda _: self._servers.run(rows, command, rows))
        return found

    def _row(self, table: str, key: str, topic: str) -> tuple[str, str, str]:
        """Keys of the rows and of the topics, and the field."""
        coding.named(table, 'table')
        rows = 'rows:' + coding.escaped(coding.text(topic, 'topic'))
        return self._key(table, rows), self._key(table, 'topics'), coding.named(key, 'key')

    def _key(self, table: str, part: str) -> str:
        return f'{self._prefix}:{{{coding.escaped(table)}}}:{part}'

    def _run(self, script: scripts.Script, keys: Sequence[str], *given: Any) -> Any:
        return self._try(lambda _: self._run_once(script, keys, given))

    def _run_once(self, script: scripts.Script, keys: Sequence[str], given: Sequence[Any]) -> Any:
        arguments = (len(keys), *keys, *given)
        try:
            return self._servers.run(keys[0], 'EVALSHA', script.sha, *arguments)
        except exceptions.NoScriptError:
            return self._servers.run(keys[0], 'EVAL', script.text, *arguments)

    def _try(self, call: Callable[[int], Any]) -> Any:
        """Case 1: up to three tries while connections are lost; anything else at once.

        ``call`` is given how often it was tried before.
        """
        give_up = self._now() + PATIENCE
        tried = 0
        while True:
            try:
                return call(tried)
            except (exceptions.RedisError, OSError) as error:
                if not self._servers.lost(error):
                    raise StoreRefused(f'Redis refuses: {faults.words(error)}') from error
                tried += 1
                pause = PAUSE * 2 ** (tried - 1)
                if tried < TRIES and self._now() + pause < give_up:
                    self._servers.look_again()
                if tried >= TRIES or self._now() + pause > give_up:
                    raise StoreUnavailable(
                        f'Redis does not answer, tried {tried} times: {faults.words(error)}'
                    ) from error
            self._sleep(pause)


def _text(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise StoreRefused('A key is not of this store.') from error


def _value(row: bytes) -> Any:
    try:
        return coding.decode(row[scripts.TOKEN :])
    except ValueError as error:
        raise StoreRefused('A row holds what is not of this store.') from error
