"""Search documents, and the terms of a document that they are held against.

``{"match": [{key: value}, …], "match_not": […]}``: everything in ``match`` has to be so, nothing in
``match_not`` may be. A key is found at any depth, the last one of a name counts; values are equal
exactly, numbers with a fraction of zero are whole. None is a value that is not there.

``_all`` in ``match`` is either any key's value, or a JSON list of pairs as a string
(``'[{"client_id": "c"}]'``), which stands for those pairs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slotwright.domain.errors import InvalidRequest

LONGEST_NAME = 64  # characters; longer ones are stored as a digest
LONGEST_VALUE = 255
MOST_TERMS = 20  # of a search
#: Members of documents: the actions of a job, the jobs of a session.
NESTED = frozenset({'job_actions', 'jobs'})

_ENCODER = json.JSONEncoder()

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for, as terms: see ``name_of`` and ``value_of``. A value None: not there."""

    match: tuple[tuple[str, str | None], ...] = ()
    match_not: tuple[tuple[str, str | None], ...] = ()
    anywhere: tuple[str, ...] = ()  # values under any name


EVERYTHING = Search()


def parse(document: Any) -> Search:
    """Read a search; None and {} find everything.

    :raises InvalidRequest: for anything that is no search.
    """
    if document is None:
        return EVERYTHING
    unknown = set(document) - {'match', 'match_not'} if isinstance(document, dict) else {''}
    if unknown:
        raise InvalidRequest(
            'A search is an object with match, match_not or both, such as '
            '{"match": [{"client_id": "c"}], "match_not": [{"status": "completed"}]}.'
        )
    match: list[tuple[str, str | None]] = []
    anywhere: list[str] = []
    for name, value in _pairs('match', document.get('match')):
        if name == '_all':
            pairs = _listed(value)
            match += [(name_of(n), value_of(v)) for n, v in pairs or ()]
            anywhere += [str(value_of(value))] if pairs is None else []
        else:
            match.append((name_of(name), value_of(value)))
    match_not = tuple(
        (name_of(name), value_of(value))
        for name, value in _pairs('match_not', document.get('match_not'))
    )
    if len(match) + len(match_not) + len(anywhere) > MOST_TERMS:
        raise InvalidRequest(f'A search has at most {MOST_TERMS} terms.')
    return Search(tuple(match), match_not, tuple(anywhere))


def _pairs(where: str, listed: Any) -> Iterator[tuple[str, Scalar]]:
    if listed is None:
        return
    if not isinstance(listed, list) or not all(isinstance(pair, dict) for pair in listed):
        raise InvalidRequest(f'{where} must be a list of objects like {{"client_id": "c"}}.')
    for pair in listed:
        for name, value in pair.items():
            if isinstance(value, dict | list):
                raise InvalidRequest(
                    f'{where}: {name[:60]!r} must be a string, a number, true, false or null.'
                )
            yield name, value


def _listed(text: Scalar) -> list[tuple[str, Scalar]] | None:
    """The pairs that a string stands for; None when it stands for itself."""
    if text is None:
        raise InvalidRequest('match: _all must be a value, or a list of pairs as a string.')
    try:
        listed = json.loads(text) if isinstance(text, str) and text.startswith('[') else None
    except (ValueError, RecursionError):
        listed = None
    return None if listed is None else list(_pairs('match: _all', listed))


def terms_of(document: Mapping[str, Any]) -> dict[str, str]:
    """All terms of a document: the value under each name. What it only refers to, other
    things with terms of their own (``NESTED``), is left out.

    >>> terms_of({'a': 1, 'b': {'a': 'x', 'c': [{'d': None}, {'d': True}]}, 'e': 2.0})
    {'a': '"x"', 'd': 'true', 'e': '2'}
    """
    found: dict[str, Scalar] = {}
    _collect({k: v for k, v in document.items() if k not in NESTED}, found)
    terms = {name_of(name): value_of(value) for name, value in found.items()}
    return {name: value for name, value in terms.items() if value is not None}


def _collect(value: Any, found: dict[str, Scalar]) -> None:
    """Depth is bounded: whatever is stored has been read from a body of bounded depth."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if isinstance(part, Mapping | list | tuple):
                _collect(part, found)
            else:
                found[name] = part
    elif isinstance(value, list | tuple):
        for part in value:
            _collect(part, found)


def name_of(name: str) -> str:
    r"""A name as it is stored: itself, or a digest when it is long or ends in a blank, which
    MySQL does not look at: there ``'a '`` would be ``'a'``.

    >>> name_of('status')
    'status'
    >>> name_of('a ') == name_of('a')
    False
    """
    fits = len(name) <= LONGEST_NAME and not name.endswith(' ')
    return name if fits else _digest(name)


def value_of(value: Scalar) -> str | None:
    """A value as it is stored: JSON that is equal for equal values, or a digest.

    >>> value_of('x'), value_of(1.0), value_of(True), value_of(None)
    ('"x"', '1', 'true', None)
    """
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # The encoder has a short way for strings only.
    text = repr(value) if type(value) is int else _ENCODER.encode(value)
    return text if len(text) <= LONGEST_VALUE else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()
