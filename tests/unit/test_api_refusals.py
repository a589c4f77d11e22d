"""Every refusal: its status, envelope and words, and that nothing is stored."""

# ruff: noqa: E501 - a table reads best with one row in a line

from typing import Any

from tests.unit.api_fixture import ApiTestCase, create_body, member_body
from tests.unit.refusals import BAD, INSTANCE, NOWHERE, RefusalCase, Row, all_alike, datastore, one

CREATE = [
    Row('no_body', 400, BAD, 'the body None must be an object'),
    Row('empty_object', 400, BAD, "'cluster' is a required property", {}),
    Row('foreign_object', 400, BAD, "'cluster' is a required property", {'foo': 1}),
    Row('list', 400, BAD, 'the body [] must be an object', []),
    Row('number', 400, BAD, 'the body 7 must be an object', 7),
    Row('cluster_text', 400, BAD, "cluster 'x' must be an object", {'cluster': 'x'}),
    Row('all_missing', 400, BAD, "cluster 'name' is a required property; cluster 'datastore' is a required property; cluster 'instances'", {'cluster': {}}),
    Row('name_missing', 400, BAD, "cluster 'name' is a required", create_body(name=None)),
    Row('name_empty', 400, BAD, "['name'] '' must have 1 to 255", create_body(name='')),
    Row('name_long', 400, BAD, 'must have 1 to 255', create_body(name='x' * 256)),
    Row('name_blank', 400, BAD, 'a letter or digit', create_body(name='  ')),
    Row('name_signs', 400, BAD, 'a letter or digit', create_body(name='-_-')),
    Row('name_newline', 400, BAD, 'no control characters', create_body(name='a\nb')),
    Row('name_last_newline', 400, BAD, 'no control characters', create_body(name='ab\n')),
    Row('name_nul', 400, BAD, 'NUL', create_body(name='a\0b')),
    Row('name_surrogate', 400, BAD, 'half a surrogate', create_body(name='a\ud800')),
    Row('name_number', 400, BAD, "['name'] 5 must have", create_body(name=5)),
    Row('datastore_missing', 400, BAD, "'datastore' is a required", create_body(datastore=None)),
    Row('datastore_text', 400, BAD, "['datastore'] 'redis' must", create_body(datastore='redis')),
    Row('version_missing', 400, BAD, "'version' is a required", create_body(datastore={'type': 'redis'})),
    Row('type_missing', 400, BAD, "'type' is a required", create_body(datastore={'version': '3.0'})),
    Row('version_number', 400, BAD, "['version'] 3.0 must be", datastore('redis', 3.0)),
    Row('datastore_unknown', 404, 'itemNotFound', "Datastore 'nope' cannot be found.", datastore('nope', '3.0')),
    Row('version_unknown', 400, BAD, "Datastore version '9.9' cannot be found. Offered: 3.0, 7.0.15", datastore('redis', '9.9')),
    Row('instances_missing', 400, BAD, "'instances' is a required", create_body(instances=None)),
    Row('instances_empty', 400, BAD, 'at least one instance', create_body(instances=[])),
    Row('instances_object', 400, BAD, 'must be a list', create_body(instances={})),
    Row('instance_text', 400, BAD, f"{INSTANCE} 'x' must be an object", create_body(instances=['x'])),
    Row('too_many', 413, 'overLimit', 'at most 200 instances, 201 cannot', create_body(201)),
    Row('flavor_missing', 403, 'forbidden', 'A flavor is required for each instance in the cluster.', one(flavorRef=None)),
    Row('flavor_missing_last', 403, 'forbidden', 'A flavor is required', create_body(instances=[member_body(), {'volume': {'size': 2}}])),
    Row('flavor_null', 403, 'forbidden', 'A flavor is required', create_body(instances=[{'flavorRef': None, 'volume': {'size': 2}}])),
    Row('only_empty_members', 403, 'forbidden', 'A flavor is required', create_body(instances=[{}])),
    Row('flavor_empty', 400, BAD, "['flavorRef'] '' must be the id of a flavor", one(flavorRef='')),
    Row('flavor_bool', 400, BAD, "['flavorRef'] True must be", one(flavorRef=True)),
    Row('flavor_list', 400, BAD, "['flavorRef'] [1] must be", one(flavorRef=[1])),
    Row('flavor_negative', 400, BAD, "['flavorRef'] -1 must be", one(flavorRef=-1)),
    Row('flavor_huge', 400, BAD, "['flavorRef'] 1000", one(flavorRef=10**4000)),
    Row('flavor_unknown', 404, 'itemNotFound', 'Flavor 999 cannot be found.', all_alike(flavorRef='999')),
    Row('flavor_unknown_link', 404, 'itemNotFound', 'Flavor 77 cannot be found.', all_alike(flavorRef='http://x/v1.0/demo/flavors/77')),
    Row('flavors_mixed', 400, BAD, 'The flavor for each instance in a cluster must be the same.', one(flavorRef='1')),
    Row('volume_missing', 400, BAD, 'A volume size is required for each instance in the cluster.', one(volume=None)),
    Row('volume_empty', 400, BAD, "['volume'] 'size' is a required", one(volume={})),
    Row('volume_number', 400, BAD, "['volume'] 2 must be an object", one(volume=2)),
    Row('size_zero', 400, BAD, "['volume']['size'] 0 must be a whole number of GiB from 1 up", one(volume={'size': 0})),
    Row('size_negative', 400, BAD, "['size'] -1 must", one(volume={'size': -1})),
    Row('size_word', 400, BAD, "['size'] 'x' must", one(volume={'size': 'x'})),
    Row('size_zero_text', 400, BAD, "['size'] '00' must", one(volume={'size': '00'})),
    Row('size_newline', 400, BAD, "['size'] '2\\n' must", one(volume={'size': '2\n'})),
    Row('size_bool', 400, BAD, "['size'] True must", one(volume={'size': True})),
    Row('size_fraction', 400, BAD, "['size'] 2.5 must", one(volume={'size': 2.5})),
    Row('size_float', 400, BAD, "['size'] 2.0 must", one(volume={'size': 2.0})),
    Row('size_null', 400, BAD, "['size'] None must", one(volume={'size': None})),
    Row('size_beyond', 413, 'overLimit', "Volume 'size' cannot exceed maximum of 10 Gb, 11 cannot be accepted.", one(volume={'size': 11})),
    Row('size_beyond_text', 413, 'overLimit', '11 cannot be accepted', one(volume={'size': '11'})),
    Row('sizes_mixed', 400, BAD, 'The volume size for each instance in a cluster must be the same.', one(volume={'size': 3})),
    Row('volume_type', 400, BAD, "['volume']['type'] 'ssd' must be left out", one(volume={'size': 2, 'type': 'ssd'})),
    Row('nics', 400, BAD, f"{INSTANCE}['nics']", one(nics=[{'network_id': 'n'}])),
    Row('modules', 400, BAD, f"{INSTANCE}['modules']", one(modules=[{'id': 'm'}])),
    Row('zone', 400, BAD, f"{INSTANCE}['availability_zone'] 'nova' must be left out", one(availability_zone='nova')),
    Row('related_to', 400, BAD, f"{INSTANCE}['related_to']", one(related_to='other')),
    Row('member_name', 400, BAD, f"{INSTANCE}['name']", one(name='mine')),
    Row('member_configuration', 400, BAD, f"{INSTANCE}['configuration']", one(configuration='c')),
    Row('member_type', 400, BAD, f"{INSTANCE}['type'] 'query_router' must be 'member'", one(type='query_router')),
    Row('member_types', 400, BAD, f"{INSTANCE}['type'] ['replica'] must be 'member'", one(type=['replica'])),
    Row('region', 400, BAD, "Region 'Mars' cannot be found", one(region='Mars')),
    Row('region_name', 400, BAD, "Region 'Mars' cannot be found", one(region_name='Mars')),
    Row('region_number', 400, BAD, f"{INSTANCE}['region'] 5 must be a string", one(region=5)),
    Row('configuration', 400, BAD, 'Configuration groups not supported by the datastore', create_body(configuration='c')),
    Row('cluster_nics', 400, BAD, "cluster['nics']", create_body(nics=[{}])),
    Row('locality', 400, BAD, "'bogus' is an invalid locality. Must be one of ['affinity', 'anti-affinity']", create_body(locality='bogus')),
    Row('properties_list', 400, BAD, "['extended_properties'] [] must be an object of strings", create_body(extended_properties=[])),
    Row('properties_number', 400, BAD, "['extended_properties']['a'] 1 must be a string", create_body(extended_properties={'a': 1})),
    Row('properties_long', 400, BAD, 'at most 1024 characters', create_body(extended_properties={'a': 'x' * 1025})),
    Row('properties_many', 400, BAD, 'at most 100', create_body(extended_properties={str(n): '' for n in range(101)})),
    Row('properties_name', 400, BAD, 'names of at most 255', create_body(extended_properties={'x' * 256: ''})),
]  # fmt: skip

