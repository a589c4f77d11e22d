"""Render redis.conf and the access rules: pure."""

import hashlib
from collections.abc import Sequence

from guestagent.directory import InstanceDirectory
from guestagent.state import Spec
from slotwright.engine import Engine

#: The agents' own user on every node of a cluster.
AGENT_USER = 'slotwright'
TENANT_USER = 'default'
NODE_TIMEOUT = 15000  # ms

# The cluster bus knows no authentication: one MEET between two tenants' nodes merges their
# clusters. The rest would pull a node out of the service's hands or open its files.
_DENIED = (
    '-cluster|meet',
    '-cluster|reset',
    '-cluster|forget',
    '-cluster|replicate',
    '-cluster|failover',
    '-cluster|set-config-epoch',
    '-cluster|flushslots',
    '-cluster|bumpepoch',
)
_DENIED_COMMANDS = (
    '-config',
    '-acl',
    '-debug',
    '-module',
    '-shutdown',
    '-replicaof',
    '-slaveof',
)
# Before version 7 a subcommand could only be allowed, not denied.
_ALLOWED_BEFORE_7 = (
    '-cluster',
    *(
        f'+cluster|{name}'
        for name in (
            'info',
            'nodes',
            'slots',
            'myid',
            'keyslot',
            'countkeysinslot',
            'getkeysinslot',
            'addslots',
            'delslots',
            'setslot',
            'replicas',
            'slaves',
            'count-failure-reports',
        )
    ),
)


def agent_rules(secret: str) -> tuple[str, ...]:
    """ACL rules of the agents' user."""
    return ('reset', 'on', '#' + hashlib.sha256(secret.encode()).hexdigest(), '~*', '&*', '+@all')


def tenant_rules(tenant_hash: str, major: int) -> tuple[str, ...]:
    """ACL rules of the tenant's user; off without a password hash.

    What stays is enough for clients and for ``redis-cli --cluster check|reshard|rebalance``.
    """
    if not tenant_hash:
        return ('reset', 'off')
    cluster = _DENIED if major >= 7 else _ALLOWED_BEFORE_7
    return ('reset', 'on', '#' + tenant_hash, '~*', '&*', '+@all', *cluster, *_DENIED_COMMANDS)


def maxmemory(ram: int, headroom: float) -> int:
    """Bytes Redis may fill, of ``ram`` MiB with the part ``headroom`` left free.

    >>> maxmemory(512, 0.25) // 2**20
    384
    """
    return int(ram * 2**20 * (1 - headroom))


def render(
    spec: Spec, tenant_hash: str, directory: InstanceDirectory, engine: Engine, headroom: float
) -> str:
    """The whole redis.conf.

    Only what differs from Redis's defaults, and what must not change with them. ``save`` is
    off because the append-only file already keeps everything: a snapshot beside it would
    fork and write the same data a second time. An address is always announced: a node
    that is bound to 127.0.x.y registers itself as 127.0.0.1 and never joins.
    """
    address = spec.address
    lines: list[tuple[str, ...]] = [
        ('bind', address.ip),
        ('port', str(address.port)),
        ('daemonize', 'no'),
        ('dir', _quote(str(directory.data))),
        ('logfile', _quote(str(directory.redis_log))),
        ('appendonly', 'yes'),
        ('save', '""'),
        ('maxmemory', str(maxmemory(spec.ram, headroom))),
        ('maxmemory-policy', 'noeviction'),
        ('cluster-enabled', 'yes'),
        ('cluster-config-file', 'nodes.conf'),
        ('cluster-node-timeout', str(NODE_TIMEOUT)),
        ('cluster-announce-ip', address.ip),
        ('cluster-announce-port', str(address.port)),
        ('cluster-announce-bus-port', str(address.bus_port)),
    ]
    if address.bus_port != address.port + 10000:
        lines.append(('cluster-port', str(address.bus_port)))
    lines += [
        ('masteruser', AGENT_USER),
        ('masterauth', spec.secret),
        _user(AGENT_USER, agent_rules(spec.secret)),
        _user(TENANT_USER, tenant_rules(tenant_hash, engine.major)),
    ]
    return ''.join(' '.join(words) + '\n' for words in lines)


def _user(name: str, rules: Sequence[str]) -> tuple[str, ...]:
    return ('user', name, *rules)


def _quote(text: str) -> str:
    r"""Quote as redis.conf reads it (sdssplitargs).

    >>> print(_quote('/data/a "b"'))
    "/data/a \"b\""
    """
    escaped = text.replace('\\', '\\\\').replace('"', '\\"')
    return f'"{escaped}"'
