"""Tables of refused requests, and what is checked of each."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from slotwright.domain.errors import GuestSilent
from tests.unit.api_fixture import ApiTestCase, create_body, member_body

BAD = 'badRequest'
NOWHERE = '11111111-2222-4333-8444-555555555555'
INSTANCE = "cluster['instances'][0]"


class Row(NamedTuple):
    """One refused request; ``{cluster}`` and ``{member}`` in its path are filled in."""

    name: str
    status: int
    envelope: str
    message: str
    body: Any = None
    path: str = 'clusters'
    method: str = 'POST'
    options: Mapping[str, Any] = MappingProxyType({})
    raw: bytes | None = None


def one(**member: Any) -> dict[str, Any]:
    """A create of three nodes, the first of them changed; None leaves a member out."""
    first = {k: v for k, v in {**member_body(), **member}.items() if v is not None}
    return create_body(instances=[first, member_body(), member_body()])


def all_alike(**member: Any) -> dict[str, Any]:
    first = {k: v for k, v in {**member_body(), **member}.items() if v is not None}
    return create_body(instances=[first, first])


def datastore(kind: Any, version: Any) -> dict[str, Any]:
    return create_body(datastore={'type': kind, 'version': version})


class RefusalCase(ApiTestCase):
    """Checks tables; the state of the database is the same before and after every row."""

    def setUp(self) -> None:
        super().setUp()
        cluster = self.create_active(3)
        members = [instance['id'] for instance in cluster['instances']]
        stranger = self.create_active(2, 'other')['instances'][0]['id']
        self.names = {
            'cluster': cluster['id'],
            'member': members[0],
            'second': members[1],
            'third': members[2],
            'stranger': stranger,
            'busy': self.create(1, 'busy')['id'],
        }
        self.guests.holding.add(members[2])
        self.guests.failing[members[1]] = GuestSilent('no answer')

    def fill(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace('{' + name + '}', value)
        return text

    def check_rows(self, rows: list[Row], method: str | None = None) -> None:
        before, casts = self.row_counts(), len(self.taskmanager.casts)
        for row in rows:
            with self.row(row.name):
                raw = row.raw
                if row.body is not None:
                    raw = self.fill(json.dumps(row.body)).encode()
                path = self.fill(row.path)
                answer = self.call(method or row.method, path, raw=raw, **row.options)
                self.assert_refused(answer, row.status, row.envelope, self.fill(row.message))
                self.assertEqual(before, self.row_counts())
                self.assertEqual(casts, len(self.taskmanager.casts))
