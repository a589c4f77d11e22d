"""The file of users: one line each, ``name:bcrypt hash:projects:roles``.

The first two fields are what ``htpasswd -B`` writes. Projects and roles are lists with
commas; ``*`` as the projects stands for all. Empty lines and lines that begin with ``#`` are
kept. ``slotwright-manage user set`` writes it.
"""

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from api.auth.identity import Identity

LONGEST_PASSWORD = 72  # bytes; bcrypt looks at no more
_SHORTEST_PASSWORD = 8  # characters
#: How the hashes begin that are made here: 2**12 rounds, 0.2 s.
SETTING = '$2b$12$'

_NAME = re.compile(r'[0-9A-Za-z_.@~-]{1,64}', re.ASCII)
_PROJECT = re.compile(r'[0-9A-Za-z_.@~-]{1,255}', re.ASCII)
#: bcrypt takes a salt of 16 bytes only, so not every last character of one. A hash of more than
#: 2**16 rounds keeps a processor busy for seconds whenever somebody tries its user.
_HASH = re.compile(r'\$2[aby]\$(0[4-9]|1[0-6])\$[./0-9A-Za-z]{21}[.Oeu][./0-9A-Za-z]{31}', re.ASCII)


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
    for number, line in enumerate(_lines(Path(path)), 1):
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


def _lines(path: Path) -> list[str]:
    """:raises UserFileError: when it is no text."""
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        number = data.count(b'\n', 0, error.start) + 1
        raise UserFileError(f'{path}, line {number}: it is not UTF-8') from None
    return text.removesuffix('\n').split('\n') if text else []


def _parse(line: str) -> User:
    fields = line.strip().split(':')
    if len(fields) != 4:
        raise UserFileError('a line is name:bcrypt hash:projects:roles')
    name, hashed, projects, roles = fields
    if not _HASH.fullmatch(hashed):
        raise UserFileError(f'the hash of {name!r} is none of bcrypt with 2**4 to 2**16 rounds')
    return User(hashed, checked(name, projects, roles))


def checked(name: str, projects: str, roles: str) -> Identity:
    """The identity that a line gives.

    :raises UserFileError: for a name, project or role that cannot be.
    """
    if not _NAME.fullmatch(name):
        raise UserFileError(
            f'the user name {name[:80]!r} must have 1 to 64 letters, digits or _ . @ ~ -'
        )
    # oslo.policy takes Admin for admin, so everybody has to.
    held = frozenset(roles.lower().split(','))
    identity = Identity(name, frozenset(projects.split(',')), held)
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
    try:
        data = password.encode()
    except UnicodeEncodeError:
        raise UserFileError('the password is not UTF-8') from None
    if len(data) > LONGEST_PASSWORD or b'\0' in data:
        raise UserFileError(f'a password has {LONGEST_PASSWORD} bytes or less, and no NUL')
    return bcrypt.hashpw(data, bcrypt.gensalt(int(SETTING[4:6]))).decode()


def put(path: str, name: str, projects: str, roles: str, password: str) -> None:
    """Add a user, or give one another password, projects and roles.

    :raises UserFileError: for what cannot be; nothing is changed then.
    :raises OSError: when the file cannot be written.
    """
    identity = checked(name, projects, roles)
    lists = [','.join(sorted(part)) for part in (identity.projects, identity.roles)]
    line = ':'.join((name, hash_password(password), *lists))
    with _alone(path, os.O_CREAT) as target:
        _replace(target, [*_others(target, name), line])


def remove(path: str, name: str) -> None:
    """:raises UserFileError: when there is none of that name."""
    with _alone(path) as target:
        if name not in read(path):
            raise UserFileError(f'there is no user {name} in {path}')
        _replace(target, _others(target, name))


@contextlib.contextmanager
def _alone(path: str, flags: int = 0) -> Iterator[Path]:
    """The file itself, should ``path`` be a link to it; other writers wait meanwhile."""
    target = Path(path).resolve()
    while True:
        descriptor = os.open(target, os.O_RDONLY | flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever had the lock has replaced the file, most likely.
            if os.path.samestat(os.fstat(descriptor), os.stat(target)):
                yield target
                return
        finally:
            os.close(descriptor)


def _others(target: Path, name: str) -> list[str]:
    """The lines that are not about ``name``.

    :raises UserFileError: nothing is written over a file that we do not understand.
    """
    read(str(target))
    return [line for line in _lines(target) if line.partition(':')[0].strip() != name]


def _replace(target: Path, lines: Sequence[str]) -> None:
    """Write the file anew and whole: a reader sees the old one or the new one."""
    before = target.stat()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f'.{target.name}.')
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.writelines(f'{line}\n' for line in lines)
            os.fchmod(file.fileno(), before.st_mode & 0o777)
            if os.geteuid() == 0:  # the daemon's group may have to read it
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
