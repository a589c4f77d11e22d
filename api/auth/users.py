"""Checks passwords against the file of users, which may change at any time."""

import hashlib
import hmac
import logging
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import bcrypt
import cachetools

from api.auth import userfile
from api.auth.identity import Identity
from api.auth.turns import Turns
from api.auth.userfile import LONGEST_PASSWORD, User, UserFileError
from slotwright.loading import InvalidConfiguration

LOG = logging.getLogger(__name__)

#: Seconds and number of verified credentials that are remembered. A bcrypt costs 0.2 s.
REMEMBERED, MOST = 300.0, 1024
#: Passwords that are checked at the same time; the other threads go on serving.
_AT_ONCE = 2

#: What tells one state of a file from the next, also when only its mode has changed.
Mark = tuple[int, ...]


class Users:
    """The users of a file.

    Verified credentials are kept as a keyed hash, with a key of this process: they cannot be
    read out of its memory, and whoever changes the file ends them.
    """

    def __init__(
        self, path: str, most_logins: int = 6, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``most_logins`` threads at most check a password or wait for that.

        :raises InvalidConfiguration: when the file cannot be read or understood.
        """
        self._path = path
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._turns = Turns(
            _AT_ONCE, most_logins, 'Too many log in at once; try again in a moment.'
        )
        self._verified: cachetools.TTLCache[bytes, Identity] = cachetools.TTLCache(
            MOST, REMEMBERED, timer=clock
        )
        try:
            self._mark: Mark | None = _mark(path)
            self._users = userfile.read(path)
            _warn_of_mode(path)
        except (OSError, UserFileError) as error:
            raise InvalidConfiguration(f'[api] user_file: {error}') from error
        self._decoys = _decoys(self._users)

    def verify(self, name: str, password: str) -> Identity | None:
        """Who this is; None for a user or password that is wrong.

        :raises Unavailable: too many passwords are being checked.
        """
        self._refresh()
        token = self._digest(f'{name}\0{password}')
        with self._lock:
            users = self._users
            known = self._verified.get(token)
        if known is not None:
            return known
        user = users.get(name)
        right = self._matches(password.encode(), user.hash if user else self._decoy(name))
        if user is None or not right:
            LOG.warning('A login as %r failed', name[:80])
            return None
        with self._lock:
            if self._users is users:  # else the file has changed meanwhile
                self._verified[token] = user.identity
        return user.identity

    def _matches(self, password: bytes, hashed: str) -> bool:
        possible = len(password) <= LONGEST_PASSWORD and b'\0' not in password
        with self._turns.take():
            right = bcrypt.checkpw(password if possible else b'-', hashed.encode())
        return right and possible

    def _decoy(self, name: str) -> str:
        """A hash that a name nobody has is checked against: always the same for one name.

        The more work the users' own hashes are, the more these are: else the time that a
        refusal takes would tell which names there are.
        """
        decoys = self._decoys
        return decoys[int.from_bytes(self._digest(name)) % len(decoys)]

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def _refresh(self) -> None:
        """Read the file again when it has changed; one that went bad changes nothing."""
        mark = _mark_if_there(self._path)
        # Held while reading: what an earlier reader found must not replace what a later one did.
        with self._lock:
            if mark == self._mark:
                return
            self._mark = mark  # what is wrong is complained about once
            try:
                users = userfile.read(self._path)
                _warn_of_mode(self._path)
            except (OSError, UserFileError) as error:
                LOG.error('The users stay as they were: %s', error)
                return
            self._users, self._decoys = users, _decoys(users)
            self._verified.clear()
        LOG.info('%d users were read from %s', len(users), self._path)


def _mark(path: str) -> Mark:
    found = os.stat(path)
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino


def _mark_if_there(path: str) -> Mark | None:
    try:
        return _mark(path)
    except OSError:
        return None


def _decoys(users: Mapping[str, User]) -> Sequence[str]:
    """Hashes of nothing anybody knows: as much work as those of ``users``, in the same parts."""
    settings = [user.hash[:7] for user in users.values()] or [userfile.SETTING]
    made = {
        setting: setting + bcrypt.gensalt(4).decode()[7:] + secrets.token_hex(16)[:31]
        for setting in set(settings)
    }
    return [made[setting] for setting in settings]


def _warn_of_mode(path: str) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & 0o007:
        LOG.warning('%s has the mode %o: others than its group may use it', path, mode)
