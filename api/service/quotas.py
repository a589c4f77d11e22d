"""What projects may use: shown, and set by whoever may."""

from dataclasses import dataclass

from api import schemas
from api.ports import Store
from slotwright.domain.quotas import Amounts, Usage


@dataclass(frozen=True, slots=True)
class QuotaService:
    """Limits of projects over the ``defaults`` of the configuration."""

    store: Store
    defaults: Amounts

    def usage(self, project_id: str) -> Usage:
        return self.store.get_usage(project_id, self.defaults)

    def update(self, project_id: str, body: object) -> dict[str, int]:
        """Store the limits that ``body`` names; answers them, as they are in force now.

        :raises InvalidRequest: for anything but known resources and limits; nothing is
            stored then.
        """
        wanted = schemas.QUOTAS_BODY.check(body)['quotas']
        limits = self.store.set_limits(project_id, wanted, self.defaults).limits.by_name()
        return {name: limits[name] for name in wanted}
