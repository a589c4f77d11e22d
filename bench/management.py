"""Each operation of the management store on Redis, against the same raw commands.

The commands are those that the operation comes down to, sent by redis-py in one pipeline, by a
client that knows all names beforehand and checks nothing. Both take turns of a few
milliseconds on one server, so a busy machine slows both.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import redis

from bench.report import Row
from slotwright.storage.redis.store import RedisPoolStore
from tests import servers

TURN = 0.02  # seconds; long against a call, short against what else the machine does
TURNS = 25  # in a run
URI = 'local://'
Call = Callable[[], object]


def rates(ours: Call, theirs: Call, runs: int) -> tuple[float, float, float]:
    """Calls a second of both, and the median of the turns' ratios."""
    pairs = []
    for call in (ours, theirs):
        call()
    for _ in range(runs * TURNS):
        pairs.append((_rate(ours), _rate(theirs)))
    return (
        median(one for one, _ in pairs),
        median(other for _, other in pairs),
        median(one / other for one, other in pairs),
    )


def _rate(call: Call) -> float:
    calls = 0
    begun = now = perf_counter()
    while now - begun < TURN:
        call()
        calls += 1
        now = perf_counter()
    return calls / (now - begun)


class Bench:
    """A store with pools, half of them in a flavor, and a plain client beside it."""

    def __init__(self, url: str, pools: int) -> None:
        self.store = RedisPoolStore.connect(url)
        self.raw = redis.Redis.from_url(url, decode_responses=True, protocol=2)
        self.names = [f'pool-{number:05}' for number in range(pools)]
        self.raw.flushdb()
        for number, name in enumerate(self.names):
            self.store.pools.create(name, 100, URI, f'flavor-{number % 2}', {'zone': 'a'})
        self.store.flavors.create('flavor-0', 'demo', {'ram': 512})
        for number in range(20):
            self.store.catalogue.insert('demo', f'queue-{number:02}', self.names[0])

    def close(self) -> None:
        self.store.close()
        self.raw.close()

    def send(self, *commands: Sequence[Any], then: Sequence[Sequence[Any]] = ()) -> Call:
        """Those commands: one round trip; and one more for those of ``then``."""
        if then:
            first, second = self.send(*commands), self.send(*then)
            return lambda: (first(), second())
        if len(commands) == 1:
            return lambda: self.raw.execute_command(*commands[0])

        def run() -> object:
            pipeline = self.raw.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            return pipeline.execute()

        return run

    def one_by_one(self, limit: int) -> list[dict[str, str]]:
        """A page as the real service reads it: the names, then each of them."""
        names = self.raw.zrangebylex('pools', '-', '+', 0, limit)
        return [self.raw.hgetall(f'{name}.pools') for name in names]

    def read(self, names: Sequence[str]) -> list[Sequence[Any]]:
        return [
            command
            for name in names
            for command in (
                ('HMGET', f'{name}.pools', 'u', 'w', 'o'),
                ('HGET', 'slotwright:flavor-of-pool', name),
            )
        ]

    def operations(self) -> Iterator[tuple[str, Call, Call]]:
        """Name, ours and the raw commands."""
        store, name, key = self.store, self.names[-1], f'{self.names[-1]}.pools'
        fields = ('p', name, 'u', URI, 'w', 1, 'o', '{}')
        entry, queue = 'demo.queue-00', 'demo.queue-00.catalogue'
        record = ('p', 'demo', 'p_q', 'queue-00', 'p_p', name)
        yield (
            'pools.create, into a flavor',
            lambda: store.pools.create(name, 1, URI, 'flavor-1'),
            self.send(
                ('HGET', 'slotwright:flavor-of-pool', name),
                ('ZADD', 'flavor-1.pools', 0, name),
                ('HSET', 'slotwright:flavor-of-pool', name, 'flavor-1'),
                ('ZADD', 'pools', 0, name),
                ('HSET', key, *fields),
            ),
        )
        yield 'pools.get', lambda: store.pools.get(name), self.send(*self.read([name]))
        yield 'pools.exists', lambda: store.pools.exists(name), self.send(('HGET', key, 'p'))
        yield (
            'pools.update of the weight',
            lambda: store.pools.update(name, weight=2),
            self.send(('HSET', key, 'w', 2), *self.read([name])),
        )
        yield (
            'pools.list of 10',
            lambda: store.pools.list(limit=10),
            self.send(
                ('ZRANGEBYLEX', 'pools', '-', '+', 'LIMIT', 0, 10), *self.read(self.names[:10])
            ),
        )
        yield (
            'flavors.get',
            lambda: store.flavors.get('flavor-2'),
            self.send(('HMGET', 'flavor-2.flavors', 'p', 'c'), ('ZRANGE', 'flavor-2.pools', 0, -1)),
        )
        yield from self._flavor_changes()
        yield (
            'pools.create and delete',
            lambda: (store.pools.create('new', 1, URI), store.pools.delete('new')),
            self.send(
                ('ZADD', 'pools', 0, 'new'),
                ('HSET', 'new.pools', 'p', 'new', 'u', URI, 'w', 1, 'o', '{}'),
                then=[('ZREM', 'pools', 'new'), ('DEL', 'new.pools')],
            ),
        )
        yield (
            'pools of a flavor, 3',
            lambda: store.pools.get_pools_by_flavor('flavor-2'),
            self.send(('ZRANGE', 'flavor-2.pools', 0, -1), *self.read(self.names[:3])),
        )
        yield (
            'flavors.list of 10',
            lambda: store.flavors.list(limit=10),
            self.send(
                ('ZRANGEBYLEX', 'flavors', '-', '+', 'LIMIT', 0, 10),
                *(
                    command
                    for n in (1, 2)
                    for command in (
                        ('HMGET', f'flavor-{n}.flavors', 'p', 'c'),
                        ('ZRANGE', f'flavor-{n}.pools', 0, -1),
                    )
                ),
            ),
        )
        yield (
            'catalogue.insert',
            lambda: store.catalogue.insert('demo', 'queue-00', name),
            self.send(
                ('ZADD', 'catalogue', 0, entry),
                ('ZADD', 'demo.catalogue', 0, entry),
                ('HSET', queue, *record),
            ),
        )
        yield (
            'catalogue.update',
            lambda: store.catalogue.update('demo', 'queue-00', name),
            self.send(('HSET', queue, *record)),
        )
        yield (
            'catalogue.insert and delete',
            lambda: (
                store.catalogue.insert('demo', 'queue-99', name),
                store.catalogue.delete('demo', 'queue-99'),
            ),
            self.send(
                ('ZADD', 'catalogue', 0, 'demo.queue-99'),
                ('ZADD', 'demo.catalogue', 0, 'demo.queue-99'),
                ('HSET', 'demo.queue-99.catalogue', 'p', 'demo', 'p_q', 'queue-99', 'p_p', name),
                then=[
                    ('ZREM', 'catalogue', 'demo.queue-99'),
                    ('ZREM', 'demo.catalogue', 'demo.queue-99'),
                    ('DEL', 'demo.queue-99.catalogue'),
                ],
            ),
        )
        yield (
            'catalogue.get',
            lambda: store.catalogue.get('demo', 'queue-00'),
            self.send(('HMGET', queue, 'p', 'p_q', 'p_p')),
        )
        yield (
            'catalogue.list of 20',
            lambda: store.catalogue.list('demo'),
            self.send(
                ('ZRANGE', 'demo.catalogue', 0, -1),
                *(('HMGET', f'demo.queue-{n:02}.catalogue', 'p_q', 'p_p') for n in range(20)),
            ),
        )

    def _flavor_changes(self) -> Iterator[tuple[str, Call, Call]]:
        flavors, chosen = self.store.flavors, self.names[:3]
        joined = [
            command
            for pool in chosen
            for command in (
                ('ZADD', 'flavor-2.pools', 0, pool),
                ('HSET', 'slotwright:flavor-of-pool', pool, 'flavor-2'),
            )
        ]
        fields = ('f', 'flavor-2', 'p', 'demo', 'c', '{"ram":512}')
        yield (
            'flavors.create, of 3 pools',
            lambda: flavors.create('flavor-2', 'demo', {'ram': 512}, chosen),
            self.send(
                ('ZADD', 'flavors', 0, 'flavor-2'),
                ('ZADD', 'demo.flavors', 0, 'flavor-2'),
                ('HSET', 'flavor-2.flavors', *fields),
                *joined,
            ),
        )
        yield (
            'flavors.update of its pools',
            lambda: flavors.update('flavor-2', 'demo', pools=chosen),
            self.send(*joined, ('HMGET', 'flavor-2.flavors', 'p', 'c')),
        )
        yield (
            'flavors.create and delete',
            lambda: (flavors.create('flavor-3', 'demo'), flavors.delete('flavor-3', 'demo')),
            self.send(
                ('ZADD', 'flavors', 0, 'flavor-3'),
                ('ZADD', 'demo.flavors', 0, 'flavor-3'),
                ('HSET', 'flavor-3.flavors', 'f', 'flavor-3', 'p', 'demo', 'c', '{}'),
                then=[
                    ('ZREM', 'flavors', 'flavor-3'),
                    ('ZREM', 'demo.flavors', 'flavor-3'),
                    ('DEL', 'flavor-3.flavors'),
                ],
            ),
        )


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """All operations with the first of ``sizes`` pools; a create with each of them."""
    server = servers.RedisServer()
    server.setUp()
    try:
        yield from _operations(server.url, sizes[0], runs)
        for limit in (10, 100):
            yield _page(server.url, limit, runs)
        yield from _creates(server.url, sizes, runs)
    finally:
        server.cleanUp()


