"""``limit`` and ``marker`` of lists, and the link to the next page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

import falcon

from slotwright.domain.errors import InvalidRequest

_NUMBER = re.compile(r'[0-9]{1,18}', re.ASCII)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar('T', bound=_HasId)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is asked for: up to ``limit`` entries after ``marker``."""

    limit: int
    marker: str | None

    @property
    def fetch(self) -> int:
        """How many to fetch: one more tells whether there is a next page."""
        return self.limit + 1

    def cut(self, found: Sequence[T]) -> tuple[Sequence[T], str | None]:
        """The page's own entries, and the marker of the next page if there is one."""
        if len(found) <= self.limit:
            return found, None
        entries = found[: self.limit]
        return entries, entries[-1].id


def parse(req: falcon.Request, largest: int) -> Page:
    """Read ``limit`` (capped at ``largest``, which is the default) and ``marker``.

    :raises InvalidRequest: for a limit that is no positive number.
    """
    limit = req.get_param('limit')
    if limit is None:
        return Page(largest, req.get_param('marker'))
    if not _NUMBER.fullmatch(limit) or not int(limit):
        raise InvalidRequest(f'limit {limit[:60]!r} must be a whole number from 1 up')
    return Page(min(int(limit), largest), req.get_param('marker'))


def next_links(
    req: falcon.Request, page: Page, marker: str | None, **kept: str
) -> dict[str, list[dict[str, str]]]:
    """``{'links': [next]}``, or nothing at all on the last page.

    ``kept``: further parameters of the query that the next page needs.
    """
    if marker is None:
        return {}
    query = urlencode({**kept, 'limit': page.limit, 'marker': marker})
    href = f'{req.prefix}{quote(req.path)}?{query}'
    return {'links': [{'rel': 'next', 'href': href}]}
