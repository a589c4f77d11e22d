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
        session = self.add_session(self.add_job())
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


class MariaDBTest(Contract, BackupCase):
    backend = databases.MariaDB()


class PostgreSQLTest(Contract, BackupCase):
    backend = databases.PostgreSQL()
