"""Where the Redis server is: the option ``uri``, read strictly."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import connection

from slotwright.loading import InvalidConfiguration

PORT = 6379
SOCKET_TIMEOUT = 2.0  # seconds

_KINDS: Mapping[str, Any] = {
    'redis': connection.Connection,
    'rediss': connection.SSLConnection,
    'unix': connection.UnixDomainSocketConnection,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A class of redis-py's connections and its arguments, a password among them."""

    kind: Any
    options: Mapping[str, Any] = field(repr=False)


def parse(uri: str, option: str = 'uri') -> Target:
    """Read ``redis://``, ``rediss://`` (TLS) or ``unix://``.

    User and password may be percent-encoded. The database is the path or ``?dbid=``; a
    Unix socket is ``unix:///path`` or, as in Zaqar, ``redis:///path`` and ``redis:/path``.
    ``option`` names where the uri came from, for the message.

    :raises InvalidConfiguration: saying what is wrong, never with the password.

    >>> parse('redis://:p%40ss@[::1]:7000/3?socket_timeout=0.5').options['password']
    'p@ss'
    """
    try:
        return _read(uri)
    except ValueError as error:
        raise InvalidConfiguration(
            f'{option} cannot be used: {error}. '
            'An example: redis://user:password@127.0.0.1:6379/0?socket_timeout=2'
        ) from None


def _read(uri: str) -> Target:
    """:raises ValueError: saying what is wrong."""
    try:
        split = urlsplit(uri)
        port = split.port or PORT
    except ValueError as error:
        raise ValueError('it has no such host or port') from error
    if split.scheme not in _KINDS:
        raise ValueError('it begins with redis://, rediss:// or unix://')
    asked = _query(split)
    options = {**_login(split), **_timeouts(asked)}
    databases = [asked.pop(name) for name in ('dbid', 'db') if name in asked]
    kind = split.scheme
    if kind == 'redis' and not split.hostname:
        kind = 'unix'
    if kind == 'unix':
        if split.hostname or split.path.strip('/').isdigit() or len(split.path) < 2:
            raise ValueError('a Unix socket is unix:///path, and a server needs its host')
        options['path'] = unquote(split.path)
    else:
        if not split.hostname:
            raise ValueError('it names no host')
        if ',' in split.netloc:
            raise ValueError('Sentinel is not supported, name one host')
        options.update(host=unquote(split.hostname), port=port)
        if split.path.strip('/'):
            databases.append(split.path.strip('/'))
        if kind == 'rediss':
            options.update(_tls(asked))
    if asked:
        raise ValueError(f'it has an unknown parameter, {min(asked)}')
    return Target(_KINDS[kind], {**options, 'db': _database(databases)})


def _query(split: SplitResult) -> dict[str, str]:
    asked = dict(parse_qsl(split.query, keep_blank_values=True))
    if 'master' in asked:
        raise ValueError('Sentinel is not supported, take master out')
    return asked


def _login(split: SplitResult) -> dict[str, str]:
    found = {}
    if split.password:
        found['password'] = unquote(split.password)
    if split.username:
        if not split.password:
            raise ValueError('it has a user but no password')
        found['username'] = unquote(split.username)
    return found


def _timeouts(asked: dict[str, str]) -> dict[str, float]:
    timeout = _seconds('socket_timeout', asked.pop('socket_timeout', str(SOCKET_TIMEOUT)))
    connecting = asked.pop('socket_connect_timeout', str(timeout))
    return {
        'socket_timeout': timeout,
        'socket_connect_timeout': _seconds('socket_connect_timeout', connecting),
    }


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise ValueError(f'{name} is a number of seconds above 0')
    return value


def _database(given: list[str]) -> int:
    if len(set(given)) > 1:
        raise ValueError('it names two databases')
    if given and not (given[0].isascii() and given[0].isdigit()):
        raise ValueError('the database (path or dbid) is a number')
    return int(given[0]) if given else 0


def _tls(asked: dict[str, str]) -> dict[str, Any]:
    readers: Mapping[str, Callable[[str, str], Any]] = {
        'ssl_ca_certs': _path,
        'ssl_certfile': _path,
        'ssl_keyfile': _path,
        'ssl_cert_reqs': _requirement,
        'ssl_check_hostname': _switch,
    }
    return {name: read(name, asked.pop(name)) for name, read in readers.items() if name in asked}


def _path(name: str, text: str) -> str:
    if not text:
        raise ValueError(f'{name} is the path of a file')
    return text


def _requirement(name: str, text: str) -> str:
    if text not in ('none', 'optional', 'required'):
        raise ValueError(f'{name} is none, optional or required')
    return text


def _switch(name: str, text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError(f'{name} is true or false')
    return text.lower() == 'true'
