"""That the schemas of bodies are schemas; nobody looks when they are loaded."""

from jsonschema import Draft202012Validator

import api.backups.schemas
import api.messaging.schemas
import api.schemas
from api.schemas import Schema
from tests.base import TestCase


class SchemasTest(TestCase):
    def test_all_are_schemas(self) -> None:
        modules = (api.schemas, api.backups.schemas, api.messaging.schemas)
        found = [one for module in modules for one in vars(module).values()]
        schemas = [one for one in found if isinstance(one, Schema)]
        self.assertGreater(len(schemas), 20)
        for schema in schemas:
            Draft202012Validator.check_schema(schema.document)