RAW = [
    Row('malformed', 400, BAD, 'Malformed request body: Expecting', raw=b'{"cluster": '),
    Row('no_utf8', 400, BAD, 'Malformed request body', raw=b'{"cluster": "\xff\xfe\xfa"}'),
    Row('nan', 400, BAD, 'NaN is no JSON number', raw=b'{"cluster": NaN}'),
    Row('infinity', 400, BAD, '-Infinity is no JSON number', raw=b'[-Infinity]'),
    Row('overflow', 400, BAD, '1e999 is out of range', raw=b'[1e999]'),
    Row('endless_number', 400, BAD, 'Malformed request body', raw=b'[' + b'9' * 5000 + b']'),
    Row('nested', 400, BAD, 'nested deeper than 20', raw=b'[' * 30 + b']' * 30),
    Row('nested_deep', 400, BAD, 'nested', raw=b'[' * 50000 + b']' * 50000),
    Row('nested_objects', 400, BAD, 'nested', raw=b'{"a":' * 9000 + b'1' + b'}' * 9000),
    Row('two_documents', 400, BAD, 'Extra data', raw=b'{}{}'),
    Row('nul_byte', 400, BAD, 'Malformed request body', raw=b'\x00'),
    Row('long', 413, 'overLimit', 'at most 114688 bytes', raw=b' ' * 114689),
    Row('form', 415, 'badMediaType', 'application/x-www-form-urlencoded', raw=b'a=b',
        options={'content_type': 'application/x-www-form-urlencoded'}),
    Row('text', 415, 'badMediaType', "'text/plain'", raw=b'{}',
        options={'content_type': 'text/plain; charset=utf-8'}),
    Row('xml', 415, 'badMediaType', 'application/json', raw=b'<a/>',
        options={'content_type': 'application/xml'}),
]  # fmt: skip

