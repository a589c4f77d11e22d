"""What the parts of the backup store do alike with their rows, and the terms of searches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from slotwright.domain.errors import Conflict, NotFound
from slotwright.domain.search import Search, terms_of
from slotwright.storage.sqlalchemy.backup_tables import backup_terms
from slotwright.storage.sqlalchemy.clock import Clock

_NEW_TERMS = sa.insert(backup_terms)

#: A table's name is the kind of its terms, too.
Row = sa.RowMapping


def named(table: sa.Table, project_id: str, thing_id: str) -> sa.ColumnElement[bool]:
    """That a row is the one of that id which is not deleted."""
    if is_padded(thing_id):
        return sa.false()
    return sa.and_(table.c.project_id == project_id, table.c.id == thing_id, table.c.deleted == 0)


def is_padded(thing_id: str) -> bool:
    """Whether an id ends in a blank, which none does; MySQL would find the one without it."""
    return thing_id.endswith(' ')


def lock(
    conn: sa.Connection, table: sa.Table, project_id: str, thing_id: str, *, shared: bool = False
) -> Row | None:
    """The row, which nobody else changes until the transaction ends; None if there is none.

    All locks come before anything is read without one: MySQL's snapshot is made by the first
    such read, so that what follows is as current as the locks are.
    """
    query = sa.select(table).where(named(table, project_id, thing_id))
    return conn.execute(query.with_for_update(read=shared)).mappings().first()


def missing(table: sa.Table, thing_id: str) -> NotFound:
    return NotFound(f'There is no {table.name[:-1]} {thing_id!r} in this project.')


def require_version(row: Row | None, version: int | None) -> None:
    """:raises Conflict: when the caller has looked at another version than there is."""
    if row is not None and version is not None and row['version'] != version:
        raise Conflict(
            f'Version {version} is not the latest one, which is {row["version"]}: '
            'read it again and repeat the change.'
        )


def insert(conn: sa.Connection, clock: Clock, table: sa.Table, values: Mapping[str, Any]) -> int:
    """A new row; answers its ``seq``."""
    # As parameters, values cost a third of what they cost as parts of the statement.
    made = conn.execute(clock.insert(table), {**values, 'version': 1})
    seq: int = made.inserted_primary_key[0]  # type: ignore[index]  # every insert has one
    return seq


def update(
    conn: sa.Connection, clock: Clock, table: sa.Table, row: Row, values: Mapping[str, Any]
) -> None:
    """Change a row that was read in this transaction, and count it.

    :raises Conflict: when somebody changed it since, which a locked row does not allow.
    """
    changed = conn.execute(
        sa.update(table)
        .where(table.c.seq == row['seq'], table.c.version == row['version'])
        .values(**values, version=row['version'] + 1, updated_at=clock.utc())
    )
    if not changed.rowcount:
        raise Conflict(f'{row["id"]} was changed at the same time: read it again.')


def count_change(conn: sa.Connection, clock: Clock, table: sa.Table, locked: Sequence[Row]) -> None:
    """Count a change of what stands in other tables, for all of these locked rows at once."""
    conn.execute(
        sa.update(table)
        .where(table.c.seq.in_([row['seq'] for row in locked]))
        .values(version=table.c.version + 1, updated_at=clock.utc())
    )


def remove(conn: sa.Connection, clock: Clock, table: sa.Table, row: Row) -> None:
    """Delete it for everybody but those who refer to it."""
    conn.execute(
        sa.update(table)
        .where(table.c.seq == row['seq'])
        .values(deleted=row['seq'], deleted_at=clock.utc())
    )
    conn.execute(
        sa.delete(backup_terms).where(
            backup_terms.c.kind == table.name, backup_terms.c.object == row['seq']
        )
    )


def index(
    conn: sa.Connection,
    table: sa.Table,
    seq: int,
    project_id: str,
    document: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> None:
    """Have searches find a thing by its document; ``before``: the one it had, None if new."""
    write_terms(conn, [(table, seq, project_id, document, before)])


Indexed = tuple[sa.Table, int, str, Mapping[str, Any], Mapping[str, Any] | None]


def write_terms(conn: sa.Connection, things: Sequence[Indexed]) -> None:
    """As ``index``, for several: one statement for what they all gain, and one for each set of
    names that some of them lose, of which things that change alike have one.
    """
    gained = []
    losing: dict[tuple[str, frozenset[str]], list[int]] = {}
    for table, seq, project_id, document, before in things:
        old = {} if before is None else terms_of(before)
        new = terms_of(document)
        lost = frozenset(name for name, value in old.items() if new.get(name) != value)
        if lost:
            losing.setdefault((table.name, lost), []).append(seq)
        common = {'kind': table.name, 'object': seq, 'project_id': project_id}
        gained += [
            {**common, 'name': name, 'value': value}
            for name, value in new.items()
            if old.get(name) != value
        ]
    for (kind, names), seqs in losing.items():
        conn.execute(
            sa.delete(backup_terms).where(
                backup_terms.c.kind == kind,
                backup_terms.c.object.in_(seqs),
                backup_terms.c.name.in_(sorted(names)),
            )
        )
    if gained:
        conn.execute(_NEW_TERMS, gained)


@dataclass(frozen=True, slots=True)
class Nested:
    """Things whose terms are found in what they belong to, too: actions in their jobs."""

    kind: str
    theirs: sa.Column[Any]  # of the table between the two, their ``seq``
    ours: sa.Column[Any]
    only: str | None = None  # the one name that counts

    def counting(self) -> list[sa.ColumnElement[bool]]:
        """That a term of theirs counts."""
        return [] if self.only is None else [backup_terms.c.name == self.only]


def page(
    query: sa.Select[Any],
    table: sa.Table,
    project_id: str | None,
    search: Search,
    limit: int,
    offset: int,
    *nested: Nested,
) -> sa.Select[Any]:
    """Of the rows of ``query``, those that are there, of the project, found, and on the page."""
    query = query.where(table.c.deleted == 0, *_conditions(table, search, nested, project_id))
    if project_id is not None:
        query = query.where(table.c.project_id == project_id)
    return query.order_by(table.c.seq).limit(limit).offset(offset)


def _conditions(
    table: sa.Table, search: Search, nested: Sequence[Nested], project_id: str | None
) -> list[sa.ColumnElement[bool]]:
    """That a row is as the search wants it."""
    return [
        *(_has(table, nested, name, value, project_id) for name, value in search.match),
        *(
            sa.not_(_has(table, nested, name, value, project_id))
            for name, value in search.match_not
        ),
        *(_has(table, nested, None, value, project_id) for value in search.anywhere),
    ]


def _has(
    table: sa.Table,
    nested: Sequence[Nested],
    name: str | None,
    value: str | None,
    project_id: str | None,
) -> sa.ColumnElement[bool]:
    """That there is such a term; a name of None is any, a value of None: there is no such name."""
    wanted = [] if name is None else [backup_terms.c.name == name]
    if name is not None and project_id is not None:
        # What the index begins with, which is of no use without a name.
        wanted.append(backup_terms.c.project_id == project_id)
    if value is not None:
        wanted.append(backup_terms.c.value == value)
    own = _term(table.name, table.c.seq, *wanted)
    # One in the other: joined, SQLite would go through the terms of all actions for each job.
    inside = (
        sa.exists().where(
            other.ours == table.c.seq, _term(other.kind, other.theirs, *wanted, *other.counting())
        )
        for other in nested
        if other.only is None or name in (None, other.only)
    )
    found = sa.or_(own, *inside)
    return sa.not_(found) if value is None else found


def _term(
    kind: str, thing: sa.Column[Any], *wanted: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """That a thing has such a term."""
    of_it = backup_terms.c.kind == kind, backup_terms.c.object == thing
    return sa.exists().where(*of_it, *wanted)
