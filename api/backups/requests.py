"""What requests of both versions carry: the project, pages, searches, and bodies."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import falcon

from api import bodies
from api.database.resources import require_project
from api.ports import Ids
from api.schemas import Schema
from slotwright.domain import search
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.search import Search
from slotwright.storage.backups import PAGE, BackupStore

MOST = 1000  # entries of a page
_LARGEST_OFFSET = 2**31 - 1
_LONGEST = 12  # digits of a number


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the resources need; ``wiring`` builds it.

    ``ids`` gives 32 hexadecimal digits; ``now`` whole seconds since 1970, ``nanoseconds`` those.
    """

    store: BackupStore
    max_body: int
    ids: Ids
    now: Callable[[], int] = lambda: int(time.time())
    nanoseconds: Callable[[], int] = time.time_ns


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let into a project."""

    project: str
    user: str


class Resource:
    """One kind of thing, in one version of the API (1 or 2)."""

    def __init__(self, parts: Parts, api_version: int) -> None:
        self._parts = parts
        self._store = parts.store
        self._api_version = api_version

    def _body(self, req: falcon.Request, schema: Schema) -> Mapping[str, Any]:
        body: Mapping[str, Any] = schema.check(bodies.read(req, self._parts.max_body))
        return body

    def _search(self, req: falcon.Request) -> Search:
        """The search in the body of a GET; everything without one."""
        return search.parse(bodies.read(req, self._parts.max_body))


def caller_of(req: falcon.Request) -> Caller:
    """:raises InvalidRequest: for a project that can be none."""
    project: str = req.context.project
    require_project(project)
    return Caller(project, req.context.identity.user[:64])


def page_of(req: falcon.Request, most: int = MOST) -> tuple[int, int]:
    """Limit, which is ``most`` where more is asked for, and offset.

    :raises InvalidRequest: for what is no such number.
    """
    return (
        min(_number(req, 'limit', PAGE, 1), most),
        _number(req, 'offset', 0, 0),
    )


def _number(req: falcon.Request, name: str, usual: int, smallest: int) -> int:
    text = req.get_param(name)
    if text is None:
        return usual
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else -1
    if not smallest <= number <= _LARGEST_OFFSET:
        raise InvalidRequest(
            f'{name}={text[:60]!r} must be a whole number from {smallest} to {_LARGEST_OFFSET}.'
        )
    return number


def truth(req: falcon.Request, name: str) -> bool:
    """The truth of a parameter, false when it is not there.

    :raises InvalidRequest: for what is neither true nor false.
    """
    text = (req.get_param(name) or 'false').lower()
    if text not in ('true', 'false', '1', '0'):
        raise InvalidRequest(f'{name}={text[:60]!r} must be true or false.')
    return text in ('true', '1')


def one_member(body: Any, what: str) -> tuple[str, Any]:
    """The name and value of a body with one member.

    :raises InvalidRequest: for any other.
    """
    if not isinstance(body, dict) or len(body) != 1:
        raise InvalidRequest(f'Bad {what} request format: it is an object with one member.')
    ((name, value),) = body.items()
    return name, value