ONE = 'clusters/{cluster}'
ACTIONS = [
    Row('action_none', 400, BAD, 'exactly one action', {}, ONE),
    Row('action_empty', 400, BAD, 'exactly one action', None, ONE),
    Row('action_list', 400, BAD, 'exactly one action', [], ONE),
    Row('action_two', 400, BAD, 'exactly one action', {'grow': [], 'shrink': []}, ONE),
    Row('action_unknown', 400, BAD, 'Action foo not supported; use grow, shrink or reset-status.', {'foo': {}}, ONE),
    Row('action_restart', 400, BAD, 'Action restart not supported', {'restart': {}}, ONE),
    Row('action_upgrade', 400, BAD, 'Action upgrade not supported', {'upgrade': {}}, ONE),
    Row('grow_empty', 400, BAD, 'grow [] must be a list of at least one', {'grow': []}, ONE),
    Row('grow_null', 400, BAD, 'grow None must be a list', {'grow': None}, ONE),
    Row('grow_object', 400, BAD, 'grow {} must be a list', {'grow': {}}, ONE),
    Row('grow_size', 400, BAD, "grow[0]['volume']['size'] 'x' must", {'grow': [member_body(size='x')]}, ONE),
    Row('grow_no_flavor', 403, 'forbidden', 'A flavor is required', {'grow': [{'volume': {'size': 2}}]}, ONE),
    Row('grow_unknown_flavor', 404, 'itemNotFound', 'Flavor 9 cannot', {'grow': [member_body('9')]}, ONE),
    Row('grow_other_flavor', 400, BAD, 'The flavor for each', {'grow': [member_body('1')]}, ONE),
    Row('grow_other_size', 400, BAD, 'The volume size for each', {'grow': [member_body(size=1)]}, ONE),
    Row('grow_mixed', 400, BAD, 'The flavor for each', {'grow': [member_body(), member_body('3')]}, ONE),
    Row('grow_no_volume', 400, BAD, 'A volume size is required', {'grow': [{'flavorRef': '2'}]}, ONE),
    Row('grow_beyond', 413, 'overLimit', 'at most 200 instances, 201', {'grow': [member_body()] * 198}, ONE),
    Row('grow_nics', 400, BAD, "grow[0]['nics']", {'grow': [member_body(nics=[1])]}, ONE),
    Row('grow_missing', 404, 'itemNotFound', 'Cluster nope cannot be found.', {'grow': [member_body()]}, 'clusters/nope'),
    Row('grow_busy', 422, 'unprocessableEntity', "while the current cluster task is 'BUILDING'", {'grow': [member_body()]}, 'clusters/{busy}'),
    Row('shrink_empty', 400, BAD, 'shrink [] must be a list', {'shrink': []}, ONE),
    Row('shrink_text', 400, BAD, "shrink[0] 'x' must be an object", {'shrink': ['x']}, ONE),
    Row('shrink_no_id', 400, BAD, "shrink[0] 'id' is a required", {'shrink': [{}]}, ONE),
    Row('shrink_odd_id', 400, BAD, "shrink[0]['id'] 'x' must be the id", {'shrink': [{'id': 'x'}]}, ONE),
    Row('shrink_id_newline', 400, BAD, 'must be the id', {'shrink': [{'id': NOWHERE + '\n'}]}, ONE),
    Row('shrink_unknown', 404, 'itemNotFound', f'Instance {NOWHERE} does not exist.', {'shrink': [{'id': NOWHERE}]}, ONE),
    Row('shrink_foreign', 404, 'itemNotFound', 'Instance {stranger} does not exist.', {'shrink': [{'id': '{stranger}'}]}, ONE),
    Row('shrink_twice', 400, BAD, 'named twice', {'shrink': [{'id': '{member}'}, {'id': '{member}'}]}, ONE),
    Row('shrink_all', 400, BAD, 'cannot be shrunk to nothing', {'shrink': [{'id': '{member}'}, {'id': '{second}'}, {'id': '{third}'}]}, ONE),
    Row('shrink_holding', 403, 'forbidden', "Instance(s) ['{third}'] currently in use and cannot be deleted. Details: Nodes cannot be removed. Check slots.", {'shrink': [{'id': '{third}'}]}, ONE),
    Row('shrink_silent', 503, 'serviceUnavailable', "Instance(s) ['{second}'] did not answer", {'shrink': [{'id': '{member}'}, {'id': '{second}'}]}, ONE),
    Row('shrink_missing', 404, 'itemNotFound', 'Cluster nope cannot be found.', {'shrink': [{'id': NOWHERE}]}, 'clusters/nope'),
    Row('shrink_busy', 422, 'unprocessableEntity', "task is 'BUILDING'", {'shrink': [{'id': NOWHERE}]}, 'clusters/{busy}'),
    Row('delete_missing', 404, 'itemNotFound', 'Cluster nope cannot be found.', None, 'clusters/nope', 'DELETE'),
    Row('delete_busy', 422, 'unprocessableEntity', "task is 'BUILDING'", None, 'clusters/{busy}', 'DELETE'),
    Row('root_busy', 422, 'unprocessableEntity', "task is 'BUILDING'", None, 'clusters/{busy}/root'),
    Row('root_missing', 404, 'itemNotFound', 'Cluster nope', None, 'clusters/nope/root'),
    Row('root_short', 400, BAD, "password must have 8 to 512", {'password': 'short'}, ONE + '/root'),
    Row('root_blank', 400, BAD, 'no spaces', {'password': 'pass word 1'}, ONE + '/root'),
    Row('root_user_short', 400, BAD, "user['password'] must", {'user': {'password': 'short'}}, ONE + '/root'),
    Row('root_name', 400, BAD, "must be 'default'", {'user': {'name': 'bob'}}, ONE + '/root'),
    Row('root_list', 400, BAD, 'the body [1] must be', [1], ONE + '/root'),
    Row('root_off_missing', 404, 'itemNotFound', 'Cluster nope', None, 'clusters/nope/root', 'DELETE'),
    Row('root_instance_missing', 404, 'itemNotFound', 'Instance nope', None, 'instances/nope/root'),
]  # fmt: skip

