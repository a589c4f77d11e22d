"""``slotwright events`` against the API on a real socket."""

import contextlib
import datetime
import io
import os
import subprocess
from collections.abc import Callable
from typing import Any

import fixtures

from api.server import ApiServer
from api.streams.hub import Hub
from api.streams.scope import Scope
from api.streams.service import Streams
from api.streams.stream import Stream
from api.wiring import render_event
from slotwright.client import Client
from slotwright.cmd import cli
from slotwright.cmd.events import Follower
from slotwright.cmd.wait import DONE, NOT_FOUND, PATIENCE, UNREACHABLE, USAGE
from slotwright.domain.errors import NotFound, Unavailable
from slotwright.domain.states import OperationState
from tests import servers
from tests.deployment import CLI
from tests.unit.test_api_streams import StreamCase
from tests.unit.test_cmd_wait import played

STREAM = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n'


class EventsCase(StreamCase):
    poll = 0.05

    def setUp(self) -> None:
        self.port = servers.free_port()  # where it can be started again
        super().setUp()
        self.endpoint = f'{self.server.url}/v1.0/{self.project}'
        self.shown: list[Any] = []
        self.said: list[str] = []
        self.time = 0.0
        self.at: dict[int, Callable[[], Any]] = {}  # what happens when so many are shown
        self.sleeps = 0

    def show(self, event: Any) -> None:
        self.shown.append(event['id'])
        self.at.get(len(self.shown), lambda: None)()

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps += 1

    def follow(self, *path: str, after: int | None = 0) -> int:
        follower = Follower(
            Client(self.endpoint, {}),
            show=self.show,
            tell=self.said.append,
            clock=lambda: self.time,
            sleep=self.sleep,
        )
        return follower.run(path, after)

    def delete(self, cluster_id: str) -> None:
        self.call('DELETE', 'clusters', cluster_id)
        operation = self.store.get_cluster(self.project, cluster_id).operation
        assert operation is not None
        claim = self.store.claim(operation.id, 'test', 60)
        assert claim is not None
        self.store.finish(claim, OperationState.COMPLETED, delete_cluster=True)
        self.relay()


class FollowTest(EventsCase):
    def test_until_the_cluster_is_gone(self) -> None:
        cluster = self.create_active(1)
        self.relay()
        so_far = len(self.store.list_cluster_events(self.project, cluster['id'], 0, 99))
        self.at[so_far] = lambda: self.delete(cluster['id'])
        self.assertEqual(DONE, self.follow('clusters', 'redis-clstr', 'events'))
        everything = self.store.list_cluster_events(self.project, cluster['id'], 0, 99)
        self.assertEqual([*range(1, len(everything) + 1)], self.shown)
        self.assertEqual([], self.said)

    def test_a_lost_connection_is_made_again_and_nothing_missed(self) -> None:
        cluster = self.create_active(1)
        self.relay()
        so_far = len(self.store.list_cluster_events(self.project, cluster['id'], 0, 99))
        self.at[2] = self.restart
        self.at[so_far] = lambda: (self.restart(), self.delete(cluster['id']))
        self.assertEqual(DONE, self.follow('clusters', cluster['id'], 'events'))
        everything = self.store.list_cluster_events(self.project, cluster['id'], 0, 99)
        self.assertEqual([*range(1, len(everything) + 1)], self.shown)
        self.assertGreaterEqual(self.sleeps, 1)

    def restart(self) -> None:
        """The API ends, and begins again."""
        assert self.streams is not None
        self.streams.stop()
        self.server.stop()
        self.streams.wait()
        self.streams = Streams(self.store, render_event, most=9, most_of_project=9, poll=self.poll)
        self.server = ApiServer(self.build().app, '127.0.0.1', self.port, 4)
        self.streams.start()
        self.addCleanup(self.streams.wait)
        self.addCleanup(self.streams.stop)
        self.server.start()
        self.addCleanup(self.server.stop)

    def test_from_now_on(self) -> None:
        before = self.create_active(1, 'before')
        self.relay()
        cluster: dict[str, Any] = {}

        class Enough(Exception):
            """Of a test."""

        def enough() -> None:
            raise Enough

        self.at[1] = enough
        opened = Hub.open

        def open_and_create(hub: Hub, scope: Scope, after: int) -> Stream:
            """Something happens as soon as the stream is there."""
            stream = opened(hub, scope, after)
            cluster.update(self.create(1, 'after'))
            self.relay()
            return stream

        self.useFixture(fixtures.MonkeyPatch('api.streams.hub.Hub.open', open_and_create))
        self.assertRaises(Enough, self.follow, 'events', after=None)
        told = self.store.list_cluster_events(self.project, cluster['id'], 0, 1)
        self.assertEqual([told[0].position], self.shown)
        self.assertNotEqual(before['id'], cluster['id'])

    def test_what_is_forgotten_is_told(self) -> None:
        cluster = self.create(1)
        self.relay()
        self.store.forget_events(datetime.datetime(2999, 1, 1), 2)
        self.at[1] = lambda: self.delete(cluster['id'])
        self.assertEqual(DONE, self.follow('clusters', cluster['id'], 'events', after=1))
        self.assertEqual(3, self.shown[0])
        self.assertIn('Events after 1 are forgotten', self.said[0])

    def test_an_api_that_stays_away(self) -> None:
        self.server.stop()
        self.assertEqual(UNREACHABLE, self.follow('events'))
        self.assertGreater(self.time, PATIENCE)
        self.assertEqual(1, len(self.said))

    def test_a_cluster_that_never_was(self) -> None:
        self.assertRaises(NotFound, self.follow, 'clusters', 'nothing', 'events')

    def test_what_is_no_stream_of_ours(self) -> None:
        for answer in (
            b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
            STREAM + b'data: {\n\n',
            STREAM + b'data: 3\n\n',
            STREAM + b'id: x\n\n',
            STREAM + b'\xff\n\n',
        ):
            with self.row(str(answer)), played(answer) as (port, _):
                client = Client(f'http://127.0.0.1:{port}/v1.0/demo', {})
                self.assertRaises(Unavailable, list, client.follow('events', after=None))


