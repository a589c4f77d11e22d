"""The catalogue in Redis."""

from collections.abc import Sequence

from slotwright.domain import pools as checks
from slotwright.domain.errors import NameCollision
from slotwright.domain.pools import CatalogueEntry
from slotwright.storage import management
from slotwright.storage.redis import scripts
from slotwright.storage.redis.link import Link, foreign

_LIST = scripts.load('catalogue_list')
_GET = scripts.load('catalogue_get')
_INSERT = scripts.load('catalogue_insert')
_UPDATE = scripts.load('catalogue_update')
_DELETE = scripts.load('catalogue_delete')
_DROP_ALL = scripts.load('catalogue_drop_all')


class Catalogue:
    """See ``slotwright.storage.management.CatalogueController``."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def list(self, project: str | None) -> Sequence[CatalogueEntry]:
        answer = self._link.run(_LIST, checks.check_project(project) or '')
        pairs = zip(answer[1::2], answer[2::2], strict=True)
        return [CatalogueEntry(project, queue, pool) for queue, pool in pairs]

    def get(self, project: str | None, queue: str) -> CatalogueEntry:
        answer = self._link.run(_GET, *_checked(project, queue))
        if answer[0] != 'ok':
            raise management.not_mapped(project, queue)
        return CatalogueEntry(project, queue, answer[1])

    def exists(self, project: str | None, queue: str) -> bool:
        return bool(self._link.run(_GET, *_checked(project, queue))[0] == 'ok')

    def insert(self, project: str | None, queue: str, pool: str) -> None:
        where = _checked(project, queue)
        status, *detail = self._link.run(_INSERT, *where, checks.check_name('pool', pool))
        if status != 'ok':
            raise _refusal(status, detail, project, queue)

    def update(self, project: str | None, queue: str, pool: str) -> None:
        where = _checked(project, queue)
        if self._link.run(_UPDATE, *where, checks.check_name('pool', pool))[0] != 'ok':
            raise management.not_mapped(project, queue)

    def delete(self, project: str | None, queue: str) -> None:
        self._link.run(_DELETE, *_checked(project, queue))

    def drop_all(self) -> None:
        self._link.run(_DROP_ALL)


def _checked(project: str | None, queue: str) -> tuple[str, str]:
    return checks.check_project(project) or '', checks.check_name('queue', queue)


def _refusal(status: str, detail: Sequence[str], project: str | None, queue: str) -> NameCollision:
    if status == 'foreign':
        return foreign(detail[0])
    return checks.catalogue_collision(project, queue)
