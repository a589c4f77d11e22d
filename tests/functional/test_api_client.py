"""The real client against the API: ``openstack database …`` as people type it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from api.server import ApiServer
from tests.unit.api_fixture import ApiTestCase

CLIENT_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])


class ClientTest(ApiTestCase):
    """Every operation is finished as soon as a taskmanager hears of it."""

    def setUp(self) -> None:
        super().setUp()
        self.taskmanager.reaction = self.finish
        self.server = ApiServer(self.client.app, '127.0.0.1', 0, 4)
        self.addCleanup(self.server.stop)
        self.server.start()

    def run_client(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        client = shutil.which('openstack', path=CLIENT_PATH)
        assert client, 'python-openstackclient is not installed'
        endpoint = f'{self.server.url}/v1.0/{self.project}'
        auth = ('--os-auth-type', 'none', '--os-endpoint', endpoint)
        environ = {k: v for k, v in os.environ.items() if not k.startswith('OS_')}
        return subprocess.run(
            [client, *auth, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def openstack(self, *arguments: str) -> str:
        done = self.run_client(*arguments)
        self.assertEqual(0, done.returncode, f'{arguments}: {done.stdout}\n{done.stderr}')
        return done.stdout

    def openstack_json(self, *arguments: str) -> Any:
        return json.loads(self.openstack(*arguments, '-f', 'json'))

    def database(self, *arguments: str) -> str:
        return self.openstack('database', *arguments)

    def create_by_client(self) -> Any:
        instances = ['--instance', 'flavor=2,volume=2'] * 3
        command = ('database', 'cluster', 'create', 'clstr', 'redis', '3.0', *instances)
        return self.openstack_json(*command)

    def members(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.openstack_json(
            'database', 'cluster', 'list', 'instances', 'clstr'
        )
        return found

    def test_the_life_of_a_cluster(self) -> None:
        created = self.create_by_client()
        self.assertEqual(
            ('clstr', 'redis', '3.0', 3, 'BUILDING'),
            tuple(
                created[key]
                for key in ('name', 'datastore', 'datastore_version', 'instance_count', 'task_name')
            ),
        )
        (listed,) = self.openstack_json('database', 'cluster', 'list')
        self.assertEqual((created['id'], 'NONE'), (listed['ID'], listed['Task Name']))
        shown = self.openstack_json('database', 'cluster', 'show', 'clstr')
        self.assertEqual('127.0.0.1, 127.0.0.1, 127.0.0.1', shown['ip'])
        self.assertEqual(['clstr-member-1', 'clstr-member-2', 'clstr-member-3'], self.names())

        self.database('cluster', 'grow', 'clstr', '--instance', 'flavor=2,volume=2')
        self.assertEqual('clstr-member-4', self.names()[-1])
        leaving = self.members()[0]
        self.database('cluster', 'shrink', 'clstr', leaving['ID'])
        self.assertEqual([leaving['ID']], self.guests.asked)
        self.assertEqual('shrink', self.taskmanager.casts[-1][0])

        self.taskmanager.reaction = lambda cluster_id: None
        self.database('cluster', 'delete', created['id'])
        (listed,) = self.openstack_json('database', 'cluster', 'list')
        self.assertEqual('DELETING', listed['Task Name'])

    def names(self) -> list[str]:
        return [member['Name'] for member in self.members()]

    def test_what_there_is_to_choose_from(self) -> None:
        flavors = self.openstack_json('database', 'flavor', 'list')
        self.assertEqual([1, 2, 3], [flavor['ID'] for flavor in flavors])
        self.assertEqual(2048, self.openstack_json('database', 'flavor', 'show', '2')['ram'])
        (datastore,) = self.openstack_json('datastore', 'list')
        self.assertEqual('redis', datastore['Name'])
        shown = self.openstack_json('datastore', 'show', 'redis')
        self.assertEqual('3.0', shown['default_version'])
        versions = self.openstack_json('datastore', 'version', 'list', 'redis')
        self.assertEqual(['3.0', '7.0.15'], [version['Name'] for version in versions])
        command = ('datastore', 'version', 'show', versions[0]['ID'])
        self.assertEqual('3.0', self.openstack_json(*command)['name'])

    def test_instances_and_root(self) -> None:
        self.create_by_client()
        member = self.members()[0]['ID']
        listed = self.openstack_json('database', 'instance', 'list', '--include-clustered')
        self.assertEqual(3, len(listed))
        self.assertEqual([], self.openstack_json('database', 'instance', 'list'))
        shown = self.openstack_json('database', 'instance', 'show', member)
        self.assertEqual(('HEALTHY', 0.17), (shown['operating_status'], shown['volume_used']))

        user = self.openstack_json('database', 'root', 'enable', 'clstr')
        self.assertEqual('default', user['name'])
        status = self.openstack_json('database', 'root', 'show', 'clstr')
        self.assertEqual({'is_root_enabled': True}, status)
        command = ('database', 'root', 'enable', 'clstr', '--root_password', 'correct-horse')
        self.assertEqual('correct-horse', self.openstack_json(*command)['password'])
        self.database('root', 'disable', member)
        status = self.openstack_json('database', 'root', 'show', 'clstr')
        self.assertEqual({'is_root_enabled': False}, status)

    def test_errors_are_told(self) -> None:
        self.create_by_client()
        (holding, *_) = self.members()
        self.guests.holding.add(holding['ID'])
        for arguments, words in (
            (('cluster', 'shrink', 'clstr', holding['ID']), 'Check slots. (HTTP 403)'),
            (
                ('cluster', 'grow', 'clstr', '--instance', 'flavor=1,volume=2'),
                'The flavor for each instance in a cluster must be the same. (HTTP 400)',
            ),
            (
                ('cluster', 'create', 'x', 'nope', '3.0', '--instance', 'flavor=1,volume=2'),
                "Datastore 'nope' cannot be found. (HTTP 404)",
            ),
        ):
            done = self.run_client('database', *arguments)
            self.assertEqual(1, done.returncode)
            self.assertIn(words, done.stderr)
