"""One Redis server: its client, the scripts, and how long an outage is sat out."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from slotwright.domain.errors import NameCollision, SlotwrightError, StorageUnavailable
from slotwright.redis_uri import Target
from slotwright.storage.redis import scripts

T = TypeVar('T')

#: Seconds after which no new attempt is begun, whatever the options say.
PATIENCE = 5.0
#: As many as there are threads: who bounds those has bounded these.
MOST_CONNECTIONS = 2**16

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError)
#: A wrong password does not mend itself while a request waits.
_LOCKED_OUT = (exceptions.AuthenticationError, exceptions.AuthorizationError)
#: First words of errors of a server that cannot work now, or not for us.
_UNABLE = {
    'BUSY': 'is busy with a script',
    'CLUSTERDOWN': 'is part of a Redis Cluster',
    'MASTERDOWN': 'is a replica without its master',
    'MISCONF': 'cannot save to its disk',
    'MOVED': 'is part of a Redis Cluster',
    'NOPERM': 'does not let our user do this',
    'NOREPLICAS': 'has not enough replicas',
    'OOM': 'has no memory left',
    'READONLY': 'is a replica that only reads',
}
#: redis-py takes the first word off those that it has classes for.
_CLASSES: dict[type[exceptions.ResponseError], str] = {
    exceptions.OutOfMemoryError: 'OOM',
    exceptions.ReadOnlyError: 'READONLY',
    exceptions.NoPermissionError: 'NOPERM',
    exceptions.MasterDownError: 'MASTERDOWN',
    exceptions.ClusterDownError: 'CLUSTERDOWN',
    exceptions.MovedError: 'MOVED',
}
#: Of errors that come of a script, and carry no such word.
_PHRASES = {
    "'no-cluster' flag": 'CLUSTERDOWN',
    'ACL failure in script': 'NOPERM',
    'The user executing the script': 'NOPERM',
}


class Link:
    """Runs scripts, each in one round trip. Safe to use from any thread.

    Each may run twice: one whose answer was lost is sent again. All raise
    ``StorageUnavailable`` when the server does not answer or cannot work, and
    ``NameCollision`` when a key holds what is not of this store.
    """

    def __init__(
        self,
        target: Target,
        attempts: int,
        pause: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``attempts`` (1 or more) at most, the first pause of ``pause`` seconds, doubled."""
        self._attempts = attempts
        self._pause = pause
        self._sleep = sleep
        self._now = now
        pool = redis.ConnectionPool(
            connection_class=target.kind,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            encoding_errors='replace',  # of what others wrote: ours is UTF-8
            protocol=2,
            max_connections=MOST_CONNECTIONS,
            **target.options,
        )
        self._client = redis.Redis(connection_pool=pool)

    def script(self, name: str) -> Callable[..., Any]:
        """The script ``lua/<name>.lua``, to be called with its arguments.

        It goes to the server when that does not know it: after its start, or SCRIPT FLUSH.
        """
        text = scripts.text_of(name)
        sha = self._client.register_script(text).sha

        def send(*arguments: str | int) -> Any:
            # A registered script, when called, would load itself and then be called again:
            # between the two the server may forget it once more. EVAL is one step.
            try:
                return self._client.evalsha(sha, 0, *arguments)
            except exceptions.NoScriptError:
                return self._client.eval(text, 0, *arguments)

        return lambda *arguments: self._persist(send, arguments)

    def close(self) -> None:
        """Drop the connections; the next script opens a new one."""
        self._client.connection_pool.disconnect()

    def _persist(self, send: Callable[..., T], arguments: Sequence[str | int]) -> T:
        give_up = self._now() + PATIENCE
        pause = self._pause
        attempt = 1
        while True:
            try:
                return send(*arguments)
            except _LOCKED_OUT as error:
                raise StorageUnavailable(
                    'The Redis server refuses our user or password.'
                ) from error
            except _AWAY as error:
                if attempt >= self._attempts or self._now() + pause > give_up:
                    raise StorageUnavailable('The Redis server does not answer now.') from error
            except exceptions.ResponseError as error:
                raise _translated(error) from error
            self._sleep(pause)
            pause *= 2
            attempt += 1


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
    for phrase, code in _PHRASES.items():
        if phrase in text:
            word = code
    for kind, code in _CLASSES.items():
        if isinstance(error, kind):
            word = code
    if word in _UNABLE:
        return StorageUnavailable(f'The Redis server {_UNABLE[word]}.')
    return error
