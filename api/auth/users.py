"""Checks passwords against the file of users, which may change at any time."""

import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping

import bcrypt
import cachetools

from api.auth import userfile
from api.auth.identity import Identity
from api.auth.userfile import LONGEST_PASSWORD, User, UserFileError
from slotwright.domain.errors import Unavailable
from slotwright.loading import InvalidConfiguration

LOG = logging.getLogger(__name__)

#: Seconds and number of verified credentials that are remembered. A bcrypt costs 0.2 s.
REMEMBERED, MOST = 300.0, 1024
#: Passwords that are checked at the same time; the other threads go on serving.
_AT_ONCE = 2
_PATIENCE = 2.0  # seconds to wait for one's turn

Mark = tuple[int, int, int]


class Users:
    """The users of a file.

    Verified credentials are kept as a keyed hash, with a key of this process: they cannot be
    read out of its memory, and whoever changes the file ends them.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        """:raises InvalidConfiguration: when the file cannot be read or understood."""
        self._path = path
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._verified: cachetools.TTLCache[bytes, Identity] = cachetools.TTLCache(
            MOST, REMEMBERED, timer=clock
        )
        # Whoever is unknown takes as long to refuse as a wrong password does.
        self._nobody = bcrypt.hashpw(secrets.token_hex(16).encode(), bcrypt.gensalt(12))
        try:
            self._mark = self._look()
            self._users: Mapping[str, User] = userfile.read(path)
        except (OSError, UserFileError) as error:
            raise InvalidConfiguration(f'[api] user_file: {error}') from error

    def verify(self, name: str, password: str) -> Identity | None:
        """Who this is; None for a user or password that is wrong.

        :raises Unavailable: too many passwords are being checked.
        """
        self._refresh()
        token = hmac.digest(self._key, f'{name}\0{password}'.encode(), hashlib.sha256)
        with self._lock:
            users = self._users
            known = self._verified.get(token)
        if known is not None:
            return known
        user = users.get(name)
        if not self._matches(password.encode(), user):
            LOG.warning('A login as %r failed', name[:80])
            return None
        assert user is not None
        with self._lock:
            if self._users is users:  # else the file has changed meanwhile
                self._verified[token] = user.identity
        return user.identity

    def _matches(self, password: bytes, user: User | None) -> bool:
        if not self._turns.acquire(timeout=_PATIENCE):
            raise Unavailable('Too many log in at once; try again in a moment.')
        try:
            wanted = self._nobody if user is None else user.hash.encode()
            possible = len(password) <= LONGEST_PASSWORD and b'\0' not in password
            right = bcrypt.checkpw(password if possible else b'-', wanted)
        finally:
            self._turns.release()
        return right and possible and user is not None

    def _refresh(self) -> None:
        """Read the file again when it has changed; one that went bad changes nothing."""
        try:
            mark = self._look()
            with self._lock:
                if mark == self._mark:
                    return
                self._mark = mark  # a bad file is complained about once
            users = userfile.read(self._path)
        except (OSError, UserFileError) as error:
            if not isinstance(error, FileNotFoundError):
                LOG.error('The users stay as they were: %s', error)
            return
        with self._lock:
            self._users = users
            self._verified.clear()
        LOG.info('%d users were read from %s', len(users), self._path)

    def _look(self) -> Mark:
        found = os.stat(self._path)
        return found.st_mtime_ns, found.st_size, found.st_ino
