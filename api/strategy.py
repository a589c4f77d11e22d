"""What a request must look like for one datastore to be able to serve it.

``[redis] api_strategy`` names a class by its dotted path; it may lie outside of this
tree. It is built from ``Rules`` and does what ``APIStrategy`` says. It decides only:
reading and storing are the services' part.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from api.settings import Settings
from slotwright.domain.clusters import Cluster, Flavor, Instance
from slotwright.domain.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    NotSupported,
    OverLimit,
)
from slotwright.loading import load_class
from slotwright.rpc.contract import CommandContext, GuestAgentAPI


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator allows."""

    volume_support: bool
    max_volume_size: int  # GiB
    max_cluster_size: int  # instances
    region: str

    @classmethod
    def from_settings(cls, settings: Settings) -> 'Rules':
        return cls(
            settings.volume_support,
            settings.max_accepted_volume_size,
            settings.max_cluster_size,
            settings.region,
        )


@dataclass(frozen=True, slots=True)
class MemberRequest:
    """One entry of ``instances`` or ``grow``, as it was sent."""

    flavor_id: str | None
    volume_size: int | None  # GiB
    region: str | None = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> 'MemberRequest':
        """Read what ``schemas.INSTANCE`` lets through.

        A flavor may be given by its link: the last part of the path is the id. The real
        client sends sizes as strings.
        """
        ref = body.get('flavorRef')
        volume = body.get('volume')
        return cls(
            flavor_id=None if ref is None else str(ref).rstrip('/').rpartition('/')[2],
            volume_size=None if volume is None else int(volume['size']),
            region=body.get('region') or body.get('region_name'),
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A node as it will be made."""

    flavor_id: str
    volume_size: int | None  # GiB


class APIStrategy(Protocol):
    """The port of ``[redis] api_strategy``."""

    def check_members(
        self,
        wanted: Sequence[MemberRequest],
        get_flavor: Callable[[str], Flavor],
        existing: Sequence[Instance] = (),
    ) -> Sequence[Member]:
        """The nodes to make, for a new cluster or besides the ``existing`` ones.

        :raises SlotwrightError: in any of its kinds, for the first thing that is wrong.
        """

    def check_shrink(self, cluster: Cluster, instance_ids: Sequence[str]) -> Sequence[Instance]:
        """The members to remove, before any of them is asked.

        :raises SlotwrightError: as above.
        """

    def may_be_removed(self, node: GuestAgentAPI, context: CommandContext) -> bool:
        """Ask one member whether it can go without loss. Changes nothing.

        :raises SlotwrightError: when it gives no answer.
        """


def load(path: str, rules: Rules) -> APIStrategy:
    """Build the strategy at a dotted ``path``.

    :raises slotwright.loading.InvalidConfiguration: when there is no such class.
    """
    return cast(APIStrategy, load_class(path, '[redis] api_strategy')(rules))


class RedisAPIStrategy:
    """A Redis Cluster: masters of one flavor and one volume size."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def check_members(
        self,
        wanted: Sequence[MemberRequest],
        get_flavor: Callable[[str], Flavor],
        existing: Sequence[Instance] = (),
    ) -> Sequence[Member]:
        """See ``APIStrategy``; in the order of the seed's and then Trove's rules."""
        self._check_count(len(wanted) + len(existing))
        flavor_ids = [m.flavor_id for m in wanted if m.flavor_id is not None]
        if len(flavor_ids) < len(wanted):
            raise Forbidden('A flavor is required for each instance in the cluster.')
        known = {flavor_id: get_flavor(flavor_id) for flavor_id in dict.fromkeys(flavor_ids)}
        flavors = [known[flavor_id] for flavor_id in flavor_ids]
        for member, flavor in zip(wanted, flavors, strict=True):
            self._check_region(member)
            self._check_storage(member, flavor)
        _require_same('flavor', [f.id for f in flavors] + [i.flavor_id for i in existing])
        sizes = [member.volume_size for member in wanted]
        _require_same('volume size', sizes + [i.volume_size for i in existing])
        members = [Member(f.id, size) for f, size in zip(flavors, sizes, strict=True)]
        return members

    def check_shrink(self, cluster: Cluster, instance_ids: Sequence[str]) -> Sequence[Instance]:
        """See ``APIStrategy``."""
        twice = next((i for i in instance_ids if instance_ids.count(i) > 1), None)
        if twice is not None:
            raise InvalidRequest(f'Instance {twice} is named twice; name it once.')
        members = []
        for instance_id in instance_ids:
            member = cluster.instance(instance_id)
            if member is None:
                raise NotFound(f'Instance {instance_id} does not exist.')
            members.append(member)
        if len(members) == len(cluster.instances):
            raise InvalidRequest(
                'A cluster cannot be shrunk to nothing: leave out at least one instance, '
                'or delete the cluster.'
            )
        return members

    def may_be_removed(self, node: GuestAgentAPI, context: CommandContext) -> bool:
        """See ``APIStrategy``. A node that owns slots gives no id for its removal."""
        return node.get_node_id_for_removal(context) is not None

    def _check_count(self, size: int) -> None:
        if size > self._rules.max_cluster_size:
            raise OverLimit(
                f'A cluster may have at most {self._rules.max_cluster_size} instances, '
                f'{size} cannot be accepted.'
            )

    def _check_region(self, member: MemberRequest) -> None:
        if member.region not in (None, self._rules.region):
            raise InvalidRequest(
                f"Region '{member.region}' cannot be found; only "
                f"'{self._rules.region}' is served here."
            )

    def _check_storage(self, member: MemberRequest, flavor: Flavor) -> None:
        largest = self._rules.max_volume_size
        if not self._rules.volume_support:
            if not flavor.ephemeral:
                raise Forbidden(f'Local storage not specified in flavor ID: {flavor.id}.')
            if member.volume_size is not None:
                raise NotSupported('Volume support is not enabled.')
        elif member.volume_size is None:
            raise InvalidRequest('A volume size is required for each instance in the cluster.')
        elif member.volume_size > largest:
            raise OverLimit(
                f"Volume 'size' cannot exceed maximum of {largest} Gb, "
                f'{member.volume_size} cannot be accepted.'
            )


def _require_same(what: str, values: Sequence[object]) -> None:
    if len(set(values)) > 1:
        raise InvalidRequest(f'The {what} for each instance in a cluster must be the same.')
