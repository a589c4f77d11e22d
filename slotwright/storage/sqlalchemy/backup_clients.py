"""Clients in SQL."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Client
from slotwright.domain.errors import Conflict
from slotwright.domain.search import EVERYTHING, Search
from slotwright.storage.backups import PAGE
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import clients, job_attachments
from slotwright.storage.sqlalchemy.transactions import Transactional, reads, writes


def _named(*columns: Any) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """The project's own client of an id, and the one of all."""
    named = (
        sa.select(*columns)
        .where(clients.c.id == sa.bindparam('client'), clients.c.deleted == 0)
        .order_by(clients.c.seq)
        .limit(1)
    )
    return (
        named.where(clients.c.project_id == sa.bindparam('project')),
        named.where(clients.c.is_central),
    )


_FIND = _named(clients)
# Made once, and of what is needed only: each job that is made asks for its client, and to read
# a column is dearer than to read its values.
_FIND_LOCKED = tuple(
    query.with_for_update(read=True)
    for query in _named(clients.c.seq, clients.c.id, clients.c.supported)
)


class Clients(Transactional):
    """See ``slotwright.storage.backups.ClientsStore``."""

    @reads
    def list(
        self,
        conn: sa.Connection,
        project_id: str,
        search: Search = EVERYTHING,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Sequence[Client]:
        query = rows.page(sa.select(clients), clients, None, search, limit, offset)
        return [read(row) for row in conn.execute(query.where(seen(project_id))).mappings()]

    @reads
    def get(self, conn: sa.Connection, project_id: str, client_id: str) -> Client:
        found = find(conn, project_id, client_id)
        if found is None:
            raise rows.missing(clients, client_id)
        return read(found)

    def create(self, client: Client) -> None:
        try:
            self._create(client)
        except db_exception.DBDuplicateEntry as error:
            raise Conflict(
                f'Document already existing: client {client.id!r} is registered.'
            ) from error

    @writes
    def _create(self, conn: sa.Connection, client: Client) -> None:
        values = {
            'id': client.id,
            'project_id': client.project_id,
            'user_id': client.user_id,
            'uuid': client.uuid,
            'hostname': client.hostname,
            'description': client.description,
            'config_id': client.config_id,
            'is_central': client.is_central,
            'supported': {name: list(able) for name, able in client.supported.items()},
        }
        seq = rows.insert(conn, self.clock, clients, values)
        rows.index(conn, clients, seq, client.project_id, documents.of_client(client), None)
        gone = conn.scalars(
            sa.select(clients.c.seq)
            .where(seen(client.project_id), clients.c.id == client.id, clients.c.deleted != 0)
            .where(sa.exists().where(job_attachments.c.client == clients.c.seq))
        ).all()
        moved = sa.update(job_attachments).where(job_attachments.c.client.in_(gone))
        if not client.is_central:
            moved = moved.where(job_attachments.c.project_id == client.project_id)
        if gone:
            conn.execute(moved.values(client=seq))

    @writes
    def delete(self, conn: sa.Connection, project_id: str, client_id: str) -> None:
        row = rows.lock(conn, clients, project_id, client_id)
        if row is None:
            raise rows.missing(clients, client_id)
        rows.remove(conn, self.clock, clients, row)


def seen(project_id: str) -> sa.ColumnElement[bool]:
    """That a client is the project's, or everybody's."""
    return sa.or_(clients.c.project_id == project_id, clients.c.is_central)


def find(conn: sa.Connection, project_id: str, client_id: str) -> rows.Row | None:
    """The row of a client that the project sees; its own one before one of all."""
    return _first(conn, _FIND, project_id, client_id)


def lock(conn: sa.Connection, project_id: str, client_id: str) -> rows.Row | None:
    """``seq``, ``id`` and ``supported`` of the same client, which nobody deletes until the
    transaction ends.
    """
    return _first(conn, _FIND_LOCKED, project_id, client_id)


def _first(
    conn: sa.Connection, queries: Sequence[sa.Select[Any]], project_id: str, client_id: str
) -> rows.Row | None:
    if rows.is_padded(client_id):
        return None
    for query in queries:
        row = conn.execute(query, {'project': project_id, 'client': client_id}).mappings().first()
        if row is not None:
            return row
    return None


def read(row: rows.Row) -> Client:
    return Client(
        row['id'],
        row['project_id'],
        row['user_id'],
        row['uuid'],
        row['hostname'],
        row['description'],
        row['config_id'],
        row['is_central'],
        {name: tuple(able) for name, able in row['supported'].items()},
        row['version'],
    )
