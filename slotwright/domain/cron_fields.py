"""APScheduler's cron triggers, made to look at long lists of values at once.

The library asks each part of a field at every day that it comes by: a list of a hundred parts
makes a search, which may go through half a century, a hundred times as long.
"""

import bisect
import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.cron.expressions import AllExpression, RangeExpression
from apscheduler.triggers.cron.fields import MAX_VALUES, MIN_VALUES


def trigger(fields: Iterable[tuple[str, str]], end: dt.datetime) -> CronTrigger:
    """Of fields that can be used, up to ``end``; both are on UTC."""
    cron = CronTrigger(**dict(fields), timezone=dt.UTC, end_date=end)
    for field in cron.fields:
        if len(field.expressions) > 1:
            field.expressions = [_Values(field.name, field.expressions)]
    return cron


class _Values:
    """All parts of a field in place of one."""

    def __init__(self, name: str, parts: Iterable[Any]) -> None:
        values: set[int] = set()
        #: Such as "1st mon": which days these are, only the month can tell.
        self._others: dict[str, Any] = {}
        for part in parts:
            if type(part) is AllExpression or isinstance(part, RangeExpression):
                first = getattr(part, 'first', MIN_VALUES[name])
                last = getattr(part, 'last', None)
                last = MAX_VALUES[name] if last is None else last
                values.update(range(first, last + 1, part.step or 1))
            else:
                self._others[str(part)] = part
        self._values = sorted(values)
        self._of_month: dict[tuple[int, int], list[int]] = {}

    def get_next_value(self, date: dt.datetime, field: Any) -> int | None:
        """The first of the values that is not before the date's own."""
        values = self._days(date, field) if self._others else self._values
        place = bisect.bisect_left(values, field.get_value(date))
        found = place < len(values) and values[place] <= field.get_max(date)
        return values[place] if found else None

    def _days(self, date: dt.datetime, field: Any) -> list[int]:
        month = calendar.monthrange(date.year, date.month)
        if month not in self._of_month:
            first = date.replace(day=1)
            more = {part.get_next_value(first, field) for part in self._others.values()}
            self._of_month[month] = sorted({*self._values, *more} - {None})
        return self._of_month[month]
