"""One method of one route, as the document has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.openapi.answers import Schema

PREFIX = '/v1.0/{tenant_id}'


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route.

    :param path: below ``PREFIX`` when it does not begin with a slash.
    :param answers: schema of the body by HTTP status; every other status is a refusal.
    :param query: schemas of parameters by name; none of them is required.
    :param body: schema of the request's body; None when there is none.
    :param streams: whether the answer can be had as a live stream.
    :param error: the component that refusals are.
    """

    method: str
    path: str
    id: str
    summary: str
    answers: Mapping[int, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_required: bool = True
    media_type: str = 'application/json'
    error: str = 'Error'
    streams: bool = False

    @property
    def route(self) -> str:
        return self.path if self.path.startswith('/') else f'{PREFIX}/{self.path}'


def body_of(operation: Operation) -> dict[str, Any] | None:
    """The request's body as the document has it."""
    if operation.body is None:
        return None
    content = {'application/json': {'schema': operation.body}}
    return {'required': operation.body_required, 'content': content}
