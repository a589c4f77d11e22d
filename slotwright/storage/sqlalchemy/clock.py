"""What time it is, as SQL: several daemons agree only on the database's own clock."""

import datetime
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from slotwright.storage.sqlalchemy.tables import TIME

S = TypeVar('S', bound=sa.Executable)

EPOCH = datetime.datetime(1970, 1, 1)


class DbSeconds(FunctionElement[float]):
    """Seconds since 1970 as a double."""

    type = sa.Double()
    inherit_cache = True


class DbUtc(FunctionElement[datetime.datetime]):
    """The date and time in UTC, without a zone."""

    type = TIME
    inherit_cache = True


# SQLite has unixepoch('subsec') from 3.42 on only.
@compiles(DbSeconds, 'sqlite')
def _seconds_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


# UNIX_TIMESTAMP(NOW(6)) goes through the session's time zone, and is an hour wrong within
# the hour that daylight saving repeats. A factor in exponent form makes it a double.
@compiles(DbSeconds, 'mysql')
def _seconds_mysql(*_: Any, **__: Any) -> str:
    return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6)) * 1e-6)"


@compiles(DbSeconds, 'postgresql')
def _seconds_postgresql(*_: Any, **__: Any) -> str:
    return 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)'


# In the form in which SQLAlchemy stores times in SQLite.
@compiles(DbUtc, 'sqlite')
def _utc_sqlite(*_: Any, **__: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(DbUtc, 'mysql')
def _utc_mysql(*_: Any, **__: Any) -> str:
    return 'UTC_TIMESTAMP(6)'


@compiles(DbUtc, 'postgresql')
def _utc_postgresql(*_: Any, **__: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'UTC')"


class Clock:
    """The database's clock; or ``now`` (seconds since 1970), for simulated time."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now
        self._made: dict[Hashable, Any] = {}

    def seconds(self) -> ColumnElement[float]:
        if self._now is None:
            return DbSeconds()
        return sa.literal(self._now(), sa.Double())

    def utc(self) -> ColumnElement[datetime.datetime]:
        if self._now is None:
            return DbUtc()
        return sa.literal(EPOCH + datetime.timedelta(seconds=self._now()), TIME)

    def read(self, conn: sa.Connection) -> datetime.datetime:
        """The time in UTC, for all that a transaction is about to insert."""
        now: datetime.datetime = conn.execute(self.made(_now)).scalar_one()
        return now

    def made(self, make: Callable[..., S], *about: Hashable) -> S:
        """What ``make(clock, *about)`` makes, a statement; of each always the same object.

        Making one takes longer than running it, and SQLAlchemy need not look at it again. In
        simulated time it has the time in it, so it is made anew.
        """
        if self._now is not None:
            return make(self, *about)
        if (make, about) not in self._made:
            self._made[make, about] = make(self, *about)
        made: S = self._made[make, about]
        return made

    def insert(self, table: sa.Table) -> sa.Insert:
        """INSERT of a row whose ``created_at`` is now; of each table always the same object."""
        return self.made(_insert, table)


def _insert(clock: Clock, table: sa.Table) -> sa.Insert:
    return sa.insert(table).values(created_at=clock.utc())


def _now(clock: Clock) -> sa.Select[Any]:
    return sa.select(clock.utc())
