"""Every command of the real client that has a meaning, or a reason why it has none.

One standalone for all. Clusters whose nodes nobody needs are rows, put there directly.
"""

import datetime
import json
import os
import signal
from typing import Any

import sqlalchemy as sa

from slotwright.storage.sqlalchemy.tables import clusters
from tests import rows
from tests.base import TestCase
from tests.deployment import IMPATIENT, PROJECT, READY, HttpApi, loopback_network
from tests.guarded import wait_until
from tests.openstack_client import OpenStackClient
from tests.standalone import Standalone
from tests.tenant import Tenant

#: Two clusters of two fit into it, and not one of six.
SMALL = loopback_network().replace('.0/24', '.0/29')
PAGES = 25


class ClientCommandsTest(TestCase):
    timeout = 400

    def setUp(self) -> None:
        super().setUp()
        self.service = self.useFixture(Standalone({'local': {'network': SMALL}, **IMPATIENT}))
        self.api: HttpApi = self.service.api
        self.openstack = OpenStackClient(self.api.endpoint)

    def test_the_commands(self) -> None:
        cluster = self.api.completed(self.api.create(2, 'clstr')['id'])
        self.fill_pages()
        self.things_by_name_beyond_the_first_page(cluster)
        self.quotas_are_shown_set_and_obeyed()
        self.what_has_no_meaning(cluster)
        self.root_is_shown_once()
        self.a_doomed_cluster_is_deleted_by_force()
        self.a_reset_tells_the_truth(cluster)

    def said(self, *commands: str) -> list[str]:
        return self.openstack.session(*(f'database {command}' for command in commands))

    def fill_pages(self) -> None:
        """Clusters that come before all others, and have no nodes."""
        moment = datetime.datetime(2026, 1, 1)
        fixed = {
            'project_id': PROJECT, 'datastore': 'redis', 'datastore_version': '3.0',
            'task_id': 1, 'epoch': 0, 'member_seq': 0, 'extended_properties': {}, 'secret': '',
            'tenant_hash': '', 'created': moment, 'updated': moment,
        }  # fmt: skip
        named = [
            {'id': f'00000000-0000-4000-8000-{number:012}', 'name': f'row-{number}', **fixed}
            for number in range(PAGES)
        ]
        engine = sa.create_engine(self.service.database)
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.execute(sa.insert(clusters), named)

    def things_by_name_beyond_the_first_page(self, cluster: Any) -> None:
        marker = self.api('GET', '/clusters')[1]['clusters'][-1]['id']
        listed, following, shown, member, flavor, nope = self.said(
            'cluster list -f json',
            f'cluster list --marker {marker} -f json',
            'cluster show clstr -f json',
            'instance show clstr-member-2 -f json',
            'flavor show small -f json',
            'cluster show nope',
        )
        first = {found['Name'] for found in json.loads(listed)}
        self.assertEqual(20, len(first))
        self.assertIn('clstr', {found['Name'] for found in json.loads(following)} - first)
        self.assertEqual(cluster['id'], json.loads(shown)['id'])
        self.assertEqual(cluster['instances'][1]['id'], json.loads(member)['id'])
        self.assertEqual(1, json.loads(flavor)['id'])
        self.assertEqual("No cluster with a name or ID of 'nope' exists.", nope)

    def quotas_are_shown_set_and_obeyed(self) -> None:
        create = 'cluster create x redis 3.0 --instance flavor=1,volume=2'
        shown, limits, _, refused, _, after, unknown = self.said(
            f'quota show {PROJECT} -f json',
            'limit list',
            f'quota update {PROJECT} instances 2',
            create,
            f'quota update {PROJECT} instances 40',
            f'quota show {PROJECT} -f json',
            f'quota update {PROJECT} bees 2',
        )
        used = {'Resource': 'instances', 'In Use': 2, 'Reserved': 0, 'Limit': 200}
        self.assertIn(used, json.loads(shown))
        self.assertRegex(limits, r'max_instances *\| 200')
        self.assertIn("Quota exceeded for resources: ['instances']. Asked for 1 inst", refused)
        self.assertIn({**used, 'Limit': 40}, json.loads(after))
        self.assertIn("must be one of ['instances', 'volumes', 'ram'] (HTTP 400)", unknown)

    def what_has_no_meaning(self, cluster: Any) -> None:
        before = rows.counts(self.service.database)
        member = cluster['instances'][0]['id']
        commands = {
            'cluster modules clstr -f json': '[]',
            'backup list -f json': '[]',
            'configuration list -f json': '[]',
            f'log list {member} -f json': '[]',
            'instance list -f json': '[]',
            'cluster upgrade clstr 7.0': 'Action upgrade not supported: a cluster stays',
            f'instance restart {member}': 'started again by its agent',
            f'instance resize flavor {member} 2': 'make a cluster of the flavor',
            f'instance promote {member}': 'its cluster has masters only',
            f'instance reset status {member}': "the action 'reset-status'",
            f'instance reboot {member}': 'started again by its agent',
            f'instance delete {member}': "remove it with the action 'shrink'",
            f'instance update {member} --name x': 'given by its cluster',
            f'user list {member}': 'enable root on the cluster',
            f'db list {member}': 'Redis Cluster has one keyspace',
            f'backup create b --instance {member}': 'Backups are not supported yet',
        }
        for command, said in zip(commands, self.said(*commands), strict=True):
            self.assertIn(commands[command], said, command)
        everywhere = 'instance list --include-clustered --all-projects --limit 50 -f json'
        (listed,) = self.said(everywhere)
        self.assertEqual({PROJECT}, {found['Tenant ID'] for found in json.loads(listed)})
        self.assertEqual(before, rows.counts(self.service.database))
        datastore, version = self.openstack.session(
            'datastore list -f json', 'datastore version show 3.0 --datastore redis -f json'
        )
        self.assertEqual(['redis'], [found['Name'] for found in json.loads(datastore)])
        self.assertEqual('3.0', json.loads(version)['name'])

    def root_is_shown_once(self) -> None:
        enabled, shown = self.said('root enable clstr -f json', 'root show clstr -f json')
        self.assertEqual('default', json.loads(enabled)['name'])
        self.assertEqual({'is_root_enabled': True}, json.loads(shown))
        self.assertNotIn(json.loads(enabled)['password'], shown)

    def a_doomed_cluster_is_deleted_by_force(self) -> None:
        """Its network has no room for it, so it would run for its whole budget."""
        directory = self.service.data_dir / 'instances'
        kept = sorted(directory.iterdir())
        for command in ('force', 'owner'):
            doomed = self.api.create(6, 'doomed')['id']
            wait_until(lambda d=doomed: self.agents_of(d) == 4, 'its agents', READY)
            self.assertEqual(422, self.api('DELETE', f'/clusters/{doomed}')[0])
            if command == 'force':
                self.assertEqual([''], self.said('cluster force delete doomed'))
            else:
                self.api.action(doomed, {'reset-status': {'force_delete': True}})
            self.assertIsNone(self.api.settled(doomed))
            self.assertEqual(kept, sorted(directory.iterdir()))
            instances = rows.select(self.service.database, 'instances', cluster_id=doomed)
            self.assertEqual({('DELETED', None)}, {(i['status'], i['host']) for i in instances})

    def agents_of(self, cluster_id: str) -> int:
        """How many of its agents were heard of."""
        found = rows.select(self.service.database, 'instances', cluster_id=cluster_id)
        return sum(instance['reported'] is not None for instance in found)

    def a_reset_tells_the_truth(self, cluster: Any) -> None:
        reset = 'cluster reset status clstr'
        self.assertEqual([''], self.said(reset))
        self.api.completed(cluster['id'])
        tenant = Tenant(self.api, cluster['id'])
        with tenant.node(tenant.addresses()[0]) as client:
            client.execute_command('CLUSTER', 'DELSLOTSRANGE', 0, 99)
        self.assertEqual([''], self.said(reset))
        sick = self.api.settled(cluster['id'])
        self.assertEqual(('reset_status', 'failed'), _ended(sick))
        self.assertEqual('ERROR', sick['instances'][0]['status'])
        self.assertIn('an owner for 16284 of 16384 slots', sick['operation']['reason'])
        with tenant.node(tenant.addresses()[0]) as client:
            client.execute_command('CLUSTER', 'ADDSLOTSRANGE', 0, 99)
        tenant.await_clean()

        victim = cluster['instances'][1]['id']
        agent_less = self.service.redis_servers()[victim]
        os.kill(agent_less, signal.SIGSTOP)
        try:
            self.api.action(cluster['id'], {'reset-status': {}})
            silent = self.api.settled(cluster['id'])
        finally:
            os.kill(agent_less, signal.SIGCONT)
        self.assertEqual('ERROR', silent['instances'][1]['status'])
        tenant.await_clean()
        self.api.action(cluster['id'], {'reset-status': {}})
        well = self.api.completed(cluster['id'])
        self.assertEqual(['ACTIVE'] * 2, [i['status'] for i in well['instances']])


def _ended(cluster: Any) -> tuple[str, str]:
    operation = cluster['operation']
    return operation['kind'], operation['state']