READS = [
    Row('cluster', 404, 'itemNotFound', 'Cluster nope cannot be found.', path='clusters/nope'),
    Row('cluster_instance', 404, 'itemNotFound', 'Instance nope cannot be found.', path='clusters/{cluster}/instances/nope'),
    Row('instance_of_other', 404, 'itemNotFound', 'Instance {stranger} cannot be found.', path='clusters/{cluster}/instances/{stranger}'),
    Row('instance', 404, 'itemNotFound', 'Instance nope cannot be found.', path='instances/nope'),
    Row('flavor', 404, 'itemNotFound', 'Flavor nope cannot be found.', path='flavors/nope'),
    Row('operation', 404, 'itemNotFound', 'Operation nope cannot be found.', path='operations/nope'),
    Row('datastore', 404, 'itemNotFound', "Datastore 'nope' cannot be found.", path='datastores/nope'),
    Row('versions', 404, 'itemNotFound', "Datastore 'nope'", path='datastores/nope/versions'),
    Row('version', 404, 'itemNotFound', "Datastore version '9' cannot be found.", path='datastores/redis/versions/9'),
    Row('version_by_id', 404, 'itemNotFound', "Datastore version '9'", path='datastores/versions/9'),
    Row('unroutable', 404, 'itemNotFound', 'The resource could not be found.', path='nope'),
    Row('nul_in_path', 400, BAD, 'NUL', path='clusters/a%00b'),
    Row('nul_in_query', 400, BAD, 'NUL', path='clusters', options={'query_string': 'marker=%00'}),
    Row('limit_zero', 400, BAD, "limit '0' must be", options={'query_string': 'limit=0'}),
    Row('limit_negative', 400, BAD, "limit '-1'", options={'query_string': 'limit=-1'}),
    Row('limit_word', 400, BAD, "limit 'abc'", options={'query_string': 'limit=abc'}),
    Row('limit_empty', 400, BAD, "limit ''", options={'query_string': 'limit='}),
    Row('limit_fraction', 400, BAD, "limit '1.5'", options={'query_string': 'limit=1.5'}),
    Row('limit_wide_digit', 400, BAD, 'limit', options={'query_string': 'limit=%EF%BC%95'}),
    Row('limit_endless', 400, BAD, 'limit', options={'query_string': 'limit=' + '9' * 5000}),
    Row('instances_limit', 400, BAD, "limit 'abc'", path='instances', options={'query_string': 'limit=abc'}),
    Row('include_clustered', 400, BAD, 'must be True or False', path='instances', options={'query_string': 'include_clustered=maybe'}),
    Row('operations_limit', 400, BAD, "limit 'x'", path='clusters/{cluster}/operations', options={'query_string': 'limit=x'}),
]  # fmt: skip

