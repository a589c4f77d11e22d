"""Which errors of a database mean "try again", and which "it does not answer now"."""

import sqlite3

from oslo_db import exception as db_exception
from sqlalchemy import exc

#: Every error that a database, its driver or the layers above it raise.
ANY = (db_exception.DBError, exc.SQLAlchemyError)

#: MySQL: server gone or going, no connection left, wrong login, read-only, disk full.
_MYSQL_AWAY = frozenset(
    {1021, 1040, 1044, 1045, 1049, 1053, 1114, 1129, 1130, 1203, 1226, 1290, 1836, 1927}
)
#: PostgreSQL classes: connection, login, database, resources, operator, system.
_POSTGRESQL_AWAY = ('08', '28', '3D', '53', '57', '58')
_POSTGRESQL_RETRY = frozenset({'40001', '40P01', '55P03'})


def is_conflict(error: Exception) -> bool:
    """Whether the transaction lost against another one and has surely been undone."""
    if isinstance(error, db_exception.DBDeadlock):
        return True
    original = _original(error)
    if isinstance(original, sqlite3.Error):
        return _sqlite_code(original) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return _sqlstate(original) in _POSTGRESQL_RETRY


def lacks_tables(error: Exception) -> bool:
    """Whether nobody has migrated the database yet."""
    return isinstance(error, db_exception.DBNonExistentTable)


def explain(error: Exception) -> str:
    """Why the database is away, for an operator who reads it in a log or an answer."""
    if lacks_tables(error):
        return 'The database has no tables yet: run "slotwright-manage db sync".'
    return 'The database does not answer now.'


def is_away(error: Exception) -> bool:
    """Whether the database cannot be reached, or cannot work now."""
    if lacks_tables(error) or isinstance(
        error,
        db_exception.DBConnectionError | db_exception.DBNonExistentDatabase | exc.TimeoutError,
    ):
        return True
    original = _original(error)
    if isinstance(original, sqlite3.OperationalError):
        # SQLITE_ERROR is a mistake in the SQL; the rest is the file or the disk.
        return _sqlite_code(original) != sqlite3.SQLITE_ERROR
    if isinstance(original, sqlite3.Error):
        return _sqlite_code(original) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if isinstance(error, exc.OperationalError) and _is_postgresql(original):
        return (_sqlstate(original) or '08').startswith(_POSTGRESQL_AWAY)
    number = original.args[0] if original is not None and original.args else None
    return number in _MYSQL_AWAY


def _original(error: Exception) -> BaseException | None:
    """The driver's own error inside those of oslo.db and SQLAlchemy."""
    inner = getattr(error, 'inner_exception', None) or error
    return getattr(inner, 'orig', None)


def _is_postgresql(error: BaseException | None) -> bool:
    return hasattr(error, 'pgcode') or hasattr(error, 'sqlstate')


def _sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code, as psycopg2 or psycopg names it; None when the server sent none."""
    return getattr(error, 'pgcode', None) or getattr(error, 'sqlstate', None)


def _sqlite_code(error: sqlite3.Error) -> int:
    """The primary result code; extended ones carry more in the upper bits."""
    return getattr(error, 'sqlite_errorcode', sqlite3.SQLITE_ERROR) & 0xFF
