"""Tenants who log in: the real client, one cluster used and resharded, another one kept out."""

import base64
import os
import re
import subprocess
import sys

from tests import servers
from tests.base import TestCase
from tests.deployment import HttpApi
from tests.openstack_client import OpenStackClient
from tests.standalone import Standalone
from tests.tenant import KEYS, SLOTS_COVERED, Tenant

MEMBER = ('--instance', 'flavor=1,volume=1')
PASSWORDS = {'alice': "alice's long password", 'bob': 'bob: with a colon', 'root': 'pässwörd 12'}
PEOPLE = (('alice', 'acme', 'member'), ('bob', 'other', 'member'), ('root', '*', 'admin'))
TOKEN = 'a-token-of-the-service'


class LoginTest(TestCase):
    timeout = 600

    def test_tenants_are_kept_apart(self) -> None:
        """Also that nobody needs anything but what the README says to log in."""
        self.service = self.useFixture(Standalone())
        self.users = str(self.service.directory / 'users')
        self.restart(auth_strategy='http_basic', user_file=self.users)
        for name, projects, roles in PEOPLE:
            self.manage('user', 'set', name, projects, roles, password=PASSWORDS[name])
        self.service.start()

        alice = self.client('alice', 'acme')
        created = alice.json('database', 'cluster', 'create', 'mine', 'redis', '3.0', *MEMBER * 2)
        api = self.api('alice', 'acme')
        api.completed(created['id'])
        self.use(Tenant(api, created['id']))
        self.try_to_touch(created['id'])

        status, body = api('POST', f'/clusters/{created["id"]}', {'reset-status': {}})
        self.assertEqual(403, status, body)
        (listed,) = self.client('root', 'acme').json('database', 'cluster', 'list')
        self.assertEqual(created['id'], listed['ID'])

        self.restart(auth_strategy='admin_token', admin_token=TOKEN)
        self.service.start()
        login = {'OS_AUTH_TYPE': 'admin_token', 'OS_TOKEN': TOKEN}
        endpoint = f'{self.service.url}/v1.0/acme'
        holder = OpenStackClient(endpoint, login)
        holder('database', 'cluster', 'delete', 'mine')
        api = HttpApi(self.service.url, 'acme', {'X-Auth-Token': TOKEN})
        self.assertIsNone(api.settled(created['id']))
        wrong = OpenStackClient(endpoint, {**login, 'OS_TOKEN': 'guessed'})
        refused = wrong.run('database', 'cluster', 'list')
        self.assertIn('HTTP 401', refused.stderr)
        self.assertNotIn(TOKEN, self.service.process.log_tail().decode(errors='replace'))

    def use(self, tenant: Tenant) -> None:
        """Write keys, move slots with Redis's own tool while they stay, and read them."""
        tenant.write('before')
        self.assertIn(SLOTS_COVERED, self.redis_cli(tenant, 'check'))
        source, target = re.findall(r'M: ([0-9a-f]{40})', self.redis_cli(tenant, 'check'))
        self.redis_cli(
            tenant,
            'reshard',
            '--cluster-from', source, '--cluster-to', target,
            '--cluster-slots', '50', '--cluster-yes',
        )  # fmt: skip
        self.assertIn(SLOTS_COVERED, self.redis_cli(tenant, 'check'))
        with tenant.cluster() as client:
            values = {client.get(f'key:{number}') for number in range(KEYS)}
        self.assertEqual({b'before'}, values)

    def try_to_touch(self, cluster_id: str) -> None:
        """What another project's member gets to see of it: nothing."""
        inside = self.client('bob', 'acme').run('database', 'cluster', 'show', cluster_id)
        self.assertIn('Operation not allowed for tenant acme. (HTTP 403)', inside.stderr)
        outside = self.client('bob', 'other')
        self.assertEqual([], outside.json('database', 'cluster', 'list'))
        for command in (('show', cluster_id), ('delete', cluster_id), ('show', 'mine')):
            done = outside.run('database', 'cluster', *command)
            self.assertNotEqual(0, done.returncode, done.stdout)
        api = self.api('bob', 'other')
        grow = {'grow': [{'flavorRef': '1', 'volume': {'size': 1}}]}
        for method, path, body in (
            ('GET', '', None),
            ('DELETE', '', None),
            ('POST', '/action', grow),
            ('POST', '', {'reset-status': {'force_delete': True}}),
            ('GET', '/root', None),
            ('POST', '/root', None),
            ('DELETE', '/root', None),
            ('GET', '/operations', None),
        ):
            status, answer = api(method, f'/clusters/{cluster_id}{path}', body)
            self.assertEqual(404, status, answer)

    # Logins.

    def client(self, name: str, project: str) -> OpenStackClient:
        login = {
            'OS_AUTH_TYPE': 'http_basic',
            'OS_USERNAME': name,
            'OS_PASSWORD': PASSWORDS[name],
        }
        return OpenStackClient(f'{self.service.url}/v1.0/{project}', login)

    def api(self, name: str, project: str) -> HttpApi:
        encoded = base64.b64encode(f'{name}:{PASSWORDS[name]}'.encode()).decode()
        return HttpApi(self.service.url, project, {'Authorization': f'Basic {encoded}'})

    # The service.

    def restart(self, **options: str) -> None:
        """End it and write other options; ``start`` is left to the caller."""
        self.service.end(15)
        self.service.options['api'] = options
        self.service.configure()
        if 'user_file' in options and not os.path.exists(options['user_file']):
            open(options['user_file'], 'w').close()

    def manage(self, *words: str, password: str) -> None:
        done = subprocess.run(
            [sys.executable, '-m', 'slotwright.cmd.manage',
             '--config-file', str(self.service.config), *words],
            input=password + '\n', text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stderr)

    def redis_cli(self, tenant: Tenant, command: str, *words: str) -> str:
        ip, port = tenant.addresses()[0]
        done = subprocess.run(
            [servers.find_program('redis-cli', package='redis-tools'),
             '--cluster', command, f'{ip}:{port}', *words],
            env={**os.environ, 'REDISCLI_AUTH': tenant.password},
            text=True, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout
