"""``openstack database …``, unmodified, against the whole service."""

import json

from tests import servers
from tests.base import TestCase
from tests.deployment import PROJECT, Deployment, HttpApi
from tests.openstack_client import OpenStackClient
from tests.standalone import Standalone

MEMBER = ('--instance', 'flavor=1,volume=1')


class ClientOnStandaloneTest(TestCase):
    timeout = 600
    ending: tuple[str, ...] = ('delete',)

    def service(self) -> HttpApi:
        return self.useFixture(Standalone()).api

    def test_the_life_of_a_cluster(self) -> None:
        api = self.service()
        openstack = OpenStackClient(api.endpoint)
        flavors = openstack.json('database', 'flavor', 'list')
        self.assertEqual([1, 2, 3], [flavor['ID'] for flavor in flavors])
        (datastore,) = openstack.json('datastore', 'list')
        self.assertEqual('redis', datastore['Name'])

        created = openstack.json(
            'database', 'cluster', 'create', 'clstr', 'redis', '3.0', *MEMBER, *MEMBER
        )
        self.assertEqual(
            ('clstr', 2, 'BUILDING'),
            (created['name'], created['instance_count'], created['task_name']),
        )
        api.completed(created['id'])
        (listed,) = openstack.json('database', 'cluster', 'list')
        self.assertEqual((created['id'], 'NONE'), (listed['ID'], listed['Task Name']))
        self.use(openstack, api)

        openstack('database', 'cluster', 'grow', 'clstr', *MEMBER)
        api.completed(created['id'])
        members = openstack.json('database', 'cluster', 'list', 'instances', 'clstr')
        self.assertEqual(
            [(f'clstr-member-{n}', 'ACTIVE') for n in (1, 2, 3)],
            [(member['Name'], member['Status']) for member in members],
        )
        openstack('database', 'cluster', 'shrink', 'clstr', members[-1]['ID'])
        api.completed(created['id'])
        shown = openstack.json('database', 'cluster', 'show', 'clstr')
        self.assertEqual(2, shown['instance_count'])

        openstack('database', 'cluster', *self.ending, 'clstr')
        self.assertIsNone(api.settled(created['id']))

    def use(self, openstack: OpenStackClient, api: HttpApi) -> None:
        """What one does with a cluster that is there."""
        (cluster,) = api('GET', '/clusters')[1]['clusters']
        shown = openstack.json('database', 'instance', 'show', cluster['instances'][0]['id'])
        self.assertEqual(('ACTIVE', 'HEALTHY'), (shown['status'], shown['operating_status']))
        user = openstack.json('database', 'root', 'enable', 'clstr')
        self.assertEqual('default', user['name'])
        self.assertEqual(
            {'is_root_enabled': True}, openstack.json('database', 'root', 'show', 'clstr')
        )
        api.completed(cluster['id'])
        reset, quotas = openstack.session(
            'database cluster reset status clstr', f'database quota show {PROJECT} -f json'
        )
        self.assertEqual('', reset)
        in_use = {quota['Resource']: quota['In Use'] for quota in json.loads(quotas)}
        self.assertEqual({'instances': 2, 'volumes': 2, 'ram': 1024}, in_use)
        found = api.completed(cluster['id'])
        self.assertEqual('reset_status', found['operation']['kind'])


class ClientOnDaemonsTest(ClientOnStandaloneTest):
    ending = ('force', 'delete')

    def service(self) -> HttpApi:
        broker = servers.shared(servers.RabbitMQ)
        database = servers.shared(servers.MariaDB)
        plane = self.useFixture(Deployment(broker.new_vhost(), database.new_database()))
        return plane.api
