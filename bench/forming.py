"""Forming N running masters, against ``redis-cli --cluster create``.

Ours go through guest agents as processes, over RabbitMQ, by the taskmanager as it is; only
its strategy holds each cluster at the gate until all nodes have run for a while. Ours are
timed from the decision of the first round, redis-cli from just before its start; both until an
independent process sees every node ok with the same full slot map.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import fixtures

from bench.gate import ENVIRONMENT, STRATEGY, Gate
from bench.nodes import WARM, PlainNodes, Watch
from bench.report import Row, spread
from guestagent.redisconf import AGENT_USER
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import servers
from tests.deployment import PROJECT, Deployment

#: The options of a deployment as they come; the tests have shorter beats.
DEFAULTS = {
    'DEFAULT': {'debug': False},
    'taskmanager': {'lease': 10, 'sweep_interval': 1, 'patience': 30},
    'guestagent': {'heartbeat_interval': 5},
    'rpc': {'agent_low_timeout': 5},
}


def target(masters: int) -> float:
    """How many times faster we mean to be."""
    return 20.0 if masters >= 12 else 8.0


class Ours:
    """A deployment whose clusters wait at a gate."""

    def __init__(self, stack: fixtures.Fixture) -> None:
        directory = Path(stack.useFixture(fixtures.TempDir()).path)
        self._gate = Gate(directory)
        stack.addCleanup(self._gate.close)
        options = {**DEFAULTS, 'redis': {'taskmanager_strategy': STRATEGY}}
        environment = {ENVIRONMENT: str(self._gate.path)}
        broker = servers.shared(servers.RabbitMQ)
        deployment = Deployment(broker.url, options=options, environment=environment)
        self._api = stack.useFixture(deployment).api
        self._store = SQLAlchemyStore.connect(str(deployment.database))
        stack.addCleanup(self._store.close)

    def bring_up(self, masters: int) -> None:
        """Have nodes started, up to the first round that forms them."""
        self._id = self._api.create(masters)['id']
        self._gate.wait()

    def form(self) -> float:
        """Let them be formed; answers the seconds until they agreed."""
        cluster = self._store.get_cluster(PROJECT, self._id)
        nodes = [(i.address.ip, i.address.port) for i in cluster.instances if i.address]
        watch = Watch(nodes, AGENT_USER, cluster.secret)
        began = self._gate.open()
        took = watch.agreed() - began
        self._api.completed(self._id)
        return took

    def take_down(self) -> None:
        self._api('DELETE', f'/clusters/{self._id}')
        self._api.settled(self._id)


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """One row for each number of masters; ours and theirs take turns."""
    with fixtures.Fixture() as stack:
        deployed = Ours(stack)
        for masters in sizes:
            ours, theirs, exits = [], [], []
            for _ in range(runs):
                deployed.bring_up(masters)
                with PlainNodes(masters) as plain:
                    time.sleep(WARM)
                    ours.append(deployed.form())
                    agreed, ended = plain.form()
                    theirs.append(agreed)
                    exits.append(ended)
                deployed.take_down()
            yield Row(
                what=f'forming {masters} running masters',
                ours=spread(ours),
                against=f'redis-cli, which returns after {median(exits):.2f} s',
                theirs=spread(theirs),
                ratio=f'{median(theirs) / median(ours):.1f}x',
                target=f'≥ {target(masters):.0f}x',
            )
