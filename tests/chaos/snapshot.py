"""All that a deployment is, without what differs from run to run.

Ids become member names; times, epochs, pids and addresses go. So two runs that ended in
the same state have equal snapshots.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
import sqlalchemy as sa

from slotwright.domain.topology import Address, PeerView, parse_nodes
from slotwright.storage.sqlalchemy import tables
from tests.deployment import Deployment

Snapshot = Mapping[str, Any]
AGENT_USER = 'slotwright'


@dataclass(frozen=True)
class Member:
    """A live instance, as the database has it."""

    id: str
    name: str
    address: Address | None
    secret: str
    reported: Any

    def redis(self) -> redis.Redis:
        assert self.address, f'{self.name} has no address'
        return redis.Redis(
            self.address.ip,
            self.address.port,
            username=AGENT_USER,
            password=self.secret,
            socket_timeout=5,
            decode_responses=True,
        )


class Observer:
    """Looks at a deployment from outside: its tables, its nodes, its processes."""

    def __init__(self, plane: Deployment) -> None:
        assert plane.database
        self._plane = plane
        self._engine = sa.create_engine(plane.database)

    def close(self) -> None:
        self._engine.dispose()

    def members(self) -> list[Member]:
        """The live instances of all clusters."""
        query = (
            sa.select(tables.instances, tables.clusters.c.secret)
            .join(tables.clusters)
            .where(tables.instances.c.status != 'DELETED')
            .order_by(tables.instances.c.ordinal)
        )
        with self._engine.connect() as connection:
            return [
                Member(
                    row['id'],
                    row['name'],
                    Address(row['ip'], row['port'], row['bus_port']) if row['ip'] else None,
                    row['secret'],
                    row['reported'],
                )
                for row in connection.execute(query).mappings()
            ]

    def snapshot(self) -> Snapshot:
        """:raises redis.RedisError: while a node of a member does not answer."""
        members = self.members()
        rows = self._rows()
        names = {row['id']: row['name'] for row in rows['instances']}
        return {
            'clusters': [_cluster(row) for row in rows['clusters']],
            'instances': [_instance(row) for row in rows['instances']],
            'operations': [_operation(row, names) for row in rows['operations']],
            'rows': {name: len(found) for name, found in rows.items() if name != 'events'},
            'told': _told(rows),
            'nodes': self._nodes(members),
            'agents': sorted(names.get(i, i) for i in self._plane.agent_pids()),
            'servers': len(self._plane.redis_pids()),
            'directories': self._directories(names),
        }

    def check(self) -> str:
        """What redis-cli says against the cluster, '' when there is nothing."""
        member = self.members()[0]
        assert member.address
        command = ['redis-cli', '--user', AGENT_USER, '--no-auth-warning', '--cluster', 'check']
        done = subprocess.run(
            [*command, f'{member.address.ip}:{member.address.port}'],
            check=False,
            env=os.environ | {'REDISCLI_AUTH': member.secret},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        said = done.stdout + done.stderr
        clean = '[OK] All nodes agree' in said and '[OK] All 16384 slots covered' in said
        troubled = done.returncode != 0 or '[ERR]' in said or '[WARNING]' in said
        return said if troubled or not clean else ''

    def _rows(self) -> dict[str, list[Mapping[str, Any]]]:
        with self._engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(_all(table)).mappings()]
                for table in tables.metadata.sorted_tables
                if table is not tables.released_addresses  # time removes them, not what was done
            }

    def _nodes(self, members: list[Member]) -> Mapping[str, Any]:
        """Each member's node: its own state, and how it sees the cluster."""
        views: dict[str, tuple[PeerView, ...]] = {}
        states: dict[str, dict[str, Any]] = {}
        for member in members:
            with member.redis() as client:
                client.set_response_callback('CLUSTER NODES', lambda text, **_: text)
                views[member.name] = parse_nodes(str(client.cluster('NODES')))
                info = dict(client.cluster('INFO'))
                timeout = client.config_get('cluster-node-timeout')
            states[member.name] = {
                'state': info['cluster_state'],
                'node timeout': timeout['cluster-node-timeout'],
            }
        names = {n.node_id: name for name, nodes in views.items() for n in nodes if n.is_myself}
        epochs = {n.config_epoch for nodes in views.values() for n in nodes if n.is_myself}
        for member in members:
            nodes = views[member.name]
            states[member.name] |= {
                'sees': {names.get(n.node_id, 'a stranger'): _view(n) for n in nodes},
                'agent': self._agent_state(member),
            }
        return {'of': states, 'config epochs differ': len(epochs) == len(members)}

    def _agent_state(self, member: Member) -> Mapping[str, Any]:
        state = json.loads((self._plane.data_dir / member.id / 'agent.json').read_text())
        return {key: state[key] for key in ('completed', 'retired', 'stopped')}

    def _directories(self, names: Mapping[str, str]) -> list[str]:
        if not self._plane.data_dir.exists():
            return []
        found = {entry.name for entry in self._plane.data_dir.iterdir()}
        return sorted(names.get(name, name) for name in found)


