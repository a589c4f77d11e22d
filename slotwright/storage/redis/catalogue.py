"""The catalogue in Redis."""

from collections.abc import Sequence

from slotwright.domain import pools as checks
from slotwright.domain.errors import NameCollision
from slotwright.domain.pools import CatalogueEntry
from slotwright.storage import management
from slotwright.storage.redis.link import Link, foreign


class Catalogue:
    """See ``slotwright.storage.management.CatalogueController``."""

    def __init__(self, link: Link) -> None:
        self._run_list = link.script('catalogue_list')
        self._run_get = link.script('catalogue_get')
        self._run_insert = link.script('catalogue_insert')
        self._run_update = link.script('catalogue_update')
        self._run_delete = link.script('catalogue_delete')
        self._run_drop_all = link.script('catalogue_drop_all')

    def list(self, project: str | None) -> Sequence[CatalogueEntry]:
        answer = self._run_list(checks.check_project(project) or '')
        pairs = zip(answer[1::2], answer[2::2], strict=True)
        return [CatalogueEntry(project, queue, pool) for queue, pool in pairs]

    def get(self, project: str | None, queue: str) -> CatalogueEntry:
        pool = self._run_get(*_checked(project, queue))
        if pool is None:
            raise management.not_mapped(project, queue)
        return CatalogueEntry(project, queue, pool)

    def exists(self, project: str | None, queue: str) -> bool:
        return self._run_get(*_checked(project, queue)) is not None

    def insert(self, project: str | None, queue: str, pool: str) -> None:
        where = _checked(project, queue)
        status, *detail = self._run_insert(*where, checks.check_name('pool', pool))
        if status != 'ok':
            raise _refusal(status, detail, project, queue)

    def update(self, project: str | None, queue: str, pool: str) -> None:
        where = _checked(project, queue)
        if self._run_update(*where, checks.check_name('pool', pool))[0] != 'ok':
            raise management.not_mapped(project, queue)

    def delete(self, project: str | None, queue: str) -> None:
        self._run_delete(*_checked(project, queue))

    def drop_all(self) -> None:
        self._run_drop_all()


def _checked(project: str | None, queue: str) -> tuple[str, str]:
    return checks.check_project(project) or '', checks.check_name('queue', queue)


def _refusal(status: str, detail: Sequence[str], project: str | None, queue: str) -> NameCollision:
    if status == 'foreign':
        return foreign(detail[0])
    return checks.catalogue_collision(project, queue)
