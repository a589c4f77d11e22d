"""Every bad input that was sent to Trove: what it gets here, and that nothing is stored.

The cases are those of Trove's own refusals, in their order; some of them it answers with 500
or after it stored something.
"""

# ruff: noqa: E501 - a table reads best with one row in a line

from tests.unit.api_fixture import ApiTestCase, create_body, member_body
from tests.unit.refusals import BAD, INSTANCE, NOWHERE, RefusalCase, Row, all_alike, datastore, one

ONE = 'clusters/{cluster}'
BUSY = 'clusters/{busy}'
MISSING = 'itemNotFound'
BEYOND = 'overLimit'
HELD = 'unprocessableEntity'
NOT_HERE = 'notImplemented'
LONG = 'x' * 300

INPUTS = [
    # Create.
    Row('flavor missing', 403, 'forbidden', 'A flavor is required for each instance in the cluster.', one(flavorRef=None)),
    Row('flavor unknown', 404, MISSING, 'Flavor 999 cannot be found.', all_alike(flavorRef='999')),
    Row('volume missing', 400, BAD, 'A volume size is required for each instance in the cluster.', one(volume=None)),
    Row('volume 0', 400, BAD, f"{INSTANCE}['volume']['size'] 0 must be a whole number of GiB from 1 up", one(volume={'size': 0})),
    Row('volume x', 400, BAD, f"{INSTANCE}['volume']['size'] 'x' must be a whole number of GiB", one(volume={'size': 'x'})),
    Row('volume 11', 413, BEYOND, "Volume 'size' cannot exceed maximum of 10 Gb, 11 cannot be accepted.", all_alike(volume={'size': '11'})),
    Row('flavors differ', 400, BAD, 'The flavor for each instance in a cluster must be the same.', one(flavorRef='1')),
    Row('no instances', 400, BAD, "['instances'] [] must be a list of at least one instance", create_body(instances=[])),
    Row('sizes differ', 400, BAD, 'The volume size for each instance in a cluster must be the same.', one(volume={'size': 3})),
    Row('networks differ', 400, BAD, 'must be left out: networks cannot be chosen', one(nics=[{'network_id': 'a'}])),
    Row('nic with v4-fixed-ip', 400, BAD, f"{INSTANCE}['nics']", one(nics=[{'network_id': 'a', 'v4-fixed-ip': '10.0.0.1'}])),
    Row('datastore unknown', 404, MISSING, "Datastore 'nope' cannot be found.", datastore('nope', '3.0')),
    Row('version unknown', 400, BAD, "Datastore version '9.9' cannot be found. Offered: 3.0", datastore('redis', '9.9')),
    Row('bad locality', 400, BAD, "Must be one of ['affinity', 'anti-affinity']", create_body(locality='bogus')),
    Row('configuration given', 400, BAD, 'Configuration groups not supported by the datastore', create_body(configuration='c')),
    Row('type as Trove sends it', 400, BAD, "['replica'] must be 'member'", one(type=['replica'])),
    Row('quota', 413, BEYOND, "Quota exceeded for resources: ['instances', 'volumes']. Asked for 7 instances, 8 of 12 are in use; 14 GiB of volumes, 16 of 24 are in use.", create_body(7)),
    # Actions.
    Row('quota of a grow', 413, BEYOND, "Quota exceeded for resources: ['instances', 'volumes']. Asked for 7 instances", {'grow': [member_body()] * 7}, ONE),
    Row('busy, shrink', 422, HELD, "This action cannot be performed on the cluster while the current cluster task is 'BUILDING'.", {'shrink': [{'id': NOWHERE}]}, BUSY),
    Row('busy, delete', 422, HELD, "the current cluster task is 'BUILDING'.", None, BUSY, 'DELETE'),
    Row('cluster unknown', 404, MISSING, 'Cluster nope cannot be found.', {'grow': [member_body()]}, 'clusters/nope'),
    Row('cluster unknown, reset', 404, MISSING, 'Cluster nope cannot be found.', {'reset-status': {}}, 'clusters/nope'),
    Row('cluster unknown, forced', 404, MISSING, 'Cluster nope cannot be found.', {'reset-status': {'force_delete': True}}, 'clusters/nope'),
    Row('instance unknown, shrink', 404, MISSING, f'Instance {NOWHERE} does not exist.', {'shrink': [{'id': NOWHERE}]}, ONE),
    Row("another cluster's instance", 404, MISSING, 'Instance {stranger} does not exist.', {'shrink': [{'id': '{stranger}'}]}, ONE),
    Row('shrink to nothing', 400, BAD, 'cannot be shrunk to nothing', {'shrink': [{'id': '{member}'}, {'id': '{second}'}, {'id': '{third}'}]}, ONE),
    Row('shrink [] ', 400, BAD, 'at least one instance to remove', {'shrink': []}, ONE),
    Row('shrink id not uuid', 400, BAD, "shrink[0]['id'] 'not-uuid' must be the id (a UUID)", {'shrink': [{'id': 'not-uuid'}]}, ONE),
    Row('shrink node with slots', 403, 'forbidden', "Instance(s) ['{third}'] currently in use and cannot be deleted. Details: Nodes cannot be removed. Check slots.", {'shrink': [{'id': '{third}'}]}, ONE),
    Row('two actions', 400, BAD, 'Action request should have exactly one action specified in body: grow, shrink or reset-status.', {'grow': [], 'shrink': []}, ONE),
    Row('unknown action', 400, BAD, 'Action foo not supported; use grow, shrink or reset-status.', {'foo': {}}, ONE),
    Row('upgrade', 400, BAD, 'Action upgrade not supported: a cluster stays at the datastore version', {'upgrade': {'datastore_version': '7'}}, ONE),
    Row('restart', 400, BAD, 'Action restart not supported: a redis-server that dies is started again', {'restart': {}}, ONE),
    Row('configuration_attach', 400, BAD, 'Action configuration_attach not supported: configuration groups', {'configuration_attach': {}}, ONE),
    Row('add_shard', 400, BAD, 'Action add_shard not supported: every node of a redis cluster is a shard; use grow', {'add_shard': {}}, ONE),
    Row('reset null', 400, BAD, "reset-status None must be {} or {'force_delete': true}", {'reset-status': None}, ONE),
    Row('reset odd', 400, BAD, "reset-status {'force': 1} must be", {'reset-status': {'force': 1}}, ONE),
    Row('reset force word', 400, BAD, "['force_delete'] 'yes' must be true or false", {'reset-status': {'force_delete': 'yes'}}, ONE),
    # Bodies.
    Row('body {}', 400, BAD, "'cluster' is a required property", {}),
    Row('body {"foo": 1}', 400, BAD, "'cluster' is a required property", {'foo': 1}),
    Row('body empty', 400, BAD, 'the body None must be an object'),
    Row('action body {}', 400, BAD, 'exactly one action', {}, ONE),
    Row('action body empty', 400, BAD, 'exactly one action', None, ONE),
    Row('malformed JSON', 400, BAD, 'Malformed request body: Expecting', raw=b'{"cluster"'),
    Row('malformed JSON, action', 400, BAD, 'Malformed request body: Expecting', None, ONE, raw=b'{'),
    # Lists and paths.
    Row('limit 0', 400, BAD, "limit '0' must be a whole number from 1 up", None, 'clusters', 'GET', {'query_string': 'limit=0'}),
    Row('limit -1', 400, BAD, "limit '-1' must be a whole number from 1 up", None, 'clusters', 'GET', {'query_string': 'limit=-1'}),
    Row('limit abc', 400, BAD, "limit 'abc' must be a whole number from 1 up", None, 'clusters', 'GET', {'query_string': 'limit=abc'}),
    Row('limit abc, instances', 400, BAD, "limit 'abc'", None, 'mgmt/instances', 'GET', {'query_string': 'limit=abc'}),
    Row('include_clustered, all', 400, BAD, 'must be True or False', None, 'mgmt/instances', 'GET', {'query_string': 'include_clustered=7'}),
    Row('unroutable', 404, MISSING, 'The resource could not be found.', None, 'nope', 'GET'),
    Row('wrong method', 405, 'badMethod', 'see the Allow header', {}, 'limits', 'POST'),
    Row('ambiguous name', 409, 'conflict', "Cluster name 'twin' is not unique; use one of the ids [", None, 'clusters/twin', 'GET'),
    Row('ambiguous member', 409, 'conflict', "Instance name 'twin-member-1' is not unique", None, 'instances/twin-member-1', 'GET'),
    Row('name in a delete', 404, MISSING, 'Cluster redis-clstr cannot be found.', None, 'clusters/redis-clstr', 'DELETE'),
    # Instances, which only their cluster changes.
    Row('make an instance', 501, NOT_HERE, 'An instance is made with its cluster', {'instance': {}}, 'instances'),
    Row('delete a member', 422, HELD, "remove it with the action 'shrink' of its cluster", None, 'instances/{member}', 'DELETE'),
    Row('update a member', 422, HELD, 'Action update is not supported', {'instance': {}}, 'instances/{member}', 'PUT'),
    Row('patch a member', 422, HELD, 'Action update is not supported', {'instance': {}}, 'instances/{member}', 'PATCH'),
    Row('restart a member', 422, HELD, 'started again by its agent (cluster {cluster}).', {'restart': {}}, 'instances/{member}/action'),
    Row('resize a member', 422, HELD, 'make a cluster of the flavor and volume size wanted', {'resize': {'flavorRef': '3'}}, 'instances/{member}/action'),
    Row('promote a member', 422, HELD, 'has masters only', {'promote_to_replica_source': {}}, 'instances/{member}/action'),
    Row('reset a member', 422, HELD, "with the action 'reset-status'", {'reset_status': {}}, 'instances/{member}/action'),
    Row('reboot a member', 422, HELD, 'started again by its agent', {'reboot': {}}, 'mgmt/instances/{member}/action'),
    Row('unknown action on a member', 400, BAD, 'Action foo not supported.', {'foo': {}}, 'instances/{member}/action'),
    Row('no action on a member', 400, BAD, 'exactly one action', {}, 'instances/{member}/action'),
    Row('action on nobody', 404, MISSING, 'Instance nope cannot be found.', {'restart': {}}, 'instances/nope/action'),
    Row('delete nobody', 404, MISSING, 'Instance nope cannot be found.', None, 'instances/nope', 'DELETE'),
    # What there is none of.
    Row('backup', 501, NOT_HERE, 'Backups are not supported yet.', {'backup': {}}, 'backups'),
    Row('a backup', 404, MISSING, 'Backup b cannot be found.', None, 'backups/b', 'GET'),
    Row('configuration', 501, NOT_HERE, 'Configuration groups are not supported', {}, 'configurations'),
    Row('a configuration', 404, MISSING, 'Configuration c cannot be found.', None, 'configurations/c', 'DELETE'),
    Row('a module', 404, MISSING, 'Module m cannot be found.', None, 'modules/m', 'GET'),
    Row('modules of a member', 501, NOT_HERE, 'Modules are not supported', {}, 'instances/{member}/modules'),
    Row('modules of nobody', 404, MISSING, 'Instance nope cannot be found.', None, 'instances/nope/modules', 'GET'),
    Row('users', 501, NOT_HERE, 'enable root on the cluster', None, 'instances/{member}/users', 'GET'),
    Row('databases', 501, NOT_HERE, 'Redis Cluster has one keyspace', {}, 'instances/{member}/databases'),
    Row('logs', 501, NOT_HERE, 'Logs stay on the host', {}, 'instances/{member}/log'),
    # Quotas.
    Row('quota body empty', 400, BAD, 'the body None must be an object', None, 'mgmt/quotas/p', 'PUT'),
    Row('quota body {}', 400, BAD, "'quotas' is a required property", {}, 'mgmt/quotas/p', 'PUT'),
    Row('quota none', 400, BAD, "quotas {} must be an object like {'instances': 10}", {'quotas': {}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota unknown', 400, BAD, "'backups' must be one of ['instances', 'volumes', 'ram']", {'quotas': {'backups': 5, 'instances': 5}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota -2', 400, BAD, "['instances'] -2 must be a whole number, -1 for no limit", {'quotas': {'instances': -2}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota word', 400, BAD, "['ram'] 'x' must be a whole number", {'quotas': {'ram': 'x'}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota true', 400, BAD, "['ram'] True must be a whole number", {'quotas': {'ram': True}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota beyond', 400, BAD, "['ram'] 2147483648 must be", {'quotas': {'ram': 2**31}}, 'mgmt/quotas/p', 'PUT'),
    Row('quota of no project', 400, BAD, 'The project in the URL must have', None, f'mgmt/quotas/{LONG}', 'GET'),
    Row('no project', 400, BAD, 'The project in the URL must have', None, f'projects/{LONG}', 'GET'),
]  # fmt: skip


class InputTest(RefusalCase):
    def test_every_bad_input(self) -> None:
        for _ in range(2):
            self.create_active(1, 'twin')
        self.client = self.build(quota_max_instances_per_tenant=12, quota_max_volumes_per_tenant=24)
        self.check_rows(INPUTS)

    def test_every_row_has_a_name_of_its_own(self) -> None:
        self.assertEqual(len(INPUTS), len({row.name for row in INPUTS}))


class UnsupportedTest(ApiTestCase):
    """Cases of the same list that depend on the configuration."""

    def test_without_volumes_or_clusters(self) -> None:
        small = create_body(instances=[{'flavorRef': '1'}])
        large = create_body(instances=[member_body('3')])
        before = self.row_counts()
        for client, body, status, name, message in (
            (self.build(redis_volume_support=False), small, 403, 'forbidden', 'Local storage not specified in flavor ID: 1.'),
            (self.build(), large, 501, NOT_HERE, 'Volume support is not enabled.'),
            (self.build(redis_cluster_support=False), small, 501, NOT_HERE, 'Clusters not supported for redis-3.0.'),
        ):  # fmt: skip
            with self.row(message):
                self.client = client
                answer = self.call('POST', 'clusters', body=body)
                self.assert_refused(answer, status, name, message)
                self.assertEqual(before, self.row_counts())