METHODS = [
    Row('put', 405, 'badMethod', 'not allowed', method='PUT'),
    Row('delete_all', 405, 'badMethod', 'not allowed', method='DELETE'),
    Row('get_action', 405, 'badMethod', 'not allowed', method='GET', path='clusters/{cluster}/action'),
    Row('post_flavors', 405, 'badMethod', 'not allowed', path='flavors', body={}),
]  # fmt: skip


class RefusalTest(RefusalCase):
    """A table each."""

    def test_create(self) -> None:
        self.check_rows(CREATE)

    def test_raw_bodies(self) -> None:
        self.check_rows(RAW)
        self.check_rows([r._replace(path='clusters/{cluster}/action') for r in RAW])

    def test_actions(self) -> None:
        self.check_rows(ACTIONS)

    def test_actions_at_their_own_url(self) -> None:
        rows = [r for r in ACTIONS if r.method == 'POST' and not r.path.endswith('/root')]
        self.check_rows([row._replace(path=row.path + '/action') for row in rows])

    def test_reads(self) -> None:
        self.check_rows(READS, method='GET')

    def test_methods(self) -> None:
        self.check_rows(METHODS)

    def test_a_wrong_password_is_not_repeated(self) -> None:
        answer = self.call(
            'POST', 'clusters', self.names['cluster'], 'root', body={'password': 'SHORT'}
        )
        self.assertNotIn('SHORT', answer.text)

    def test_many_wrong_things_are_named_in_a_short_answer(self) -> None:
        answer = self.call('POST', 'clusters', body=create_body(instances=[1] * 5000))
        self.assert_refused(answer, 400, BAD, 'and more')
        self.assertLess(len(answer.text), 1000)

    def test_foreign_projects_see_nothing(self) -> None:
        names = dict(self.names)
        before = self.row_counts()
        self.project = 'other'
        for method, path, body in (
            ('GET', 'clusters/{cluster}', None),
            ('DELETE', 'clusters/{cluster}', None),
            ('POST', 'clusters/{cluster}', {'grow': [member_body()]}),
            ('POST', 'clusters/{cluster}', {'shrink': [{'id': names['member']}]}),
            ('POST', 'clusters/{cluster}/root', None),
            ('GET', 'clusters/{cluster}/root', None),
            ('GET', 'clusters/{cluster}/operations', None),
            ('GET', 'clusters/{cluster}/instances/{member}', None),
            ('GET', 'instances/{member}', None),
            ('DELETE', 'instances/{member}/root', None),
        ):
            with self.row(f'{method} {path}'):
                answer = self.call(method, self.fill(path), body=body)
                self.assert_refused(answer, 404, 'itemNotFound', 'cannot be found')
        self.assertEqual([], self.call('GET', 'clusters').json['clusters'])
        self.assertEqual(before, self.row_counts())

    def test_pages_of_other_sites(self) -> None:
        headers = {'Host': 'localhost:8779'}
        for origin in ('http://evil.example', 'http://localhost:80', 'null'):
            headers['Origin'] = origin
            answer = self.call('POST', 'clusters', body=create_body(1), headers=headers)
            self.assert_refused(answer, 403, 'forbidden', 'other sites')
        headers['Origin'] = 'http://localhost:8779'
        answer = self.call('POST', 'clusters', body=create_body(1), headers=headers)
        self.assertEqual(202, answer.status_code)

    def test_odd_projects(self) -> None:
        for project in ('a%20b', 'x' * 256, '%C3%A4', '%00'):
            with self.row(project):
                self.project = project
                answer = self.call('GET', 'clusters')
                self.assert_refused(answer, 400, BAD, 'URL')


