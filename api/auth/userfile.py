"""The file of users: one line each, ``name:bcrypt hash:projects:roles``.

The first two fields are what ``htpasswd -B`` writes. Projects and roles are lists with
commas; ``*`` as the projects stands for all. Empty lines and lines that begin with ``#`` are
kept. ``slotwright-manage user set`` writes it.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from api.auth.identity import Identity

LONGEST_PASSWORD = 72  # bytes; bcrypt looks at no more
_SHORTEST_PASSWORD = 8  # characters
_WORK = 12  # of bcrypt: 2**12 rounds, 0.2 s

_NAME = re.compile(r'[0-9A-Za-z_.@~-]{1,64}', re.ASCII)
_PROJECT = re.compile(r'[0-9A-Za-z_.@~-]{1,255}', re.ASCII)
_HASH = re.compile(r'\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}', re.ASCII)


class UserFileError(ValueError):
    """The file, or what is to be written to it, is malformed."""


@dataclass(frozen=True, slots=True)
class User:
    """One line of the file."""

    hash: str
    identity: Identity


def read(path: str) -> Mapping[str, User]:
    """Users by name.

    :raises UserFileError: naming the first bad line.
    :raises OSError: when it cannot be read.
    """
    users: dict[str, User] = {}
    for number, line in enumerate(Path(path).read_text('utf-8').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        try:
            user = _parse(line)
        except UserFileError as error:
            raise UserFileError(f'{path}, line {number}: {error}') from None
        if user.identity.user in users:
            raise UserFileError(f'{path}, line {number}: {user.identity.user} is there twice')
        users[user.identity.user] = user
    return users


def _parse(line: str) -> User:
    fields = line.strip().split(':')
    if len(fields) != 4:
        raise UserFileError('a line is name:bcrypt hash:projects:roles')
    name, hashed, projects, roles = fields
    if not _HASH.fullmatch(hashed):
        raise UserFileError(f'the hash of {name!r} is none of bcrypt')
    return User(hashed, checked(name, projects, roles))


def checked(name: str, projects: str, roles: str) -> Identity:
    """The identity that a line gives.

    :raises UserFileError: for a name, project or role that cannot be.
    """
    if not _NAME.fullmatch(name):
        raise UserFileError(
            f'the user name {name[:80]!r} must have 1 to 64 letters, digits or _ . @ ~ -'
        )
    identity = Identity(name, frozenset(projects.split(',')), frozenset(roles.split(',')))
    for project in identity.projects - {'*'}:
        if not _PROJECT.fullmatch(project):
            raise UserFileError(f'the project {project[:80]!r} of {name} cannot be one')
    for role in identity.roles:
        if not _NAME.fullmatch(role):
            raise UserFileError(f'the role {role[:80]!r} of {name} cannot be one')
    return identity


def hash_password(password: str) -> str:
    """:raises UserFileError: when it is too short, or longer than bcrypt looks."""
    if len(password) < _SHORTEST_PASSWORD:
        raise UserFileError(f'a password has {_SHORTEST_PASSWORD} characters or more')
    data = password.encode()
    if len(data) > LONGEST_PASSWORD or b'\0' in data:
        raise UserFileError(f'a password has {LONGEST_PASSWORD} bytes or less, and no NUL')
    return bcrypt.hashpw(data, bcrypt.gensalt(_WORK)).decode()


def put(path: str, name: str, projects: str, roles: str, password: str) -> None:
    """Add a user, or give one another password, projects and roles."""
    identity = checked(name, projects, roles)
    line = ':'.join(
        (name, hash_password(password), *(','.join(sorted(part)) for part in (
            identity.projects, identity.roles
        )))
    )  # fmt: skip
    _rewrite(path, name, lambda lines: [*lines, line])


def remove(path: str, name: str) -> None:
    """:raises UserFileError: when there is none of that name."""
    if name not in read(path):
        raise UserFileError(f'there is no user {name} in {path}')
    _rewrite(path, name, lambda lines: lines)


def _rewrite(path: str, name: str, change: Callable[[list[str]], list[str]]) -> None:
    """Replace the file whole: a reader sees the old one or the new one."""
    target = Path(path)
    lines = target.read_text('utf-8').splitlines() if target.exists() else []
    if lines:
        read(path)  # nothing is written over a file that we do not understand
    kept = [line for line in lines if line.partition(':')[0].strip() != name]
    mode = target.stat() if target.exists() else None
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f'.{target.name}.')
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.writelines(f'{line}\n' for line in change(kept))
            if mode is not None:  # the daemon's group may have to read it
                os.fchmod(file.fileno(), mode.st_mode & 0o777)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), mode.st_uid, mode.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
