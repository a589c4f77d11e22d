"""Places of instances, given back: the address rests, the enrolled host is free."""

from collections.abc import Sequence

import sqlalchemy as sa

from slotwright.domain.hosts import ADDRESS_REST
from slotwright.domain.topology import Address
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.tables import hosts, instances, released_addresses

NOWHERE = {'host': None, 'ip': None, 'port': None, 'bus_port': None}


def give_back(conn: sa.Connection, clock: Clock, *which: sa.ColumnElement[bool]) -> None:
    """Take the places of the instances chosen away from them; without one nothing happens."""
    placed = conn.execute(
        sa.select(instances).where(*which, instances.c.host.is_not(None)).with_for_update()
    )
    for row in placed.mappings().all():
        address = {name: row[name] for name in ('host', 'ip', 'port')}
        _forget_release(conn, **address)
        conn.execute(
            sa.insert(released_addresses).values(
                **address,
                bus_port=row['bus_port'],
                cluster_id=row['cluster_id'],
                released=clock.seconds(),
            )
        )
        conn.execute(
            sa.update(hosts).where(hosts.c.instance_id == row['id']).values(instance_id=None)
        )
        conn.execute(
            sa.update(instances)
            .where(instances.c.id == row['id'])
            .values(tombstone=False, updated=clock.utc(), **NOWHERE)
        )


def is_resting(
    conn: sa.Connection,
    clock: Clock,
    host: str,
    address: Address,
    cluster_id: str,
    instance_id: str = '',
) -> bool:
    """Whether a node table that lives may name the address.

    ``cluster_id`` wants it, for ``instance_id`` when that has it already. Reads what is
    committed now, whatever the transaction has seen before: to be called when the address is
    taken already, so that it cannot be given back meanwhile.
    """
    ports = (address.port, address.bus_port)
    query = (
        sa.select(released_addresses.c.id)
        .where(
            released_addresses.c.host == host,
            released_addresses.c.ip == address.ip,
            sa.or_(released_addresses.c.port.in_(ports), released_addresses.c.bus_port.in_(ports)),
            _is_known(clock, cluster_id, instances.c.id != instance_id),
        )
        .with_for_update(read=True)
    )
    return conn.execute(query).first() is not None


def resting(conn: sa.Connection, clock: Clock, host: str) -> Sequence[Address]:
    """All addresses that rest on a host."""
    columns = released_addresses.c
    query = sa.select(columns.ip, columns.port, columns.bus_port).where(
        columns.host == host, _is_known(clock)
    )
    return [Address(*row) for row in conn.execute(query)]


def settle(conn: sa.Connection, host: str, address: Address) -> None:
    """The address was given to somebody: its release is history."""
    _forget_release(conn, host, address.ip, address.port)


def _is_known(
    clock: Clock, cluster_id: str = '', *others: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Whether a node of the cluster that had the address may run and name it.

    A tombstone's Redis may run with the old node table for ever; a member that lives has
    forgotten the address, and only the end of the ban on it is awaited. That is not awaited
    for ``cluster_id`` itself: who of it remembers the address meets a node of its own there.
    """
    is_young = sa.and_(
        released_addresses.c.released > clock.seconds() - ADDRESS_REST,
        released_addresses.c.cluster_id != cluster_id,
    )
    return sa.exists().where(
        instances.c.cluster_id == released_addresses.c.cluster_id,
        instances.c.host.is_not(None),
        sa.or_(instances.c.tombstone, is_young),
        *others,
    )


def _forget_release(conn: sa.Connection, host: str, ip: str, port: int) -> None:
    conn.execute(
        sa.delete(released_addresses).where(
            released_addresses.c.host == host,
            released_addresses.c.ip == ip,
            released_addresses.c.port == port,
        )
    )
