"""What requests to pools and flavors carry: the project, pages, and bodies."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import falcon

from api import bodies
from slotwright.domain.errors import InvalidRequest
from slotwright.storage.management import PoolStore

PREFIX = '/v2'
MOST = 20  # entries of a page
USUAL = 10

_TRUTH = {'true': True, 'yes': True, '1': True, 'false': False, 'no': False, '0': False}


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the resources of /v2 need; ``wiring`` builds it."""

    store: PoolStore
    max_body: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is asked for."""

    marker: str | None
    limit: int
    detailed: bool


class Resource:
    """What both have in common."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def _body(self, req: falcon.Request) -> Any:
        return bodies.read(req, self._parts.max_body)


def project_of(req: falcon.Request) -> str | None:
    """The project that the caller names; None, which is all of them, when it names none."""
    named: str | None = getattr(req.context, 'named_project', None)
    return named or None


def page_of(req: falcon.Request) -> Page:
    """:raises InvalidRequest: for a limit or truth value that is none."""
    text = req.get_param('limit')
    limit = USUAL
    if text is not None:
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
            raise InvalidRequest(
                f'Limit must be at least 1 and no greater than {MOST}: limit={text[:60]!r}.'
            )
        limit = int(text)
    return Page(req.get_param('marker'), limit, detailed(req))


def detailed(req: falcon.Request) -> bool:
    """The truth of ``?detailed``, in any case.

    :raises InvalidRequest: for anything else.
    """
    text = req.get_param('detailed')
    if text is None:
        return False
    if text.lower() not in _TRUTH:
        raise InvalidRequest(f'detailed={text[:60]!r} must be true or false.')
    return _TRUTH[text.lower()]


def href_of(below: str, kind: str, name: str) -> str:
    """The path of a pool or flavor; ``below`` is what a proxy put before our paths.

    >>> href_of('', 'pools', 'a b?')
    '/v2/pools/a%20b%3F'
    """
    return f'{below}{PREFIX}/{kind}/{quote(name, safe="")}'


def next_links(below: str, path: str, page: Page, last: str | None) -> list[dict[str, str]]:
    """The link to the page after ``last``; none when that is None."""
    if last is None:
        return []
    truth = 'true' if page.detailed else 'false'
    query = falcon.to_query_str(
        {'marker': last, 'limit': page.limit, 'detailed': truth}, prefix=True
    )
    return [{'rel': 'next', 'href': f'{below}{PREFIX}/{path}{query}'}]
