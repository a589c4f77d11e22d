"""Enrolled hosts: announced, taken for a cluster, shown, removed."""

from collections.abc import Sequence

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain import targets
from slotwright.domain.errors import AddressTaken, Forbidden, NotFound
from slotwright.domain.events import Kind
from slotwright.domain.hosts import Announcement, Host, Shortage, spread
from slotwright.domain.states import InstanceStatus
from slotwright.domain.topology import Address
from slotwright.storage.base import INVENTORY, Claim
from slotwright.storage.sqlalchemy import fence, outbox, places
from slotwright.storage.sqlalchemy.clusters import IS_LIVE
from slotwright.storage.sqlalchemy.tables import hosts, instances
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


class Hosts(Transactional):
    """See ``slotwright.storage.base.HostStore``."""

    @writes
    def announce(self, conn: sa.Connection, said: Announcement, silence: float) -> str | None:
        row = (
            conn.execute(sa.select(hosts).where(hosts.c.id == said.host_id).with_for_update())
            .mappings()
            .first()
        )
        if row is not None and row['instance_id'] and _address(row) != said.address:
            raise Forbidden(
                f'Host {said.host_id} serves an instance at {_address(row)} and cannot '
                f'move to {said.address} now.'
            )
        now = self.clock.seconds()
        others = sa.select(hosts.c.id).where(
            hosts.c.id != said.host_id,
            hosts.c.announced > now - silence,
            _overlaps(hosts, said.address),
        )
        other = conn.execute(others).scalar()
        if other is not None:
            raise AddressTaken(f'{said.address} is announced by host {other} too.')
        values = {
            'pool': said.group,
            'machine': said.machine,
            'ip': said.address.ip,
            'port': said.address.port,
            'bus_port': said.address.bus_port,
            'ram': said.ram,
            'holds': said.holds,
            'announced': now,
        }
        if row is None:
            conn.execute(
                sa.insert(hosts).values(id=said.host_id, created=self.clock.utc(), **values)
            )
            return None
        conn.execute(sa.update(hosts).where(hosts.c.id == said.host_id).values(values))
        instance_id: str | None = row['instance_id']
        return instance_id

    def take_hosts(
        self, claim: Claim, group: str, silence: float, *, poolless: bool
    ) -> Shortage | None:
        try:
            return self._take_hosts(claim, group, silence, poolless)
        except db_exception.DBDuplicateEntry as error:  # two hosts that announce one address
            raise AddressTaken('An address of the hosts chosen was taken meanwhile.') from error

    @writes
    def _take_hosts(
        self, conn: sa.Connection, claim: Claim, group: str, silence: float, poolless: bool
    ) -> Shortage | None:
        fence.hold(conn, self.clock, claim)
        needs = _needs(conn, claim, group, poolless)
        if not needs:
            return None
        # Locked: who takes hosts of a group waits for whoever does so already.
        idle = [
            host
            for host in self._hosts(conn, hosts.c.pool == group, lock=True)
            if host.instance_id is None
        ]
        heard = [host for host in idle if host.age <= silence]
        clean = [host for host in heard if not host.holds]
        free = [host for host in clean if not self._is_blocked(conn, host, claim.cluster_id)]
        machines = conn.execute(
            sa.select(hosts.c.machine)
            .join(instances, instances.c.id == hosts.c.instance_id)
            .where(instances.c.cluster_id == claim.cluster_id)
        )
        chosen = spread(needs, free, machines.scalars().all())
        if len(chosen) < len(needs):
            most = max(needs.values())
            fitting = [host for host in free if host.ram >= most]
            return Shortage(
                group,
                needed=len(needs),
                ram=most,
                free=len(fitting),
                silent=len(idle) - len(heard),
                unclean=len(heard) - len(clean),
                resting=len(clean) - len(free),
                small=len(free) - len(fitting),
            )
        for instance_id, host in chosen.items():
            self._take(conn, instance_id, host)
        told = outbox.of_instances(conn, Kind.INSTANCE_PLACED, claim.cluster_id, chosen)
        outbox.record(conn, self.clock, claim.cluster_id, told, claim.operation_id)
        return None

    @reads
    def list_hosts(self, conn: sa.Connection) -> Sequence[Host]:
        return self._hosts(conn, sa.true())

    @writes
    def remove_host(self, conn: sa.Connection, host_id: str, silence: float) -> str | None:
        found = self._hosts(conn, hosts.c.id == host_id, lock=True)
        if not found:
            raise NotFound(f'Host {host_id} cannot be found.')
        (host,) = found
        if host.age <= silence:
            raise Forbidden(
                f'Host {host_id} was heard of {host.age:.0f} s ago: stop its agent first.'
            )
        this = instances.c.id == host.instance_id
        if host.instance_id and conn.execute(sa.select(instances).where(this, IS_LIVE)).first():
            raise Forbidden(
                f'Host {host_id} has instance {host.instance_id} of a cluster that lives: '
                'shrink or delete the cluster first.'
            )
        if host.instance_id:
            places.give_back(conn, self.clock, this)
        conn.execute(sa.delete(hosts).where(hosts.c.id == host_id))
        return host.instance_id

    def _hosts(
        self, conn: sa.Connection, which: sa.ColumnElement[bool], *, lock: bool = False
    ) -> list[Host]:
        query = (
            sa.select(hosts, (self.clock.seconds() - hosts.c.announced).label('age'))
            .where(which)
            .order_by(hosts.c.pool, hosts.c.id)
        )
        rows = conn.execute(query.with_for_update() if lock else query).mappings()
        return [_host(row) for row in rows]

    def _is_blocked(self, conn: sa.Connection, host: Host, cluster_id: str) -> bool:
        """Whether another instance is recorded at the address, or did rest there lately."""
        query = sa.select(instances.c.id).where(
            instances.c.host == INVENTORY, _overlaps(instances, host.address)
        )
        if conn.execute(query).first() is not None:
            return True
        return places.is_resting(conn, self.clock, INVENTORY, host.address, cluster_id)

    def _take(self, conn: sa.Connection, instance_id: str, host: Host) -> None:
        taken = conn.execute(
            sa.update(hosts)
            .where(hosts.c.id == host.id, hosts.c.instance_id.is_(None))
            .values(instance_id=instance_id)
        )
        if not taken.rowcount:
            raise AddressTaken(f'Host {host.id} was given to another instance.')
        conn.execute(
            sa.update(instances)
            .where(instances.c.id == instance_id, instances.c.host.is_(None))
            .values(
                host=INVENTORY,
                ip=host.address.ip,
                port=host.address.port,
                bus_port=host.address.bus_port,
                updated=self.clock.utc(),
            )
        )
        places.settle(conn, INVENTORY, host.address)


