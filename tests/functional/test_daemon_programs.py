"""The daemons as programs: what their threads are, what signals do, what Prometheus sees."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import fixtures
import pymysql
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url

from tests import servers
from tests.base import TestCase
from tests.deployment import Deployment
from tests.guarded import wait_until

SLOW_CALLERS = 60


class GreenApiTest(TestCase):
    """On eventlet's threads, over RabbitMQ and MariaDB."""

    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        self.database = servers.shared(servers.MariaDB).new_database()
        options = {'api': {'concurrency': 'eventlet', 'threads': 100}}
        self.plane = self.useFixture(Deployment(broker.new_vhost(), self.database, options))

    def test_it_serves_whoever_is_slow(self) -> None:
        api = self.plane.api
        with contextlib.ExitStack() as callers:
            for _ in range(SLOW_CALLERS):
                callers.enter_context(self.slow_caller())
            callers.enter_context(self.locked())
            cluster_id = api.create(2)['id']
            self.assertEqual(200, api('GET', f'/clusters/{cluster_id}')[0])
            self.many_requests_on_one_connection()
            threads = len(list(Path(f'/proc/{self.plane.api_process.pid}/task').iterdir()))
            self.assertLess(threads, SLOW_CALLERS)
        cluster = api.completed(cluster_id)
        self.assertEqual(['ACTIVE'] * 2, [i['status'] for i in cluster['instances']])
        self.assertEqual(202, api('DELETE', f'/clusters/{cluster_id}')[0])
        self.assertIsNone(api.settled(cluster_id))

        process = self.plane.api_process
        process.signal(signal.SIGHUP)
        wait_until(lambda: b'Configuration read again' in process.log.read_bytes(), 'SIGHUP')
        process.signal(signal.SIGTERM)
        process.wait()
        self.assertIn(b'Stopped', process.log_tail())

    def many_requests_on_one_connection(self) -> None:
        connection = http.client.HTTPConnection('127.0.0.1', self.plane.port, timeout=60)
        with contextlib.closing(connection):
            for _ in range(10):
                connection.request('GET', '/v1.0/demo/clusters')
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(200, answer.status)

    def slow_caller(self) -> socket.socket:
        """Someone who sends half a body, and then nothing."""
        caller = socket.create_connection(('127.0.0.1', self.plane.port), timeout=60)
        caller.sendall(
            b'POST /v1.0/slow/clusters HTTP/1.1\r\nHost: localhost\r\n'
            b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{'
        )
        return caller

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Have a request wait for a lock in the database; it is answered at the end."""
        url = make_url(self.database)
        connection = pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or '',
            database=url.database,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO quotas (project_id) VALUES ('locked')")
            body = json.dumps({'quotas': {'instances': 5}}).encode()
            with socket.create_connection(('127.0.0.1', self.plane.port), timeout=60) as caller:
                caller.sendall(
                    b'PUT /v1.0/admin/mgmt/quotas/locked HTTP/1.1\r\nHost: localhost\r\n'
                    b'Content-Type: application/json\r\n'
                    b'Content-Length: %d\r\n\r\n%s' % (len(body), body)
                )
                self.assertEqual([], select.select([caller], [], [], 0.5)[0])
                yield
                self.assertEqual([], select.select([caller], [], [], 0)[0])
                connection.rollback()
                self.assertIn(b' 200 ', caller.recv(65536).split(b'\r\n')[0])


class RefusedDatabaseTest(TestCase):
    def test_a_database_that_stops_all_threads_is_refused(self) -> None:
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        config = directory / 'slotwright.conf'
        for url in (f'sqlite:///{directory}/db.sqlite', 'postgresql://u:secret@h/db'):
            with self.subTest(url):
                config.write_text(
                    f'[api]\nconcurrency = eventlet\n[database]\nconnection = {url}\n'
                )
                ended = subprocess.run(
                    [sys.executable, '-m', 'slotwright.cmd.api', '--config-file', str(config)],
                    capture_output=True,
                    text=True,
                    timeout=100,
                    check=False,
                )
                self.assertEqual(1, ended.returncode, ended.stderr)
                self.assertIn('slotwright-api: [api] concurrency = eventlet needs', ended.stderr)
                self.assertNotIn('secret', ended.stderr)
                self.assertNotIn('Traceback', ended.stderr)


class OperatorsTest(TestCase):
    """What an operator sees of the daemons, and does to them."""

    timeout = 300

    def setUp(self) -> None:
        super().setUp()
        broker = servers.shared(servers.RabbitMQ)
        self.metrics_port = servers.free_port()
        options = {
            'DEFAULT': {'debug': False},
            # A lease that nobody loses, however slow the machine: all is asked once.
            'taskmanager': {'metrics_port': self.metrics_port, 'lease': 60},
        }
        self.plane = self.useFixture(Deployment(broker.new_vhost(), options=options))

    def test_rpc_is_counted(self) -> None:
        plane = self.plane
        plane.api.completed(plane.api.create(1)['id'])
        sent = self.scrape(plane.port)
        self.assertEqual(1, sent['taskmanager', 'create_cluster', 'sent'])
        asked = self.scrape(self.metrics_port)
        self.assertEqual(1, asked['guestagent', 'prepare', 'answered'])

    def scrape(self, port: int) -> dict[tuple[str, str, str], float]:
        """The number of RPC messages by topic, method and outcome."""
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics', timeout=60) as answer:
            text = answer.read().decode()
        return {
            (
                sample.labels['topic'],
                sample.labels['method'],
                sample.labels['outcome'],
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == 'slotwright_rpc_seconds_count'
        }

    def test_hangup_reads_the_configuration_again(self) -> None:
        plane = self.plane
        cluster = plane.api.completed(plane.api.create(1)['id'])
        (instance,) = cluster['instances']
        logs = {
            plane.api_process.pid: plane.api_process.log,
            plane.taskmanagers[0].pid: plane.taskmanagers[0].log,
            plane.agent_pids()[instance['id']]: plane.data_dir / instance['id'] / 'agent.log',
        }
        text = plane.config.read_text()
        plane.config.write_text(re.sub('debug = .*', 'debug = True', text))
        changed = 'Option DEFAULT.debug changed from [False] to [True]'
        for pid, log in logs.items():
            os.kill(pid, signal.SIGHUP)
            wait_until(lambda log=log: changed in log.read_text(), f'{log} to tell of the change')
        taskmanager = plane.taskmanagers[0].log
        self.assertNotIn(' DEBUG ', taskmanager.read_text().partition(changed)[0])
        plane.api('DELETE', f'/clusters/{cluster["id"]}')  # it says at debug level what woke it
        wait_until(lambda: ' DEBUG ' in taskmanager.read_text(), 'debug output')
