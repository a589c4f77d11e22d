"""The servers other tests rest on: each starts, serves, restarts and goes away."""

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import kombu
import redis
import sqlalchemy

from tests import base, guard, servers
from tests.guarded import Process, wait_until

START_ONE = """
import sys, time
from tests import servers
server = servers.shared(servers.RedisServer)
print(server.process.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    return pid in guard.parents()


class GuardTest(base.TestCase):
    def test_descendants_end_with_the_process(self):
        process = self.useFixture(
            Process(['sh', '-c', 'setsid setsid sleep 601 & sleep 602 & wait'])
        )
        wait_until(lambda: len(guard.descendants(process.pid)) >= 1, 'children')
        wait_until(lambda: len(self.family(process)) >= 3, 'the daemonised child')
        family = self.family(process)
        process.stop()
        self.assertEqual([], [pid for pid in family if alive(pid)])

    def family(self, process: Process) -> list[int]:
        return guard.descendants(guard.parents()[process.pid])

    def test_lingering_children_outlive_the_command_only(self):
        process = self.useFixture(Process(['sh', '-c', 'sleep 603 & echo $!; wait'], linger=True))
        wait_until(lambda: bool(process.log.read_text().strip()), 'pid of the child')
        child = int(process.log.read_text())
        process.signal(signal.SIGKILL)
        process.wait()
        self.assertTrue(alive(child))
        process.stop()
        self.assertFalse(alive(child))

    def test_server_ends_when_its_test_process_is_killed(self):
        servers.RedisServer.require()
        with subprocess.Popen(
            [sys.executable, '-c', START_ONE], stdout=subprocess.PIPE, text=True
        ) as tests:
            server = int(tests.stdout.readline())
            self.assertTrue(alive(server))
            tests.kill()
        wait_until(lambda: not alive(server), 'end of the server')

    def test_command_that_cannot_run_is_reported(self):
        with self.assertRaisesRegex(Exception, 'no-such-command'):
            Process(['/no-such-command']).setUp()


class MissingServerTest(base.TestCase):
    def test_missing_program_skips_and_names_the_package(self):
        with (
            mock.patch.object(servers, 'SERVER_PATH', ()),
            mock.patch.dict(os.environ, PATH='/nonexistent'),
            self.assertRaisesRegex(unittest.SkipTest, 'Debian package rabbitmq-server'),
        ):
            self.useFixture(servers.RabbitMQ())


class RedisServerTest(base.TestCase):
    def test_serves_and_restarts(self):
        server = self.useFixture(servers.RedisServer('--appendonly', 'yes'))
        client = redis.Redis.from_url(server.url)
        self.addCleanup(client.close)
        client.set('key', 'value')
        server.stop()
        self.assertFalse(server.answers())
        server.start()
        self.assertEqual(b'value', client.get('key'))


class MariaDBTest(base.TestCase):
    def test_databases_are_apart(self):
        server = servers.shared(servers.MariaDB)
        first, second = server.new_database(), server.new_database()
        self.execute(first, 'CREATE TABLE notes (text VARCHAR(20))')
        self.execute(first, "INSERT INTO notes VALUES ('\N{SNOWMAN}\N{PILE OF POO}')")
        self.assertEqual(
            [('\N{SNOWMAN}\N{PILE OF POO}',)], self.execute(first, 'SELECT text FROM notes')
        )
        self.assertEqual([], self.execute(second, 'SHOW TABLES'))

    def execute(self, url: str, statement: str) -> list[tuple]:
        engine = sqlalchemy.create_engine(url)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            result = connection.execute(sqlalchemy.text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


class RabbitMQTest(base.TestCase):
    timeout = 400

    def test_vhosts_are_apart_and_durable_messages_survive_a_kill(self):
        broker = self.useFixture(servers.RabbitMQ())
        first, second = broker.new_vhost(), broker.new_vhost()
        self.put(first, 'work')
        self.put(second, 'other')
        broker.kill()
        self.assertFalse(broker.answers())
        broker.start()
        self.assertEqual({'work': 1}, broker.queues(first.rpartition('/')[2]))
        self.assertEqual({'other': 1}, broker.queues(second.rpartition('/')[2]))
        processes = guard.descendants(guard.parents()[broker.process.pid])
        self.assertIn('epmd', [self.command(pid) for pid in processes])
        broker.stop()
        self.assertEqual([], [pid for pid in processes if alive(pid)])

    def command(self, pid: int) -> str:
        try:
            return Path(f'/proc/{pid}/comm').read_text().strip()
        except OSError:  # a helper of the broker's, which has ended
            return ''

    def put(self, url: str, queue: str) -> None:
        with (
            kombu.Connection(
                url.replace('rabbit://', 'amqp://'), transport_options={'confirm_publish': True}
            ) as connection,
            connection.SimpleQueue(queue) as simple,
        ):
            simple.put({'n': 1}, delivery_mode=2)
