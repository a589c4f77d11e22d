"""The events driver against raw redis-py, on one server, turn by turn.

Raw is what one writes with redis-py alone, and the same JSON: ``publish``, a pipeline of them,
``pubsub().run_in_thread`` with a function for the channel; HGET and HSET.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any

import redis

from bench.management import rates
from bench.report import Row
from slotwright.events.redis.driver import OneServerDriver
from tests import servers

PAYLOAD = {'kind': 'instance', 'id': 'c0ffee00-0000-4000-8000-000000000001', 'text': 'x' * 110}
TURNS = 20  # in a run
MESSAGES = 50  # in a turn, one after the other
PATIENCE = 60.0  # seconds
Publish = Callable[[str, Any], object]


class Meter:
    """A function on a channel that notes when it was called, and tells when all were."""

    def __init__(self) -> None:
        self.here = threading.Event()
        self.at = 0.0
        self.left = 0

    def __call__(self, _: Any) -> None:
        self.at = perf_counter()
        self.left -= 1
        if self.left == 0:
            self.here.set()

    def expect(self, count: int) -> None:
        self.here.clear()
        self.left = count

    def wait(self) -> None:
        if not self.here.wait(PATIENCE):
            raise TimeoutError(f'{self.left} messages did not come')


class Bench:
    """Both, subscribed to a channel each."""

    def __init__(self, url: str) -> None:
        self.ours_heard, self.raw_heard = Meter(), Meter()
        self.driver = OneServerDriver.at(url)
        self.subscriber = self.driver.subscriber(lambda _: None)
        self.subscriber.subscribe('ours', self.ours_heard)
        self.publisher = self.driver.publisher()
        self.raw = redis.Redis.from_url(url, protocol=2)
        self.pubsub = self.raw.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe(raw=lambda message: self.raw_heard(json.loads(message['data'])))
        self.thread = self.pubsub.run_in_thread(sleep_time=1.0)
        sleep(0.2)

    def raw_publish(self, channel: str, payload: Any) -> object:
        return self.raw.publish(channel, json.dumps(payload))

    def raw_publish_many(self, channel: str, payloads: Sequence[Any]) -> object:
        pipeline = self.raw.pipeline(transaction=False)
        for payload in payloads:
            pipeline.publish(channel, json.dumps(payload))
        return pipeline.execute()

    def close(self) -> None:
        self.thread.stop()
        self.thread.join()
        self.raw.close()
        self.driver.close()


def delays(publish: Publish, channel: str, heard: Meter) -> list[float]:
    """Seconds from publish to function, of messages one after the other."""
    found = []
    for _ in range(MESSAGES):
        heard.expect(1)
        begun = perf_counter()
        publish(channel, PAYLOAD)
        heard.wait()
        found.append(heard.at - begun)
    return found


def throughput(publish_many: Publish, channel: str, heard: Meter, size: int) -> float:
    """Messages a second from the first of a pipeline to the last in the function."""
    payloads = [PAYLOAD] * size
    heard.expect(size)
    begun = perf_counter()
    publish_many(channel, payloads)
    heard.wait()
    return size / (heard.at - begun)


def measure(sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """``sizes`` are those of pipelines."""
    server = servers.RedisServer()
    server.setUp()
    bench = Bench(server.url)
    try:
        yield from _delays(bench, runs)
        for size in sizes:
            yield _throughput(bench, size, runs)
        yield from _tables(bench, runs)
    finally:
        bench.close()
        server.cleanUp()


def _delays(bench: Bench, runs: int) -> Iterator[Row]:
    ours: list[float] = []
    raw: list[float] = []
    for turn in range(runs * TURNS + 1):
        one = delays(bench.publisher.publish, 'ours', bench.ours_heard)
        other = delays(bench.raw_publish, 'raw', bench.raw_heard)
        if turn:  # the first warms up
            ours += one
            raw += other
    for name, percent, target in (('p50', 50, '≤ 1.50x'), ('p99', 99, '≤ 2.00x')):
        one_at, other_at = (quantiles(values, n=100)[percent - 1] for values in (ours, raw))
        yield Row(
            what=f'publish → function, {name}',
            ours=f'{one_at * 1e6:.0f} µs',
            against='redis-py, run_in_thread',
            theirs=f'{other_at * 1e6:.0f} µs',
            ratio=f'{one_at / other_at:.2f}x',
            target=target,
        )


def _throughput(bench: Bench, size: int, runs: int) -> Row:
    pairs = [
        (
            throughput(bench.publisher.publish_many, 'ours', bench.ours_heard, size),
            throughput(bench.raw_publish_many, 'raw', bench.raw_heard, size),
        )
        for _ in range(runs * TURNS)
    ]
    return Row(
        what=f'publish_many of {size} → function',
        ours=f'{median(one for one, _ in pairs):.0f}/s',
        against='redis-py, pipelined',
        theirs=f'{median(other for _, other in pairs):.0f}/s',
        ratio=f'{median(one / other for one, other in pairs):.2f}x',
        target='≥ 0.80x',
    )


def _tables(bench: Bench, runs: int) -> Iterator[Row]:
    tables, raw = bench.driver.tables, bench.raw
    tables.create('table', 'key', PAYLOAD, 'topic')
    raw.hset('raw', 'key', json.dumps(PAYLOAD))
    for what, ours, against, theirs in (
        (
            'tables.get',
            lambda: tables.get('table', 'key', 'topic'),
            'HGET, json.loads',
            lambda: json.loads(raw.hget('raw', 'key') or b''),
        ),
        (
            'tables.set',
            lambda: tables.set('table', 'key', PAYLOAD, 'topic'),
            'HSET, json.dumps',
            lambda: raw.hset('raw', 'key', json.dumps(PAYLOAD)),
        ),
    ):
        one, other, ratio = rates(ours, theirs, runs)
        yield Row(what, f'{one:.0f}/s', against, f'{other:.0f}/s', f'{ratio:.2f}x', '≥ 0.80x')
