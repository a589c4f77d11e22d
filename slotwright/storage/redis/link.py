"""One Redis server: connections, scripts, and how long an outage is sat out."""

import threading
import time
from collections.abc import Callable
from typing import Any

from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from slotwright.domain.errors import NameCollision, SlotwrightError, StorageUnavailable
from slotwright.storage.redis.scripts import Script
from slotwright.storage.redis.uri import Target

#: Seconds after which no new attempt is begun, whatever the options say.
PATIENCE = 5.0
#: A script may be flushed again between its loading and its run, but not for ever.
LOADINGS = 3

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
#: A wrong password does not mend itself while a request waits.
_LOCKED_OUT = (exceptions.AuthenticationError, exceptions.AuthorizationError)
#: First words of errors of a server that cannot work now, or not for us.
_UNABLE = {
    'BUSY': 'is busy with a script',
    'CLUSTERDOWN': 'is part of a Redis Cluster',
    'MASTERDOWN': 'is a replica without its master',
    'MISCONF': 'cannot save to its disk',
    'MOVED': 'is part of a Redis Cluster',
    'NOAUTH': 'wants a password',
    'NOPERM': 'does not let our user do this',
    'NOREPLICAS': 'has not enough replicas',
    'OOM': 'has no memory left',
    'READONLY': 'is a replica that only reads',
}


class Link:
    """Runs commands and scripts, each in one round trip. Safe to use from any thread.

    Every command may run twice: one whose answer was lost is sent again.
    """

    def __init__(
        self,
        target: Target,
        attempts: int,
        pause: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``attempts`` (1 or more) at most, the first pause of ``pause`` seconds, doubled."""
        self._target = target
        self._attempts = attempts
        self._pause = pause
        self._sleep = sleep
        self._lock = threading.Lock()
        self._idle: list[Any] = []

    def run(self, script: Script, *arguments: str | int) -> list[Any]:
        """Run the script, loading it when the server does not know it.

        :raises StorageUnavailable: when the server does not answer or cannot work.
        :raises NameCollision: when a key holds what is not of this store.
        """
        command = ('EVALSHA', script.sha, 0, *arguments)
        for _ in range(LOADINGS):
            try:
                answer: list[Any] = self._persist(command)
                return answer
            except exceptions.NoScriptError:
                self._persist(('SCRIPT', 'LOAD', script.text))
            except exceptions.ResponseError as error:
                raise _translated(error) from error
        raise StorageUnavailable('The Redis server forgets its scripts at once.')

    def ask(self, *command: str | int) -> Any:
        """Run one command; raises as ``run`` does."""
        try:
            return self._persist(command)
        except exceptions.ResponseError as error:
            raise _translated(error) from error

    def close(self) -> None:
        """Drop the idle connections; the next command opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.disconnect()

    def _persist(self, command: tuple[str | int, ...]) -> Any:
        give_up = time.monotonic() + PATIENCE
        pause = self._pause
        attempt = 1
        while True:
            try:
                return self._once(command)
            except _LOCKED_OUT as error:
                raise StorageUnavailable(
                    'The Redis server refuses our user or password.'
                ) from error
            except _AWAY as error:
                if attempt >= self._attempts or time.monotonic() + pause > give_up:
                    raise StorageUnavailable('The Redis server does not answer now.') from error
            self._sleep(pause)
            pause *= 2
            attempt += 1

    def _once(self, command: tuple[str | int, ...]) -> Any:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._talk(connection, command)
            except exceptions.TimeoutError:
                raise
            except (exceptions.ConnectionError, OSError):
                # The server was restarted since: none of the others is any better.
                self.close()
        return self._talk(self._connect(), command)

    def _connect(self) -> Any:
        connection = self._target.kind(
            **self._target.options,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            protocol=2,
        )
        connection.connect()
        return connection

    def _talk(self, connection: Any, command: tuple[str | int, ...]) -> Any:
        try:
            connection.send_packed_command(connection.pack_command(*command), check_health=False)
            answer = connection.read_response()
        except exceptions.ResponseError:
            self._put_back(connection)  # an answer as any other
            raise
        except BaseException:
            connection.disconnect()
            raise
        self._put_back(connection)
        return answer

    def _put_back(self, connection: Any) -> None:
        with self._lock:
            self._idle.append(connection)


def foreign(key: str) -> NameCollision:
    """The refusal to touch ``key``, which holds what is not of this store."""
    return NameCollision(
        f'The Redis database has foreign data under {key}: choose another name, or give the '
        'store a database of its own.'
    )


def _translated(error: exceptions.ResponseError) -> SlotwrightError | exceptions.ResponseError:
    """What an error answer means to our callers; itself when it is a mistake of ours."""
    text = str(error)
    word = getattr(error, 'status_code', None) or text.partition(' ')[0]
    if word == 'WRONGTYPE':
        return foreign('a key of this store')
    if "'no-cluster' flag" in text:
        word = 'CLUSTERDOWN'
    for kind, code in _CLASSES.items():
        if isinstance(error, kind):
            word = code
    if word in _UNABLE:
        return StorageUnavailable(f'The Redis server {_UNABLE[word]}.')
    return error


#: redis-py takes the first word off those that it has classes for.
_CLASSES: dict[type[exceptions.ResponseError], str] = {
    exceptions.OutOfMemoryError: 'OOM',
    exceptions.ReadOnlyError: 'READONLY',
    exceptions.NoPermissionError: 'NOPERM',
    exceptions.MasterDownError: 'MASTERDOWN',
    exceptions.ClusterDownError: 'CLUSTERDOWN',
    exceptions.MovedError: 'MOVED',
}
