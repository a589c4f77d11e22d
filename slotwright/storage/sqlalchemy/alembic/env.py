"""Run by alembic: migrate over the connection that ``migration.py`` hands in, or ``-x url=``."""

from alembic import context
from sqlalchemy import Connection

from slotwright.storage.sqlalchemy import (
    engine,
    restarting,  # noqa: F401  alembic finds what is in it by its dialect
)
from slotwright.storage.sqlalchemy.tables import metadata


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get('connection')
if given is not None:
    migrate(given)
else:
    url = context.get_x_argument(as_dictionary=True)['url']
    with engine.create(url, statement_timeout=None).connect() as opened:
        migrate(opened)
        opened.commit()