class SwitchedOffTest(ApiTestCase):
    """Rules that depend on the configuration."""

    def check(self, body: Any, status: int, name: str, message: str, *path: str) -> None:
        before = self.row_counts()
        self.assert_refused(
            self.call('POST', *(path or ('clusters',)), body=body), status, name, message
        )
        self.assertEqual(before, self.row_counts())

    def test_no_local_storage(self) -> None:
        self.client = self.build(redis_volume_support=False)
        message = 'Local storage not specified in flavor ID: 1.'
        self.check(create_body(instances=[{'flavorRef': '1'}] * 3), 403, 'forbidden', message)
        self.check(create_body(instances=[member_body('1')] * 3), 403, 'forbidden', message)

    def test_volume_while_there_are_none(self) -> None:
        self.client = self.build(redis_volume_support=False)
        message = 'Volume support is not enabled.'
        body = create_body(instances=[member_body('3')] * 3)
        self.check(body, 501, 'notImplemented', message)

    def test_ephemeral_disk_instead_of_a_volume(self) -> None:
        self.client = self.build(redis_volume_support=False)
        body = create_body(instances=[{'flavorRef': '3'}] * 3)
        answer = self.call('POST', 'clusters', body=body)
        self.assertEqual(202, answer.status_code)
        self.assertNotIn('volume', answer.json['cluster']['instances'][0])

    def test_no_cluster_support(self) -> None:
        cluster = self.create_active(3)
        self.client = self.build(redis_cluster_support=False)
        message = 'Clusters not supported for redis-3.0.'
        one = ('clusters', cluster['id'])
        shrink = {'shrink': [{'id': cluster['instances'][0]['id']}]}
        self.check(create_body(3), 501, 'notImplemented', message)
        self.check({'grow': [member_body()]}, 501, 'notImplemented', message, *one)
        self.check(shrink, 501, 'notImplemented', message, *one)
        self.check({}, 501, 'notImplemented', message, *one, 'root')
        self.assertEqual(200, self.call('GET', *one).status_code)
        self.assertEqual(202, self.call('DELETE', *one).status_code)
