"""What searches find after things have changed, on every database."""

import sqlalchemy as sa

from slotwright.domain import backup_documents as documents
from slotwright.domain import search, session_rounds
from slotwright.storage.sqlalchemy import backup_tables as tables
from tests.contract import databases
from tests.contract.backup_case import PROJECT, BackupCase, changing, scheduling


def found(**pairs):
    return search.parse({'match': [pairs]})


class Contract:
    def test_jobs_are_found_by_their_session(self):
        job, other = self.add_job(), self.add_job()
        session = self.add_session(job)
        joined = self.jobs.get(PROJECT, job.id)
        self.assertEqual([joined], self.jobs.list(PROJECT, found(session_id=session.id)))
        self.assertEqual([other], self.jobs.list(PROJECT, found(session_id='')))
        self.sessions.remove_job(PROJECT, session.id, job.id, 1)
        self.assertEqual(2, len(self.jobs.list(PROJECT, found(session_id=''))))
        self.sessions.add_job(PROJECT, session.id, job.id)
        self.sessions.delete(PROJECT, session.id)
        self.assertEqual(2, len(self.jobs.list(PROJECT, found(session_id=''))))

    def test_a_session_is_found_by_the_client_of_a_job_which_is_gone(self):
        session = self.add_session(self.add_job(description='of the job'))
        self.assertEqual([session], self.sessions.list(PROJECT, found(_all='web')))
        self.assertEqual([], self.sessions.list(PROJECT, found(_all='of the job')))
        self.clients.delete(PROJECT, 'web')
        self.assertEqual([session], self.sessions.list(PROJECT, found(client_id='web')))
        self.assertEqual([], self.sessions.list(PROJECT, found(client_id='db')))

    def test_the_terms_of_things_are_those_of_their_documents(self):
        one, two = self.add_job(), self.add_job(description='second')
        session = self.add_session(one, two, schedule={'schedule_hour': '3'})
        self.sessions.write(
            PROJECT, session.id, lambda old: session_rounds.start(old, one.id, 0, 1000)[0]
        )
        self.jobs.write(PROJECT, one.id, scheduling(event='start', status='running'))
        self.jobs.write(PROJECT, two.id, changing(actions=(), description=''))
        self.check_terms()
        self.sessions.remove_job(PROJECT, session.id, two.id, 1001)
        self.check_terms()
        self.jobs.delete(PROJECT, one.id)
        self.sessions.delete(PROJECT, session.id)
        self.check_terms()

    def test_jobs_are_looked_at_in_their_order(self):
        """Not all of them and then sorted, to show the first ten."""
        for number in range(3):
            self.add_client(f'client-{number}')
            self.add_job(client_id=f'client-{number}')
        for wanted in (search.EVERYTHING, found(client_id='web'), found(_all='web')):
            self.backend_check(self.plan(wanted))

    def backend_check(self, plan):
        """See that a plan begins with the jobs, and has an index for each other table."""
        raise NotImplementedError

    def plan(self, wanted):
        """What the database says of how it lists jobs, a row for each step."""
        said = []

        def listen(_conn, _cursor, statement, parameters, *_):
            said.append((statement, parameters))

        engine = self.store.database.engine
        sa.event.listen(engine, 'before_cursor_execute', listen)
        self.jobs.list(PROJECT, wanted)
        sa.event.remove(engine, 'before_cursor_execute', listen)
        statement, parameters = next(one for one in said if 'FROM jobs' in one[0])
        with engine.connect() as conn:
            answer = conn.exec_driver_sql(f'{self.explain} {statement}', parameters)
            return [tuple(row) for row in answer]

    def check_terms(self):
        """Compare the table of terms with the documents of all things."""
        expected = set()
        for things, document in (
            (self.clients, documents.of_client),
            (self.actions, documents.of_action),
            (self.jobs, documents.of_job),
            (self.sessions, documents.of_session),
        ):
            for thing in things.list(PROJECT, limit=100):
                terms = search.terms_of(document(thing))
                expected |= {(thing.id, *term) for term in terms.items()}
        self.assertEqual(expected, self.stored_terms())

    def stored_terms(self):
        """Id, name and value of each term there is."""
        terms = tables.backup_terms
        rows = set()
        for table in (tables.clients, tables.actions, tables.jobs, tables.sessions):
            query = sa.select(table.c.id, terms.c.name, terms.c.value).join(
                terms, sa.and_(terms.c.object == table.c.seq, terms.c.kind == table.name)
            )
            rows |= {
                tuple(row)
                for row in self.store.database.read(lambda conn, q=query: conn.execute(q).all())
            }
        return rows


class SQLiteTest(Contract, BackupCase):
    backend = databases.SQLite()
    explain = 'EXPLAIN QUERY PLAN'

    def backend_check(self, plan):
        steps = [step for *_, step in plan]
        self.assertIn('SEARCH jobs USING INDEX', steps[0])
        for step in steps:
            self.assertNotIn('SCAN', step)
            if 'backup_terms' in step:
                self.assertIn('object=?', step)


class MariaDBTest(Contract, BackupCase):
    backend = databases.MariaDB()
    explain = 'EXPLAIN'

    def backend_check(self, plan):
        self.assertEqual('jobs', plan[0][2])


class PostgreSQLTest(Contract, BackupCase):
    backend = databases.PostgreSQL()
    explain = 'EXPLAIN'

    def backend_check(self, plan):
        """It goes by the size of tables, which are small here."""
        self.assertIn('Limit', plan[0][0])

    def test_searches_are_not_compiled(self):
        """Of a large table one of twenty terms would run for seconds."""
        shown = self.store.database.read(lambda conn: conn.scalar(sa.text('SHOW jit')))
        self.assertEqual('off', shown)
