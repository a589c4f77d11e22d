"""From POST to ACTIVE, the start of all processes included.

The floor is 2.0 s: a fresh node says cluster_state:fail for so long, whoever forms it
(CLUSTER_WRITABLE_DELAY of cluster.c).
"""

import time
from collections.abc import Iterator, Sequence

from bench.forming import DEFAULTS
from bench.report import Row, spread
from tests import servers
from tests.deployment import Deployment, HttpApi
from tests.standalone import Standalone

EVERY = 0.015  # seconds between two looks at the cluster
FLOOR = 2.0  # seconds
TARGET = 2.6  # seconds


def seconds(api: HttpApi, masters: int) -> float:
    """Create a cluster and delete it; answers how long the first took."""
    began = time.monotonic()
    cluster_id = api.create(masters)['id']
    while (cluster := api.cluster(cluster_id))['task']['name'] != 'NONE':
        time.sleep(EVERY)
    took = time.monotonic() - began
    if cluster['operation']['state'] != 'completed':
        raise RuntimeError(f'the create failed: {cluster["operation"]}')
    api('DELETE', f'/clusters/{cluster_id}')
    api.settled(cluster_id)
    return took


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """One row for each way to run the service and number of masters."""
    for name, deployed in (
        ('standalone', Standalone(DEFAULTS)),
        (
            'three daemons, RabbitMQ',
            Deployment(servers.shared(servers.RabbitMQ).url, options=DEFAULTS),
        ),
    ):
        with deployed:
            for masters in sizes:
                took = [seconds(deployed.api, masters) for _ in range(runs)]
                yield Row(
                    what=f'POST to ACTIVE, {masters} masters, {name}',
                    ours=spread(took),
                    against="Redis's own delay",
                    theirs=f'{FLOOR:.2f} s',
                    target=f'≤ {TARGET:.1f} s',
                )
