"""What a tenant has of a cluster: a password, and Redis clients.

Servers are asked by clients of Redis itself here, never through Slotwright.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator

import redis
from redis.cluster import ClusterNode, RedisCluster

from slotwright.domain.topology import PeerView, parse_nodes
from tests.deployment import READY, HttpApi
from tests.guarded import wait_until
from tests.servers import find_program

SLOTS_COVERED = '[OK] All 16384 slots covered.'
KEYS = 200


class Tenant:
    """Somebody with a password for one cluster."""

    def __init__(self, api: HttpApi, cluster_id: str) -> None:
        self._api = api
        self._cluster_id = cluster_id
        status, body = api('POST', f'/clusters/{cluster_id}/root')
        assert status in (200, 202), body
        if status == 202:  # not on every node yet
            api.completed(cluster_id)
        self.password: str = body['user']['password']

    def addresses(self) -> list[tuple[str, int]]:
        """Where the members listen, in order."""
        members = self._api.cluster(self._cluster_id)['instances']
        pairs = (member['address'].rpartition(':') for member in members)
        return [(ip, int(port)) for ip, _, port in pairs]

    @contextlib.contextmanager
    def node(self, address: tuple[str, int]) -> Iterator['redis.Redis']:
        """A client of one node."""
        client = redis.Redis(*address, password=self.password, socket_timeout=10)
        with contextlib.closing(client):
            yield client

    @contextlib.contextmanager
    def cluster(self, addresses: list[tuple[str, int]] | None = None) -> Iterator[RedisCluster]:
        """A client of the whole cluster; with ``addresses`` the API is not asked for them."""
        nodes = [ClusterNode(ip, port) for ip, port in addresses or self.addresses()]
        client = RedisCluster(startup_nodes=nodes, password=self.password)
        with contextlib.closing(client):
            yield client

    def write(self, value: str, addresses: list[tuple[str, int]] | None = None) -> None:
        """Set all keys; they spread over all masters."""
        with self.cluster(addresses) as client, client.pipeline() as pipeline:
            for number in range(KEYS):
                pipeline.set(f'key:{number}', value)
            pipeline.execute()

    def read(self, addresses: list[tuple[str, int]] | None = None) -> set[str | None]:
        """All different values that the keys have."""
        with self.cluster(addresses) as client, client.pipeline() as pipeline:
            for number in range(KEYS):
                pipeline.get(f'key:{number}')
            return {None if v is None else v.decode() for v in pipeline.execute()}

    def node_tables(self) -> list[tuple[PeerView, ...]]:
        """CLUSTER NODES of every member."""
        tables = []
        for address in self.addresses():
            with self.node(address) as client:
                # Not redis-py's own parsing: the command goes out as text, in two words.
                client.set_response_callback('CLUSTER NODES', bytes.decode)
                tables.append(parse_nodes(client.execute_command('CLUSTER NODES')))
        return tables

    def check(self) -> 'subprocess.CompletedProcess[str]':
        """``redis-cli --cluster check`` by way of the first member."""
        program = find_program('redis-cli', 'valkey-cli', package='redis-tools')
        ip, port = self.addresses()[0]
        return subprocess.run(
            [program, '--cluster', 'check', f'{ip}:{port}'],
            env=os.environ | {'REDISCLI_AUTH': self.password},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def require_clean(self) -> None:
        """:raises AssertionError: unless the check finds nothing, at once."""
        done = self.check()
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        assert SLOTS_COVERED in output, output
        assert '[WARNING]' not in output, output

    def await_clean(self) -> None:
        """Wait until every node serves again and the check finds nothing."""
        wait_until(self._serves, 'every node ok, and a clean check', READY)
        self.require_clean()

    def _serves(self) -> bool:
        for address in self.addresses():
            with self.node(address) as client:
                try:
                    if client.cluster('INFO')['cluster_state'] != 'ok':
                        return False
                except redis.exceptions.RedisError:  # away, or loading
                    return False
        return self.check().returncode == 0