def _operations(url: str, pools: int, runs: int) -> Iterator[Row]:
    bench = Bench(url, pools)
    bench.store.flavors.create('flavor-2', 'demo', {'ram': 512}, bench.names[:3])
    for name, ours, theirs in bench.operations():
        one, other, ratio = rates(ours, theirs, runs)
        yield Row(
            what=name,
            ours=f'{one:.0f}/s',
            against='the same commands, pipelined',
            theirs=f'{other:.0f}/s',
            ratio=f'{ratio:.2f}x',
            target='≥ 0.80x',
        )
    bench.close()


def _page(url: str, limit: int, runs: int) -> Row:
    bench = Bench(url, limit)
    one, other, ratio = rates(
        lambda: bench.store.pools.list(limit=limit), lambda: bench.one_by_one(limit), runs
    )
    bench.close()
    return Row(
        what=f'pools.list of {limit}',
        ours=f'{one:.0f}/s',
        against='one by one',
        theirs=f'{other:.0f}/s',
        ratio=f'{ratio:.2f}x',
        target='≥ 2.00x',
    )


def _creates(url: str, sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """In databases of their own, side by side: the ratio is that of turns next to each other."""
    few = Bench(f'{url}/1', sizes[0])
    for size in sizes[1:]:
        many = Bench(f'{url}/2', size)
        one, other, ratio = rates(_create(many), _create(few), runs)
        many.close()
        yield Row(
            what=f'pools.create among {size} pools',
            ours=f'{one:.0f}/s',
            against=f'among {sizes[0]}',
            theirs=f'{other:.0f}/s',
            ratio=f'{ratio:.2f}x',
            target='≥ 0.90x',
        )
    few.close()


def _create(bench: Bench) -> Call:
    return lambda: bench.store.pools.create(bench.names[-1], 1, URI)
