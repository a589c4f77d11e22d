"""The description of the API: whole, valid, and what the routes are.

That answers are as it says is checked in every other test, see ``tests.openapi``.
"""

import json

import falcon.inspect
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.auth import guard
from tests.unit.api_fixture import ApiTestCase


class OpenApiTest(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        answer = self.client.simulate_get('/openapi.json')
        self.assertEqual(
            (200, 'application/json'), (answer.status_code, answer.headers['content-type'])
        )
        self.document = answer.json
        self.described = {
            (method.upper(), path)
            for path, methods in self.document['paths'].items()
            for method in methods
            if method != 'parameters'
        }

    def test_it_is_valid(self) -> None:
        errors = list(OpenAPIV31SpecValidator(self.document).iter_errors())
        self.assertEqual([], [error.message for error in errors])

    def test_it_has_every_route_and_no_other(self) -> None:
        routes = falcon.inspect.inspect_routes(self.client.app._app)
        served = {
            (method.method, route.path)
            for route in routes
            for method in route.methods
            if not method.internal
        }
        self.assertEqual(served, self.described)

    def test_every_rule_is_for_what_it_has(self) -> None:
        self.assertEqual(set(), set(guard.index()) - self.described)

    def test_names_are_given_once(self) -> None:
        names = [
            operation['operationId']
            for methods in self.document['paths'].values()
            for method, operation in methods.items()
            if method != 'parameters'
        ]
        self.assertEqual(len(names), len(set(names)))

    def test_its_expressions_are_portable(self) -> None:
        self.assertNotIn(r'\\Z', json.dumps(self.document))
