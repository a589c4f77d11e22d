"""The real client against the API: ``openstack database …`` as people type it."""

from typing import Any

from api.server import ApiServer
from tests.openstack_client import OpenStackClient
from tests.unit.api_fixture import ApiTestCase


class ClientTest(ApiTestCase):
    """Every operation is finished as soon as a taskmanager hears of it.

    What the whole service has to do with it is in test_openstack_client.
    """

    def setUp(self) -> None:
        super().setUp()
        self.taskmanager.reaction = self.finish
        # No agent reports here, and a call of the client takes its time.
        app = self.build(api_silent_after=3600.0).app
        server = ApiServer(app, '127.0.0.1', 0, 4)
        self.addCleanup(server.stop)
        server.start()
        self.openstack = OpenStackClient(f'{server.url}/v1.0/{self.project}')

    def create_by_client(self) -> Any:
        instances = ['--instance', 'flavor=2,volume=2'] * 3
        command = ('database', 'cluster', 'create', 'clstr', 'redis', '3.0', *instances)
        return self.openstack.json(*command)

    def members(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.openstack.json(
            'database', 'cluster', 'list', 'instances', 'clstr'
        )
        return found

    def test_flavors_and_versions(self) -> None:
        self.assertEqual(2048, self.openstack.json('database', 'flavor', 'show', '2')['ram'])
        shown = self.openstack.json('datastore', 'show', 'redis')
        self.assertEqual('3.0', shown['default_version'])
        versions = self.openstack.json('datastore', 'version', 'list', 'redis')
        self.assertEqual(['3.0', '7.0.15'], [version['Name'] for version in versions])
        command = ('datastore', 'version', 'show', versions[0]['ID'])
        self.assertEqual('3.0', self.openstack.json(*command)['name'])

    def test_instances_and_root(self) -> None:
        self.create_by_client()
        member = self.members()[0]['ID']
        listed = self.openstack.json('database', 'instance', 'list', '--include-clustered')
        self.assertEqual(3, len(listed))
        self.assertEqual([], self.openstack.json('database', 'instance', 'list'))
        shown = self.openstack.json('database', 'instance', 'show', member)
        self.assertEqual(('HEALTHY', 0.17), (shown['operating_status'], shown['volume_used']))

        command = ('database', 'root', 'enable', 'clstr', '--root_password', 'correct-horse')
        self.assertEqual('correct-horse', self.openstack.json(*command)['password'])
        self.openstack('database', 'root', 'disable', member)
        status = self.openstack.json('database', 'root', 'show', 'clstr')
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
            done = self.openstack.run('database', *arguments)
            self.assertEqual(1, done.returncode)
            self.assertIn(words, done.stderr)
