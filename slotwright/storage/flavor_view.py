"""The flavors of any management store as the Trove API has them."""

from collections.abc import Sequence

from slotwright.domain import flavors as domain
from slotwright.domain.clusters import Flavor
from slotwright.domain.errors import NotFound
from slotwright.storage.base import FlavorRegistry
from slotwright.storage.management import FlavorsController


class FlavorView:
    """A ``FlavorStore`` over the flavors of a management store outside of SQL.

    Those with a size in their capabilities; ids given in SQL stay what they are, others come
    of the names. Each method is one look into the store and one into the registry.
    """

    def __init__(self, flavors: FlavorsController, registry: FlavorRegistry) -> None:
        self._flavors = flavors
        self._registry = registry

    def list_flavors(self) -> Sequence[Flavor]:
        """See ``slotwright.storage.base.FlavorStore``."""
        found = {flavor.name: flavor.capabilities for flavor in self._flavors.list(limit=0)}
        return domain.sized(found, self._registry.flavor_ids())

    def get_flavor(self, flavor_id: str) -> Flavor:
        """See ``slotwright.storage.base.FlavorStore``."""
        for flavor in self.list_flavors():
            if flavor.id == flavor_id:
                return flavor
        raise NotFound(f'Flavor {flavor_id} cannot be found.')

    def hold_flavor(self, flavor_id: str) -> None:
        """See ``slotwright.storage.base.FlavorStore``."""
        self._registry.record_flavor(self.get_flavor(flavor_id))