def differences(expected: Snapshot, found: Snapshot) -> str:
    """One line for each part that is not as expected."""
    return '\n'.join(
        f'{part}: expected {expected.get(part)!r}, found {found.get(part)!r}'
        for part in sorted({*expected, *found})
        if expected.get(part) != found.get(part)
    )


def _all(table: sa.Table) -> sa.Select[Any]:
    columns = table.columns
    ordinal = columns.get('ordinal')
    return sa.select(table).order_by(*table.primary_key if ordinal is None else [ordinal])


def _view(node: PeerView) -> Mapping[str, Any]:
    return {
        'flags': sorted(node.flags - {'myself'}),
        'slots': [str(owned) for owned in node.slots],
        'open': [*node.migrating, *node.importing],
        'linked': node.linked,
    }


def _cluster(row: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = ('name', 'task_id', 'member_seq', 'tenant_hash')
    return {**{key: row[key] for key in kept}, 'deleted': row['deleted_at'] is not None}


def _instance(row: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = ('name', 'ordinal', 'flavor_id', 'volume_size', 'status', 'tombstone', 'fault')
    place = ('host', 'ip', 'port', 'bus_port')
    known = {
        **{key: row[key] for key in kept},
        'placed': [row[key] is not None for key in place],
        'identified': row['node_id'] is not None,
    }
    # Of a node that is gone, the last heartbeat came when it came.
    return known if row['status'] == 'DELETED' else {**known, 'running': row['running']}


def _operation(row: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    kept = ('kind', 'state', 'reason', 'owner', 'lease_until')
    detail = row['detail']
    about = [names[instance_id] for instance_id in detail['instances']]
    return {**{key: row[key] for key in kept}, 'detail': {**detail, 'instances': about}}


def _told(rows: Mapping[str, list[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """What somebody knows of each cluster who has read all its events.

    How many there are depends on the way; that none is missing, and what the last one of each
    thing says, does not.
    """
    found = []
    for cluster in rows['clusters']:
        events = [event for event in rows['events'] if event['cluster_id'] == cluster['id']]
        numbers = sorted(event['seq'] for event in events)
        last = {}
        for event in sorted(events, key=lambda event: event['seq']):
            family = event['kind'].partition('.')[0]
            state = event['state']
            thing = state.get('name') or state.get('kind')
            told = {name: state.get(name) for name in ('task', 'status', 'running', 'state')}
            if event['kind'] == 'instance.deleted':
                del told['running']  # as of its last heartbeat, which came when it came
            last[family, thing] = (event['kind'], told)
        found.append(
            {
                'all': numbers == [*range(1, cluster['event_seq'] + 1)],
                'last': {' '.join(key): value for key, value in sorted(last.items())},
            }
        )
    return found
