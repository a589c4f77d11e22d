"""Jobs in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain.backup_model import Action, Job, JobAction, lacking
from slotwright.domain.errors import Conflict, Unprocessable
from slotwright.storage.sqlalchemy import backup_clients, job_rows, session_rows
from slotwright.storage.sqlalchemy import backup_rows as rows
from slotwright.storage.sqlalchemy.backup_tables import (
    action_attachments,
    actions,
    job_attachments,
    jobs,
)
from slotwright.storage.sqlalchemy.backup_things import Things
from slotwright.storage.sqlalchemy.clock import Clock
from slotwright.storage.sqlalchemy.transactions import Database

_ON_CLIENT = sa.insert(job_attachments)
_ACTIONS = rows.Nested('actions', action_attachments.c.action, action_attachments.c.job)

Ids = Callable[[], str]


class Jobs(Things[Job]):
    """See ``slotwright.storage.backups.Things``."""

    table = jobs
    nested = (_ACTIONS,)

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        """``ids`` names new actions and attachments."""
        super().__init__(database, clock)
        self._ids = ids

    def _query(self) -> sa.Select[Any]:
        return job_rows.whole()

    def _read(self, conn: sa.Connection, found: Sequence[rows.Row]) -> Sequence[Job]:
        return job_rows.read_jobs(conn, found)

    def _insert(self, conn: sa.Connection, thing: Job) -> None:
        if thing.session_id:
            raise _not_here(thing)
        client = _client(conn, thing)
        terms: list[rows.Indexed] = []
        wanted = self._resolve(conn, thing, client, {}, terms)
        values = {'id': thing.id, 'project_id': thing.project_id, 'user_id': thing.user_id}
        seq = rows.insert(conn, self.clock, jobs, {**values, **job_rows.job_values(thing)})
        attached = {
            'id': self._ids(),
            'job': seq,
            'client': client['seq'],
            'project_id': thing.project_id,
        }
        conn.execute(_ON_CLIENT, {**attached, **job_rows.state_values(thing)})
        job_rows.attach(conn, seq, thing.project_id, wanted)
        terms.append((jobs, seq, thing.project_id, documents.of_job(thing), None))
        rows.write_terms(conn, terms)

    def _lock_parts(self, conn: sa.Connection, row: rows.Row) -> None:
        mine = job_attachments.c.job == row['seq']
        conn.execute(sa.select(job_attachments.c.id).where(mine).with_for_update())

    def _store(self, conn: sa.Connection, row: rows.Row, old: Job, new: Job) -> None:
        if new.session_id != old.session_id:
            raise _not_here(new)
        seq = row['seq']
        state: dict[str, Any] = job_rows.state_values(new)
        if new.client_id != old.client_id:
            state['client'] = _client(conn, new)['seq']
        mine = job_attachments.c.job == seq
        conn.execute(sa.update(job_attachments).where(mine).values(**state))
        if (new.client_id, new.actions) != (old.client_id, old.actions):
            self._exchange(conn, seq, new, old)
        rows.update(conn, self.clock, jobs, row, job_rows.job_values(new))
        before, document = documents.of_job(old), documents.of_job(new)
        rows.index(conn, jobs, seq, row['project_id'], document, before)

    def _part(self, conn: sa.Connection, row: rows.Row) -> None:
        session_rows.part_with(conn, self.clock, row['seq'])
        mine = sa.select(action_attachments.c.action).where(action_attachments.c.job == row['seq'])
        used = set(conn.scalars(mine))
        self._drop_unused(conn, used, gone=row['seq'])

    def _exchange(self, conn: sa.Connection, seq: int, new: Job, old: Job) -> None:
        """Give a job other actions."""
        client = backup_clients.find(conn, new.project_id, new.client_id)
        terms: list[rows.Indexed] = []
        wanted = self._resolve(conn, new, client, {p.action_id: p for p in old.actions}, terms)
        rows.write_terms(conn, terms)
        before = set(
            conn.scalars(
                sa.select(action_attachments.c.action).where(action_attachments.c.job == seq)
            )
        )
        conn.execute(sa.delete(action_attachments).where(action_attachments.c.job == seq))
        job_rows.attach(conn, seq, new.project_id, wanted)
        self._drop_unused(conn, before)

    def _resolve(
        self,
        conn: sa.Connection,
        job: Job,
        client: rows.Row | None,
        attached: Mapping[str, JobAction],
        terms: list[rows.Indexed],
    ) -> Sequence[Mapping[str, Any]]:
        """The attachments of a job as rows; makes those actions that are not there.

        ``attached`` are those that it has, which are used again. ``terms`` gains what the
        caller has to write of the new ones.
        """
        named = {part.action_id for part in job.actions if part.action_id}
        there = self._actions(conn, job.project_id, {*named, *attached})
        seqs = {action_id: row['seq'] for action_id, row in there.items()}
        content = {i: job_rows.read_freezer_action(row) for i, row in there.items()}
        free = [action_id for action_id in attached if action_id in content]
        made: dict[str, Action] = {}
        attachments = []
        for part in job.actions:
            action_id = _found(part, content, free)
            if action_id is None:
                fresh = '' if part.action_id in content else part.action_id
                action = _new_action(job, part, fresh or self._ids())
                action_id = action.id
                made[action_id] = action
                content[action_id] = action.freezer_action
            elif action_id in free:
                free.remove(action_id)
            _require_able(client, content[action_id])
            attachments.append((action_id, part))
        made_seqs, made_terms = job_rows.insert_actions(
            conn, self.clock, made.values(), inline=True
        )
        seqs |= made_seqs
        terms += made_terms
        return [
            {
                'id': self._ids(),
                'action': seqs[action_id],
                'retries': part.max_retries,
                'retry_interval': part.max_retries_interval,
                'mandatory': part.mandatory,
            }
            for action_id, part in attachments
        ]

    def _actions(
        self, conn: sa.Connection, project_id: str, named: set[str]
    ) -> dict[str, rows.Row]:
        """Actions by id, which nobody deletes until the transaction ends."""
        if not named:
            return {}
        query = sa.select(actions).where(
            actions.c.project_id == project_id, actions.c.id.in_(named), actions.c.deleted == 0
        )
        found = conn.execute(query.order_by(actions.c.seq).with_for_update(read=True))
        return {row['id']: row for row in found.mappings()}

    def _drop_unused(
        self, conn: sa.Connection, candidates: set[int], gone: int | None = None
    ) -> None:
        """Delete those of these actions that job documents made and no job has.

        :param gone: a job that is about to be deleted, with what reports say of its actions
        """
        if not candidates:
            return
        query = sa.select(actions).where(
            actions.c.seq.in_(candidates), actions.c.inline, actions.c.deleted == 0
        )
        # Locked, and only then looked for in other jobs: one may take such an action just now.
        locked = conn.execute(query.order_by(actions.c.seq).with_for_update()).mappings().all()
        others = (
            sa.select(action_attachments.c.action)
            .join(jobs, jobs.c.seq == action_attachments.c.job)
            .where(action_attachments.c.action.in_([row['seq'] for row in locked]))
            .where(jobs.c.deleted == 0)
        )
        if gone is not None:
            others = others.where(jobs.c.seq != gone)
        used = set(conn.scalars(others.with_for_update(read=True)))
        for row in locked:
            if row['seq'] not in used:
                rows.remove(conn, self.clock, actions, row)


def _client(conn: sa.Connection, job: Job) -> rows.Row:
    found = backup_clients.lock(conn, job.project_id, job.client_id)
    if found is None:
        raise Unprocessable(f'There is no client {job.client_id!r}: register it first.')
    return found


def _require_able(row: rows.Row | None, freezer_action: Mapping[str, Any]) -> None:
    """:raises Unprocessable: when the client says that it cannot do such an action."""
    lack = None if row is None else lacking(row['supported'], freezer_action)
    if row is not None and lack is not None:
        raise Unprocessable(f'Client {row["id"]!r} does not support {lack}.')


def _found(
    part: JobAction, content: Mapping[str, Mapping[str, Any]], free: Sequence[str]
) -> str | None:
    """Which of the actions there are a part of a job means; None for a new one.

    :param content: what each action does, by its id
    :param free: those that the job has and that no other part means
    :raises Unprocessable: when it says no more than an id, which is unknown.
    """
    posted = part.freezer_action
    if posted is None and part.action_id not in content:
        raise Unprocessable(f'There is no action {part.action_id!r} in this project.')
    if part.action_id:
        same = posted is None or content.get(part.action_id) == posted
        return part.action_id if same else None
    return next((action_id for action_id in free if content[action_id] == posted), None)


def _new_action(job: Job, part: JobAction, action_id: str) -> Action:
    action = Action(action_id, job.project_id, job.user_id, part.freezer_action or {})
    given = {
        name: getattr(part, name)
        for name in ('max_retries', 'max_retries_interval', 'mandatory')
        if getattr(part, name) is not None
    }
    return replace(action, **given)


def _not_here(job: Job) -> Conflict:
    return Conflict(
        f'Job {job.id!r} is not in session {job.session_id!r}: jobs are put into sessions and '
        'taken out with PUT and DELETE of sessions/{session_id}/jobs/{job_id}.'
    )
