"""Things by id or by name: the client asks for a thing by whatever it was given.

An id wins over a name. A name that several things have is refused, with their ids.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from slotwright.domain.errors import Ambiguous, NotFound

_MOST_IDS = 20  # in an answer


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


T = TypeVar('T', bound=_Named)


def find(
    kind: str,
    wanted: str,
    get: Callable[[str], T],
    find_named: Callable[[str, int], Sequence[T]],
) -> T:
    """The thing with that id, else the one of that name.

    :param kind: what to call it in a refusal
    :param get: gives the one with an id, raises NotFound
    :param find_named: gives up to so many of a name
    :raises NotFound: as ``get`` raised it, when there is none of that name either.
    :raises Ambiguous: when there are several.
    """
    try:
        return get(wanted)
    except NotFound:
        # Some databases take 'a' and 'a ' for the same name.
        named = [n for n in find_named(wanted, _MOST_IDS + 1) if n.name == wanted]
        if not named:
            raise
    if len(named) > 1:
        ids = [thing.id for thing in named[:_MOST_IDS]]
        more = ' and more' if len(named) > _MOST_IDS else ''
        raise Ambiguous(f'{kind} name {wanted!r} is not unique; use one of the ids {ids}{more}.')
    return named[0]