def _needs(conn: sa.Connection, claim: Claim, group: str, poolless: bool) -> dict[str, int]:
    """MiB of ram by id of the members for that group that have no place yet."""
    query = (
        sa.select(instances.c.id, instances.c.ram, instances.c.pool_uri)
        .where(
            instances.c.cluster_id == claim.cluster_id,
            instances.c.status == InstanceStatus.BUILD,
            instances.c.host.is_(None),
        )
        .order_by(instances.c.ordinal)
    )
    here = ('inventory', group)
    return {
        row.id: row.ram
        for row in conn.execute(query)
        if (poolless if row.pool_uri is None else targets.split(row.pool_uri) == here)
    }


def _overlaps(table: sa.Table, address: Address) -> sa.ColumnElement[bool]:
    """Whether one of the two ports of a row is one of the address's."""
    ports = (address.port, address.bus_port)
    return sa.and_(
        table.c.ip == address.ip, sa.or_(table.c.port.in_(ports), table.c.bus_port.in_(ports))
    )


def _address(row: sa.RowMapping) -> Address:
    return Address(row['ip'], row['port'], row['bus_port'])


def _host(row: sa.RowMapping) -> Host:
    return Host(
        id=row['id'],
        group=row['pool'],
        machine=row['machine'],
        address=_address(row),
        ram=row['ram'],
        holds=row['holds'],
        instance_id=row['instance_id'],
        age=max(0.0, row['age']),
    )