class ProgramTest(EventsCase):
    def run_cli(self, *words: str, **environment: str) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        for name, value in {'OS_ENDPOINT': self.endpoint, **environment}.items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = cli.main(['events', *words])
        return status, said.getvalue()

    def test_the_history(self) -> None:
        cluster = self.create_active(3)
        self.relay()
        self.client = self.build(api_events_page_size=4)
        everything = self.store.list_cluster_events(self.project, cluster['id'], 0, 99)
        for words in (('redis-clstr',), (cluster['id'],), (), ('--all',)):
            with self.row(' '.join(words)):
                status, said = self.run_cli(*words)
                self.assertEqual(DONE, status, said)
                lines = said.splitlines()
                self.assertEqual(len(everything), len(lines))
                self.assertEqual(['1', 'cluster.created'], lines[0].split()[1:3])
        status, said = self.run_cli('redis-clstr', '--after', '5')
        self.assertEqual('6', said.split()[1])

    def test_how_it_ends(self) -> None:
        self.assertEqual(NOT_FOUND, self.run_cli('nothing')[0])
        self.assertEqual(NOT_FOUND, self.run_cli('nothing', '--follow')[0])
        self.assertEqual(USAGE, self.run_cli(OS_ENDPOINT='nowhere')[0])
        self.assertEqual((USAGE, True), self.newest('--follow', '--after', '7'))
        for words in (('--after', '-1'), ('--after', 'x'), ('a', '--all')):
            self.assertEqual(2, self.assertRaises(SystemExit, self.run_cli, *words).code)

    def newest(self, *words: str) -> tuple[int, bool]:
        status, said = self.run_cli(*words)
        return status, 'the newest is 0' in said

    def test_whoever_reads_the_lines_may_have_enough(self) -> None:
        self.create_active(3)
        self.relay()
        program = subprocess.Popen(
            [*CLI, 'events', '--follow', '--after', '0'],
            env={**os.environ, 'OS_ENDPOINT': self.endpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert program.stdout is not None and program.stderr is not None
        with program:
            self.addCleanup(program.kill)
            self.assertIn(b'cluster.created', program.stdout.readline())
            program.stdout.close()
            while program.poll() is None:
                self.create(1)
                self.relay()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(1.0)
            self.assertEqual((DONE, b''), (program.returncode, program.stderr.read()))
