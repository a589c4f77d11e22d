"""Logging in, and what a caller may then do."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import fixtures
from falcon import inspect, testing

from api.auth import guard, userfile
from api.database import unserved
from api.policy import list_rules
from slotwright.loading import InvalidConfiguration
from tests.unit.api_fixture import ApiTestCase, create_body

PASSWORD = 'correct horse'
# Of PASSWORD, cheaper than what is written by ourselves (2**4 rounds).
HASH = '$2b$04$KFw9hhclJzPuvYV7n8okx..KIdCf20SskS/7qCGasvNexagrVMcRu'
USERS = f"""# people
alice:{HASH}:acme,lab:member
bob:{HASH}:other:member
root:{HASH}:*:admin
"""


def basic(user: str, password: str = PASSWORD) -> dict[str, str]:
    encoded = base64.b64encode(f'{user}:{password}'.encode()).decode()
    return {'Authorization': f'Basic {encoded}'}


class LoginCase(ApiTestCase):
    project = 'acme'

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path, 'users')
        self.path.write_text(USERS)

    def basic(self) -> None:
        self.client = self.build(api_auth_strategy='http_basic', api_user_file=str(self.path))

    def status(self, headers: dict[str, str], path: str = 'clusters') -> int:
        return self.call('GET', path, headers=headers).status_code


class BasicTest(LoginCase):
    def setUp(self) -> None:
        super().setUp()
        self.basic()

    def test_without_a_login(self) -> None:
        for headers in (
            {},
            {'Authorization': 'Bearer x'},
            {'Authorization': 'Basic !!'},
            {'Authorization': 'Basic \xc3\xa9'},
            {'Authorization': 'Basic'},
            {'Authorization': 'Basic ' + 'A' * 20_000},
            {'Authorization': 'Basic ' + base64.b64encode(b'no colon').decode()},
            {'Authorization': 'Basic ' + base64.b64encode(b'\xff:\xff').decode()},
            {'X-Auth-Token': 'x'},
            basic('alice', 'wrong'),
            basic('alice', PASSWORD + '\0'),
            basic('alice', 'x' * 100),
            basic('alice', ''),
            basic('nobody'),
            basic(''),
        ):
            with self.row(str(headers)):
                answer = self.call('GET', 'clusters', headers=headers)
                self.assert_refused(answer, 401, 'unauthorized', '')
                self.assertIn('Basic', answer.headers['WWW-Authenticate'])

    def test_a_user_is_let_into_its_projects_only(self) -> None:
        self.assertEqual(200, self.status(basic('alice')))
        self.project = 'lab'
        self.assertEqual(200, self.status(basic('alice')))
        self.project = 'other'
        answer = self.call('GET', 'clusters', headers=basic('alice'))
        self.assert_refused(answer, 403, 'forbidden', 'Operation not allowed for tenant other.')

    def test_more_than_one_space_before_the_login(self) -> None:
        header = basic('alice')['Authorization'].replace(' ', '   ')
        self.assertEqual(200, self.status({'Authorization': header}))

    def test_identity_headers_are_lies(self) -> None:
        lies = {
            'X-Roles': 'admin',
            'X-User-Id': 'root',
            'X-Project-Id': 'other',
            'X-Identity-Status': 'Confirmed',
            'X-Tenant-Id': 'other',
        }
        self.assertEqual(401, self.status(lies))
        self.assertEqual(403, self.status({**lies, **basic('bob')}))
        seen: list[str] = []

        class Look:
            def process_resource(self, req: Any, *_: Any) -> None:
                seen.extend(name for name in req.env if name.startswith(('HTTP_X_R', 'HTTP_X_I')))

        app: Any = self.client.app
        app._app.add_middleware(Look())
        self.status({**lies, **basic('alice')})
        self.assertEqual([], seen)

    def test_health_and_versions_are_open(self) -> None:
        for path in ('/', '/v1.0', '/v1.0/', '/healthcheck'):
            with self.row(path):
                self.assertEqual(200, self.client.simulate_get(path).status_code)
        for path in ('/v1.0/acme', '/healthcheck/x', '/metrics', '/v1.0/acme/nothing'):
            with self.row(path):
                self.assertEqual(401, self.client.simulate_get(path).status_code)

    def test_too_many_logins_are_asked_to_come_again(self) -> None:
        self.client = self.build(
            api_auth_strategy='http_basic', api_user_file=str(self.path), api_threads=1
        )
        hold, held = threading.Event(), threading.Event()
        self.addCleanup(hold.set)

        def slow(_password: bytes, _hashed: bytes) -> bool:
            held.set()
            return not hold.wait(60)

        self.useFixture(fixtures.MonkeyPatch('bcrypt.checkpw', slow))
        guess = threading.Thread(target=self.status, args=(basic('bob', 'a guess'),))
        guess.start()
        held.wait(60)
        refused = self.call('GET', 'clusters', headers=basic('alice'))
        self.assert_refused(refused, 503, 'serviceUnavailable', 'Too many log in at once')
        self.assertEqual('1', refused.headers['Retry-After'])
        hold.set()
        guess.join()

    def test_a_changed_file_holds_at_once(self) -> None:
        self.assertEqual(200, self.status(basic('alice')))
        userfile.put(str(self.path), 'alice', 'acme', 'member', 'another password')
        self.assertEqual(401, self.status(basic('alice')))
        self.assertEqual(200, self.status(basic('alice', 'another password')))
        self.assertIn('# people\n', self.path.read_text())
        userfile.remove(str(self.path), 'alice')
        self.assertEqual(401, self.status(basic('alice', 'another password')))

    def test_a_file_that_went_bad_locks_nobody_out(self) -> None:
        self.path.write_text('nonsense\n')
        self.assertEqual(200, self.status(basic('alice')))
        self.assertIn('line 1', self.log.output)

    def test_no_password_in_the_log(self) -> None:
        self.status(basic('alice'))
        self.status(basic('alice', 'a wrong secret'))
        self.assertNotIn(PASSWORD, self.log.output)
        self.assertNotIn('a wrong secret', self.log.output)

    def test_the_log_tells_who_asked(self) -> None:
        self.status(basic('alice'))
        self.assertIn("- alice GET '/v1.0/acme/clusters' -> 200", self.log.output)
        self.status(basic('alice', 'a wrong secret'))
        self.assertIn("- - GET '/v1.0/acme/clusters' -> 401", self.log.output)

    def test_what_is_foreign_cannot_be_found(self) -> None:
        """Every route with an id in it, asked by another project for one that exists."""
        cluster = self.client.simulate_post(
            '/v1.0/other/clusters',
            body=json.dumps(create_body(2)),
            headers={**basic('bob'), 'Content-Type': 'application/json'},
        ).json['cluster']
        ids = {
            'cluster_id': cluster['id'],
            'instance_id': cluster['instances'][0]['id'],
            'operation_id': cluster['operation']['id'],
        }
        bodies = {'action': {'grow': [{'flavorRef': '1', 'volume': {'size': 1}}]}}
        tried = 0
        for method, template in routes(self.client):
            path = template.removeprefix('/v1.0/{tenant_id}/')
            if '_id}' not in path or path.startswith(('mgmt', 'flavors', 'projects', '/')):
                continue
            body = bodies.get(path.rpartition('/')[2], bodies['action'])
            with self.row(f'{method} {path}'):
                answer = self.call(
                    method,
                    path.format_map({**ids, 'name': 'x', 'database': 'x'}),
                    body=body if method in ('POST', 'PUT', 'PATCH') else None,
                    headers=basic('alice'),
                )
                self.assertEqual(404, answer.status_code, answer.text)
                tried += 1
        self.assertLess(15, tried)


class TokenTest(LoginCase):
    def test_the_token_opens_every_project(self) -> None:
        self.client = self.build(api_auth_strategy='admin_token', api_admin_token='s3cret')
        for sent, status in (('s3cret', 200), ('s3creT', 401), ('', 401), ('s3cret\xe9', 401)):
            with self.row(sent):
                self.assertEqual(status, self.status({'X-Auth-Token': sent}))
        self.assertEqual(401, self.status({}))
        self.assertEqual(200, self.status({'X-Auth-Token': 's3cret'}, 'mgmt/quotas/any'))

    def test_a_token_that_nobody_could_send(self) -> None:
        for token in (' ', 'token ', 'two words', 'a\ttab', 'schlüssel'):
            error = self.assertRaises(
                InvalidConfiguration,
                self.build,
                api_auth_strategy='admin_token',
                api_admin_token=token,
            )
            self.assertIn('printable ASCII without spaces', str(error))

    def test_a_strategy_without_its_option(self) -> None:
        for strategy in ('admin_token', 'http_basic'):
            error = self.assertRaises(InvalidConfiguration, self.build, api_auth_strategy=strategy)
            self.assertIn(f'auth_strategy is {strategy}: set [api]', str(error))


class PolicyTest(LoginCase):
    def test_what_only_operators_may(self) -> None:
        self.basic()
        cluster = self.call('POST', 'clusters', body=create_body(2), headers=basic('alice')).json[
            'cluster'
        ]
        for method, path, body, rule in (
            ('GET', 'mgmt/instances', None, 'instance:index_all'),
            ('GET', 'mgmt/quotas/acme', None, 'quota:show'),
            ('PUT', 'mgmt/quotas/acme', {'quotas': {'instances': 99}}, 'quota:update'),
            (
                'POST',
                f'clusters/{cluster["id"]}',
                {'reset-status': {}},
                'cluster:reset-status',
            ),
            (
                'POST',
                f'clusters/{cluster["id"]}/action',
                {'reset-status': {'force_delete': False}},
                'cluster:reset-status',
            ),
        ):
            before = self.row_counts()
            with self.row(f'{method} {path}'):
                answer = self.call(method, path, body=body, headers=basic('alice'))
                self.assert_refused(
                    answer, 403, 'forbidden', f"Policy doesn't allow {rule} to be performed."
                )
                self.assertEqual(before, self.row_counts())
                answer = self.call(method, path, body=body, headers=basic('root'))
                self.assertIn(answer.status_code, (200, 202), answer.text)

    def test_numbers_of_all_projects_are_for_operators(self) -> None:
        self.basic()
        refused = self.client.simulate_get('/metrics', headers=basic('alice'))
        self.assert_refused(refused, 403, 'forbidden', "doesn't allow metrics:show")
        scraped = self.client.simulate_get('/metrics', headers=basic('root'))
        self.assertEqual(200, scraped.status_code)

    def test_an_owner_may_force_a_delete(self) -> None:
        self.basic()
        cluster = self.call('POST', 'clusters', body=create_body(2), headers=basic('alice')).json[
            'cluster'
        ]
        answer = self.call(
            'POST',
            'clusters',
            cluster['id'],
            body={'reset-status': {'force_delete': True}},
            headers=basic('alice'),
        )
        self.assertEqual(202, answer.status_code, answer.text)

    def test_every_route_has_a_rule(self) -> None:
        named = guard.index()
        prefix = '/v1.0/{tenant_id}/'
        without = {prefix + path for path, _ in (*unserved.LISTS, *unserved.ITEMS)} | {
            f'{prefix}instances/{{instance_id}}/{path}' for path, _ in unserved.OF_INSTANCE
        }
        found = set(routes(self.client))
        for method, template in found:
            if template.startswith(prefix) and template not in without:
                self.assertIn(
                    (method, template), named, 'add it to the operations of a rule in api/policy'
                )
        self.assertEqual(set(), set(named) - found, 'rules of routes that are not there')

    def test_every_rule_is_told_what_it_is_for(self) -> None:
        names = [rule.name for rule in list_rules()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([], [rule.name for rule in list_rules() if not rule.description])


class RateTest(ApiTestCase):
    def test_each_project_has_its_own(self) -> None:
        self.client = self.build(api_read_rate=3, api_write_rate=1)
        # A new minute may begin in between once, but not twice.
        statuses = [self.call('GET', 'clusters').status_code for _ in range(8)]
        self.assertIn(413, statuses)
        self.project = 'other'
        self.assertEqual(200, self.call('GET', 'clusters').status_code)
        answers = [self.call('POST', 'clusters', body=create_body(1)) for _ in range(3)]
        self.assertIn(202, [answer.status_code for answer in answers])
        refused = next(answer for answer in answers if answer.status_code == 413)
        self.assert_refused(refused, 413, 'overLimit', 'too many POST requests; try again in')
        self.assertLess(0, int(refused.headers['Retry-After']))
        self.assertGreaterEqual(60, int(refused.headers['Retry-After']))


def routes(client: testing.TestClient) -> list[tuple[str, str]]:
    """(method, template) of all that is served, but what the framework answers by itself."""
    app: Any = client.app
    return [
        (method.method, route.path)
        for route in inspect.inspect_routes(app._app)
        for method in route.methods
        if method.method not in ('OPTIONS', 'HEAD') and not method.internal
    ]
