"""Pools in Redis."""

from collections.abc import Mapping, Sequence
from typing import Any

from slotwright.domain import pools as checks
from slotwright.domain.errors import NameCollision, SlotwrightError
from slotwright.domain.pools import Pool
from slotwright.storage import management
from slotwright.storage.redis.hashes import read_object, read_weight
from slotwright.storage.redis.link import Link, foreign


class Pools:
    """See ``slotwright.storage.management.PoolsController``."""

    def __init__(self, link: Link, capabilities: management.SchemeCapabilities) -> None:
        self._run_list = link.script('pools_list')
        self._run_by_flavor = link.script('pools_by_flavor')
        self._run_serving = link.script('pools_serving')
        self._run_get = link.script('pools_get')
        self._run_exists = link.script('pools_exists')
        self._run_first = link.script('pools_first')
        self._run_create = link.script('pools_create')
        self._run_update = link.script('pools_update')
        self._run_delete = link.script('pools_delete')
        self._run_drop_all = link.script('pools_drop_all')
        self._capabilities = capabilities

    def list(self, marker: str | None = None, limit: int = management.PAGE) -> Sequence[Pool]:
        after = checks.check_page(marker, limit)
        return _read(self._run_list(after, limit))

    def create(
        self,
        name: str,
        weight: int,
        uri: str,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        new = checks.new_pool(name, weight, uri, flavor, options)
        status, *detail = self._run_create(
            name, uri, weight, checks.to_json('options', options), new.flavor or ''
        )
        if status != 'ok':
            raise _refusal(status, detail, name, flavor)

    def get_pools_by_flavor(self, flavor: str | None = None) -> Sequence[Pool]:
        wanted = '' if flavor is None else checks.check_name('flavor', flavor)
        return _read(self._run_by_flavor(wanted))

    def find_serving(self, flavor: str | None) -> Sequence[Pool] | None:
        wanted = '' if flavor is None else checks.check_name('flavor', flavor)
        answer = self._run_serving(wanted)
        return _read(answer) if answer[0] == 'ok' else None

    def get(self, name: str) -> Pool:
        answer = self._run_get(checks.check_name('pool', name))
        if answer[0] != 'ok':
            raise management.no_pool(name)
        return _pool(answer, 1)

    def exists(self, name: str) -> bool:
        return bool(self._run_exists(checks.check_name('pool', name)))

    def update(
        self,
        name: str,
        *,
        weight: int | None = None,
        uri: str | None = None,
        flavor: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Pool:
        checks.check_pool_change(name, weight, uri, flavor, options)
        fields: list[str | int] = []
        if uri is not None:
            fields += ('u', uri)
        if weight is not None:
            fields += ('w', weight)
        if options is not None:
            fields += ('o', checks.to_json('options', options))
        given = '0' if flavor is None else '1'
        answer = self._run_update(name, given, flavor or '', *fields)
        if answer[0] != 'ok':
            raise _refusal(answer[0], answer[1:], name, flavor)
        return _pool(answer, 1)

    def delete(self, name: str) -> None:
        status, *detail = self._run_delete(checks.check_name('pool', name))
        if status != 'ok':
            raise _refusal(status, detail, name, None)

    def drop_all(self) -> None:
        self._run_drop_all()

    def capabilities(self, flavor: str | None = None, name: str | None = None) -> Sequence[str]:
        answer = self._run_first(
            '' if name is None else checks.check_name('pool', name),
            '' if flavor is None else checks.check_name('flavor', flavor),
        )
        if answer[0] != 'ok':
            return ()
        return tuple(self._capabilities(management.scheme_of(answer[1] or '')))


def _pool(answer: Sequence[str | None], at: int) -> Pool:
    """One with a field that somebody damaged has weight 0, until it is mended."""
    name, uri, weight_text, options_text, flavor = answer[at : at + 5]
    weight, options = read_weight(weight_text), read_object(options_text)
    if weight is None or options is None:
        weight = 0
    return Pool(name or '', uri or '', weight, flavor or None, options or {})


def _read(answer: Sequence[str | None]) -> list[Pool]:
    """``answer`` is 'ok' and five values for each pool."""
    return [_pool(answer, at) for at in range(1, len(answer), 5)]


def _refusal(status: str, detail: Sequence[str], name: str, flavor: str | None) -> SlotwrightError:
    if status == 'missing':
        return management.no_pool(name)
    if status == 'in_use':
        return management.in_use(name, detail[0])
    if status == 'foreign':
        return foreign(detail[0])
    if status == 'named_like_flavor':
        return checks.taken_by('pool', name, 'a flavor')
    if status == 'flavor_named_like_pool':
        return checks.taken_by('flavor', flavor or '', 'a pool')
    return NameCollision(status)
