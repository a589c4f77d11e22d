"""Flavors in Redis."""

from collections.abc import Mapping, Sequence
from typing import Any

from slotwright.domain import pools as checks
from slotwright.domain.errors import SlotwrightError
from slotwright.domain.flavors import check_capabilities
from slotwright.domain.pools import PoolFlavor
from slotwright.storage import management
from slotwright.storage.redis.hashes import read_object
from slotwright.storage.redis.link import Link, foreign


class Flavors:
    """See ``slotwright.storage.management.FlavorsController``."""

    def __init__(self, link: Link) -> None:
        self._run_list = link.script('flavors_list')
        self._run_get = link.script('flavors_get')
        self._run_exists = link.script('flavors_exists')
        self._run_create = link.script('flavors_create')
        self._run_update = link.script('flavors_update')
        self._run_delete = link.script('flavors_delete')
        self._run_drop_all = link.script('flavors_drop_all')

    def list(
        self,
        project: str | None = None,
        marker: str | None = None,
        limit: int = management.PAGE,
    ) -> Sequence[PoolFlavor]:
        after = checks.check_page(marker, limit)
        answer = self._run_list(checks.check_project(project) or '', after, limit)
        return [_flavor(answer, at) for at in range(1, len(answer), 4)]

    def create(
        self,
        name: str,
        project: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> None:
        checks.check_new_flavor(name, project)
        chosen = checks.check_pools(pools)
        status, *detail = self._run_create(
            name,
            project or '',
            '' if capabilities is None else check_capabilities(capabilities),
            '0' if chosen is None else '1',
            *(chosen or ()),
        )
        if status != 'ok':
            raise _refusal(status, detail, name, project)

    def get(self, name: str, project: str | None = None) -> PoolFlavor:
        answer = self._run_get(*_checked(name, project))
        if answer[0] != 'ok':
            raise management.no_flavor(name)
        return _flavor(answer, 1)

    def exists(self, name: str, project: str | None = None) -> bool:
        return bool(self._run_exists(*_checked(name, project)))

    def update(
        self,
        name: str,
        project: str | None = None,
        *,
        capabilities: Mapping[str, Any] | None = None,
        pools: Sequence[str] | None = None,
    ) -> PoolFlavor:
        if capabilities is None and pools is None:
            raise checks.nothing_to_change('capabilities and pools')
        chosen = checks.check_pools(pools)
        answer = self._run_update(
            *_checked(name, project),
            '' if capabilities is None else check_capabilities(capabilities),
            '0' if chosen is None else '1',
            *(chosen or ()),
        )
        if answer[0] != 'ok':
            raise _refusal(answer[0], answer[1:], name, project)
        return _flavor(answer, 1)

    def delete(self, name: str, project: str | None = None, *, release: bool = False) -> None:
        self._run_delete(*_checked(name, project), '1' if release else '0')

    def drop_all(self) -> None:
        self._run_drop_all()


def _checked(name: str, project: str | None) -> tuple[str, str]:
    return checks.check_name('flavor', name), checks.check_project(project) or ''


def _flavor(answer: Sequence[Any], at: int) -> PoolFlavor:
    name, project, capabilities, pools = answer[at : at + 4]
    # What somebody damaged says nothing, and so has no size.
    return PoolFlavor(name, project or None, read_object(capabilities) or {}, tuple(pools))


def _refusal(status: str, detail: Sequence[str], name: str, project: str | None) -> SlotwrightError:
    if status == 'missing':
        return management.no_flavor(name)
    if status == 'missing_pool':
        return management.no_pool(detail[0])
    if status == 'foreign':
        return foreign(detail[0])
    if status == 'project_named_like_flavor':
        return checks.taken_by('project with flavors', project or '', 'a flavor')
    return checks.taken_by('flavor', name, _HOLDERS[status])


_HOLDERS = {
    'named_like_pool': 'a pool',
    'named_like_project': 'a project with flavors',
    'other_project': "another project's flavor",
}
