"""Hundreds of live streams of a real daemon: others are served, and no end of it loses an event."""

import concurrent.futures
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import servers
from tests.base import TestCase
from tests.deployment import CLI, PROJECT, Deployment
from tests.event_reader import EventReader
from tests.guarded import wait_until

STREAMS = 300
EVENTS = f'/v1.0/{PROJECT}/events'


class StreamsCase(TestCase):
    """The daemon without taskmanagers; the test hands events on in their place."""

    timeout = 600

    def start(self, database: str | None = None, **options: object) -> None:
        bounds = {'event_streams': STREAMS, 'event_streams_per_project': STREAMS}
        api = {'threads': 8, **bounds, **options}
        self.plane = self.useFixture(Deployment('local://', database, {'api': api}, taskmanagers=0))
        self.url = f'http://127.0.0.1:{self.plane.port}'
        self.store = SQLAlchemyStore.connect(self.plane.database)
        self.addCleanup(self.store.close)

    def read(self, **headers: str) -> EventReader:
        reader = EventReader(self.url, EVENTS, **headers)
        self.addCleanup(reader.close)
        return reader.begin()

    def happen(self, name: str) -> list[int | None]:
        """A cluster is asked for; answers the numbers of what that was told with."""
        self.plane.api.create(1, name)
        events = self.store.take_events('test', 60, 9999) or ()
        self.store.mark_handed_on('test', events[-1].position or 0)
        return [event.position for event in events]

    def many_streams(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            readers = list(pool.map(lambda _: self.read(), range(STREAMS)))
        self.assertEqual({200}, {reader.status for reader in readers})
        refused = self.read()
        self.assertEqual(503, refused.status)
        self.assertIn(f'{STREAMS} event streams are open', refused.refusal())
        told: list[Any] = []
        for name in ('first', 'second'):
            told += self.happen(name)
            self.assertEqual(200, self.plane.api('GET', '/clusters')[0])
        for reader in readers:
            self.assertEqual(told, [event['id'] for event in reader.take(len(told))])
        self.assertLess(len(list(Path(f'/proc/{self.plane.api_process.pid}/task').iterdir())), 50)

        for reader in readers[: STREAMS // 2]:
            reader.close()
        wait_until(lambda: self.read().status == 200, 'room for one more', 100)
        self.plane.api_process.signal(signal.SIGTERM)
        for reader in readers[STREAMS // 2 :]:
            self.assertIsNone(reader.next())
            self.assertTrue(reader.ended)
        self.plane.api_process.wait()
        log = self.plane.api_process.log.read_bytes()
        self.assertIn(b'Stopped', log)
        self.assertNotIn(b'Traceback', log)


class ThreadedStreamsTest(StreamsCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_many(self) -> None:
        self.many_streams()

    def test_a_daemon_that_is_killed(self) -> None:
        """Its readers go on at the next one, by themselves or by the number they had."""
        told = self.happen('before')
        endpoint = f'{self.url}/v1.0/{PROJECT}'
        follower = subprocess.Popen(
            [*CLI, 'events', '--follow', '--after', '0'],
            env={**os.environ, 'OS_ENDPOINT': endpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert follower.stdout is not None
        with follower:
            self.addCleanup(follower.kill)
            lines = [follower.stdout.readline() for _ in told]
            reader = self.read(Last_Event_ID='1')
            reader.take(1)
            self.plane.api_process.signal(signal.SIGKILL)
            self.plane.api_process.wait()
            while reader.next() is not None:
                pass
            self.assertFalse(reader.ended)
            self.plane.start_api()
            told += self.happen('after')
            lines += [follower.stdout.readline() for _ in told[len(lines) :]]
            follower.kill()
        self.assertEqual([str(number) for number in told], [line.split()[1] for line in lines])
        last = int(reader.last_id)
        missed = self.read(Last_Event_ID=reader.last_id).take(len(told) - last)
        self.assertEqual(told[last:], [event['id'] for event in missed])


class GreenStreamsTest(StreamsCase):
    """On eventlet's threads."""

    def test_many(self) -> None:
        database = servers.shared(servers.MariaDB).new_database()
        self.start(database, concurrency='eventlet', threads=20)
        self.many_streams()

    def test_all_that_holds_for_one(self) -> None:
        ended = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', 'tests.green', 'tests.unit.test_api_streams'],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        self.assertEqual(0, ended.returncode, ended.stderr)
        self.assertRegex(ended.stderr, r'Ran \d\d tests')
