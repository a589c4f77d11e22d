"""A service that runs forgets what was deleted long ago."""

from slotwright.domain.backup_model import Client
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore
from tests import rows
from tests.base import TestCase
from tests.guarded import wait_until
from tests.standalone import Standalone


class PurgeTest(TestCase):
    timeout = 400

    def test_the_taskmanager_purges(self) -> None:
        standalone = self.useFixture(Standalone())
        standalone.end(15)
        store = SQLAlchemyStore.connect(standalone.database)
        self.addCleanup(store.close)
        for name in ('kept', 'new', 'old'):
            store.backups.clients.create(Client(name, 'demo', 'u', ''))
        for name, days in (('new', 1), ('old', 100)):
            store.backups.clients.delete('demo', name)
            aged = f"UPDATE clients SET deleted_at = datetime('now', '-{days} days') WHERE id = ?"
            store.database.write(
                lambda conn, aged=aged, name=name: conn.exec_driver_sql(aged, (name,))
            )
        standalone.start()
        wait_until(
            lambda: not rows.select(standalone.database, 'clients', id='old'), 'the purge', 120
        )
        self.assertEqual(2, rows.counts(standalone.database)['clients'])
