"""The description of the REST API that ``/openapi.json`` serves (OpenAPI 3.1)."""
