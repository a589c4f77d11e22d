"""Hosts that enrolled for work, and which of them a cluster gets: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slotwright.domain.topology import Address

#: Seconds for which the address of a removed member rests while its cluster lives. Redis
#: bans a forgotten node for 60 s only, so until then and a little longer gossip could bring
#: the address back into a node table.
ADDRESS_REST = 90.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an enrolled agent says of its host, which has room for one instance."""

    host_id: str
    group: str
    machine: str  # what goes down together: members of a cluster are spread over these
    address: Address
    ram: int  # MiB
    holds: str = ''  # instance whose files lie here, '' when the host is clean


@dataclass(frozen=True, slots=True)
class Host:
    """An enrolled host as last announced."""

    id: str
    group: str
    machine: str
    address: Address
    ram: int  # MiB
    holds: str
    instance_id: str | None  # whom it was given to
    age: float  # seconds since it was heard of


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a cluster gets no hosts: the hosts of the group that nobody has, sorted."""

    group: str
    needed: int
    ram: int  # MiB, of the largest member
    free: int
    silent: int = 0
    unclean: int = 0
    resting: int = 0
    small: int = 0

    @property
    def may_pass(self) -> bool:
        """Whether waiting could help: enough would do if all came round."""
        return self.free + self.silent + self.unclean + self.resting >= self.needed

    def __str__(self) -> str:
        """For people.

        >>> str(Shortage('default', needed=3, ram=512, free=1, silent=2))
        "3 hosts of group 'default' with 512 MiB are needed; free: 1 (also: 2 silent)"
        """
        others = [
            f'{count} {what}'
            for count, what in (
                (self.silent, 'silent'),
                (self.unclean, 'not clean'),
                (self.resting, 'at an address that another cluster may still know'),
                (self.small, 'too small'),
            )
            if count
        ]
        also = f' (also: {", ".join(others)})' if others else ''
        return (
            f"{self.needed} hosts of group '{self.group}' with {self.ram} MiB are needed; "
            f'free: {self.free}{also}'
        )


def spread(
    needs: Mapping[str, int], free: Iterable[Host], machines: Sequence[str]
) -> dict[str, Host]:
    """Choose a host for each instance, on different machines as far as there are any.

    ``needs``: MiB of ram by instance id. ``machines``: where members of the cluster are
    already, once each. Whoever needs most chooses first and takes the least that will do,
    so all are served whenever that is possible. Who is missing in the answer got none.
    """
    left = {host.id: host for host in free}
    members: dict[str, int] = {}
    for machine in machines:
        members[machine] = members.get(machine, 0) + 1
    chosen: dict[str, Host] = {}
    for instance_id, ram in sorted(needs.items(), key=lambda need: -need[1]):
        fitting = [host for host in left.values() if host.ram >= ram]
        if not fitting:
            continue
        host = min(fitting, key=lambda h: (members.get(h.machine, 0), h.ram, h.id))
        chosen[instance_id] = left.pop(host.id)
        members[host.machine] = members.get(host.machine, 0) + 1
    return chosen
