"""When a job runs: the grammar of Freezer's ``job_schedule``, and the next run, computed purely.

A schedule is the first of these that is given: ``schedule_date`` (once), ``schedule_interval``
(every so often), the cron fields ``schedule_year`` to ``schedule_second``; without any it
runs once, soon. ``schedule_start_date`` and ``schedule_end_date``, both inclusive, bound it.

Nothing here drifts: an interval is counted from its start (without one, from when the job was
made), so its phase outlives restarts, and what was missed is left out. Intervals are elapsed
time; cron fields are the wall clock of a zone. A wall time that a clock put forward skips runs
when the clock jumps; one that comes twice runs the first time. With any hour (``*``) the clock's
jumps change nothing: it runs at its minutes in every hour that passes.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from apscheduler.triggers.cron import CronTrigger

from slotwright.domain import cron_fields
from slotwright.domain.errors import InvalidRequest

DATE = 'schedule_date'
INTERVAL = 'schedule_interval'
START = 'schedule_start_date'
END = 'schedule_end_date'
#: Coarse to fine. Fields before the finest one given are any, those after it their first value.
CRON_FIELDS = ('year', 'month', 'day', 'week', 'day_of_week', 'hour', 'minute', 'second')
_MEMBERS = (DATE, INTERVAL, START, END, *(f'schedule_{field}' for field in CRON_FIELDS))

#: A date that nobody looked at in time is run late up to here, then never.
GRACE = dt.timedelta(hours=1)
#: A job without any schedule waits this long.
SOON = dt.timedelta(seconds=2)
#: Cron fields that no day within this time has (30 February) never run.
HORIZON = dt.timedelta(days=50 * 366)

_UNITS = {'second': 1, 'minute': 60, 'hour': 3600, 'day': 86400, 'week': 604800}
_INTERVAL = re.compile(r' *([0-9]{1,9}) +(second|minute|hour|day|week)s? *', re.ASCII)
_TIME = re.compile(
    r'([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?'
    r'(Z|[+-][0-9]{2}:[0-9]{2})?',
    re.ASCII,
)
_YEAR = re.compile(r'[0-9]{4}', re.ASCII)
_LETTER = re.compile(r'[A-Za-z]')
_NAMES = re.compile(r'[a-z]+(-[a-z]+)?', re.ASCII | re.IGNORECASE)
_OF_MONTH = re.compile(r'last|(1st|2nd|3rd|4th|5th|last) +[a-z]+', re.ASCII | re.IGNORECASE)
_LONGEST_FIELD = 255  # characters
_LONGEST_INTERVAL = 100 * 366 * 86400  # seconds
_SECOND = dt.timedelta(seconds=1)
_LATEST = dt.datetime(9900, 1, 1, tzinfo=dt.UTC)
_OF_DAYS = ('month', 'day', 'week', 'day_of_week')
_OF_TIMES = ('hour', 'minute', 'second')
#: Where the clocks of hosts may be that name no zone: the usual one, the first and the last.
_ZONES = (dt.UTC, dt.timezone(dt.timedelta(hours=14)), dt.timezone(dt.timedelta(hours=-12)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that can run. All times are aware and in UTC."""

    date: dt.datetime | None = None
    interval: dt.timedelta | None = None
    cron: tuple[tuple[str, str], ...] = ()  # field, expression
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    zone: dt.tzinfo = dt.UTC


def parse(document: Mapping[str, Any], zone: dt.tzinfo = dt.UTC) -> Schedule:
    """Read the ``schedule_…`` members of a ``job_schedule``; others are not looked at.

    ``zone`` is that of cron fields, and of dates that name none. An empty string counts as
    absent.

    :raises InvalidRequest: for what could not run as it is written, with the reason.
    """
    date, start, end = (_time(document, name, zone) for name in (DATE, START, END))
    if start and end and end < start:
        raise InvalidRequest(f'{END} is before {START}: the job would never run.')
    interval = _interval(document.get(INTERVAL))
    return Schedule(date, interval, _cron(document), start, end, zone)


def given(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that ``parse`` looks at.

    >>> given({'schedule_hour': '3', 'schedule_day': '', 'status': 'completed'})
    {'schedule_hour': '3'}
    """
    return {name: document[name] for name in _MEMBERS if document.get(name) not in (None, '')}


def require_run(
    document: Mapping[str, Any], now: dt.datetime, *, made: dt.datetime | None = None
) -> None:
    """See that a new schedule runs at least once from ``now`` on.

    What names no zone is a time of the host where the job runs, and it is not known where that
    is: only what is over in every zone counts as over.

    :raises InvalidRequest: as ``parse``, and for what would never run, with the reason.
    """
    plan = parse(document)
    days = _days(plan)
    if days and not _has_day(days):
        raise InvalidRequest(f'{_shown_fields(plan)} is no day of any year: it would never run.')
    if _comes_again(plan) or next_run(plan, now, made=made) is not None:
        return
    for zone in _ZONES[1:]:
        try:
            found = next_run(parse(document, zone), now, made=made)
        except InvalidRequest:  # such as the end of time, there
            continue
        if found is not None:
            return
    raise InvalidRequest(f'{_why_never(plan, document, now, made)}: it would never run.')


def _days(plan: Schedule) -> tuple[tuple[str, str], ...]:
    """What the cron fields say of days, but for the year; nothing where that does not count."""
    if plan.date or plan.interval:
        return ()
    days = tuple((field, text) for field, text in plan.cron if field in _OF_DAYS)
    is_finer = any(field in _OF_TIMES for field, _ in plan.cron)
    return (*days, ('hour', '*')) if days and is_finer else days


@lru_cache(maxsize=1024)  # a search takes up to 20 ms
def _has_day(fields: tuple[tuple[str, str], ...]) -> bool:
    """Whether there are such days; as the calendar goes, they come again within 40 years then."""
    begin = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    cron = cron_fields.trigger(fields, begin + HORIZON)
    return cron.get_next_fire_time(None, begin) is not None


def _comes_again(plan: Schedule) -> bool:
    """Whether it surely runs, as most schedules do; asking for the next run takes longer."""
    if not plan.cron or plan.date or plan.interval or plan.end:
        return False
    return 'year' not in dict(plan.cron) and (plan.start is None or plan.start < _LATEST)


def _why_never(
    plan: Schedule, document: Mapping[str, Any], now: dt.datetime, made: dt.datetime | None
) -> str:
    if plan.date is not None:
        return f'{DATE} {_shown(document[DATE])} is over'
    first = plan.end and next_run(replace(plan, end=None), now, made=made)
    if first is not None:
        return (
            f'{END} {_shown(document[END])} is before the first run, at '
            f'{first.isoformat(timespec="seconds")}'
        )
    if 'year' in dict(plan.cron):
        since = f'from {START}' if plan.start and plan.start > now else 'from now'
        return (
            f'{_shown_fields(plan)} is no time of the {HORIZON.days // 366} years {since} on '
            '(finer fields than those given are at their first value, as 1 January, 00:00:00)'
        )
    return f'{START} {_shown(document.get(START))} is too late'


def _shown_fields(plan: Schedule) -> str:
    return ', '.join(f'schedule_{field} = {_shown(text)}' for field, text in plan.cron)


def next_run(
    schedule: Schedule,
    now: dt.datetime,
    *,
    last: dt.datetime | None = None,
    made: dt.datetime | None = None,
) -> dt.datetime | None:
    """The next moment to run at, in UTC; None when there is none any more.

    ``now``, ``last`` (the latest run, if any) and ``made`` (of the job) are aware. The answer is
    after both ``now`` and ``last``, but for a ``schedule_date`` that is up to ``GRACE`` ago
    and has not run.
    """
    now = now.astimezone(dt.UTC)
    after = now if last is None else max(now, last.astimezone(dt.UTC))
    if schedule.date is not None:
        missed = now - GRACE > schedule.date
        found = None if missed or last is not None else schedule.date
    elif schedule.interval is not None:
        anchor = schedule.start or (made or now).astimezone(dt.UTC) + schedule.interval
        found = _next_tick(anchor, schedule.interval, after)
    elif schedule.cron:
        floor = after
        if schedule.start is not None and schedule.start > after:
            floor = schedule.start - _SECOND / 10**6  # it counts: "after" is exclusive
        found = _next_cron(schedule.cron, schedule.zone, floor)
    else:
        found = None if last is not None else max(now + SOON, schedule.start or now)
    if found is not None and schedule.date is None and schedule.end and found > schedule.end:
        return None
    return found


def _next_tick(
    anchor: dt.datetime, interval: dt.timedelta, after: dt.datetime
) -> dt.datetime | None:
    """The first of anchor, anchor + interval, … that is later than ``after``."""
    ticks = 0 if after < anchor else (after - anchor) // interval + 1
    try:
        return anchor + ticks * interval
    except OverflowError:
        return None


def _time(document: Mapping[str, Any], name: str, zone: dt.tzinfo) -> dt.datetime | None:
    text = document.get(name)
    if text is None or text == '':
        return None
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        if match is None:
            raise ValueError('not in this form')
        fraction = (match[2] or '')[:7]
        read = dt.datetime.fromisoformat(match[1] + fraction + (match[3] or ''))
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f'{name} must be a time like 2026-12-31T23:59:59, with a fraction, Z or an offset '
            f'(+01:00) if need be; not {_shown(text)}: {error}.'
        ) from error


def _interval(text: Any) -> dt.timedelta | None:
    """
    >>> _interval('2 hours') == _interval('120  minutes')
    True
    >>> _interval('continuous')
    datetime.timedelta(seconds=1)
    """
    if text is None or text == '':
        return None
    if isinstance(text, str) and text.strip(' ') == 'continuous':
        return _SECOND
    match = _INTERVAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidRequest(
            f'{INTERVAL} must be "continuous" or a number and a unit, such as "1 hour" or '
            f'"10 minutes"; units are seconds, minutes, hours, days and weeks; not {_shown(text)}.'
        )
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _LONGEST_INTERVAL:
        raise InvalidRequest(
            f'{INTERVAL} must be at least 1 second and at most 100 years; not {_shown(text)}.'
        )
    return dt.timedelta(seconds=seconds)


def _cron(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    fields = {
        field: document[f'schedule_{field}']
        for field in CRON_FIELDS
        if document.get(f'schedule_{field}') not in (None, '')
    }
    for field, text in fields.items():
        if not isinstance(text, str) or len(text) > _LONGEST_FIELD or not text.isascii():
            raise InvalidRequest(
                f'schedule_{field} must be a string of at most {_LONGEST_FIELD} characters '
                f'such as "*/2" or "1-5"; not {_shown(text)}.'
            )
        if field == 'year' and not _YEAR.fullmatch(text):
            raise InvalidRequest(f'schedule_year must have four digits; not {_shown(text)}.')
        if (flaw := _flaw(field, text)) is not None:
            hint = ' Names of weekdays belong in schedule_day_of_week.' if field == 'day' else ''
            raise InvalidRequest(f'schedule_{field} = {_shown(text)} cannot be used: {flaw}.{hint}')
    return tuple(fields.items())


@lru_cache(maxsize=1024)  # most jobs run at the same few hours
def _flaw(field: str, text: str) -> str | None:
    """What is wrong with an expression."""
    try:
        CronTrigger(**{field: text}, timezone=dt.UTC)
    except (ValueError, TypeError) as error:
        return str(error)
    # After a name the library looks no further: of "mon wed fri" it takes the Mondays.
    name = _OF_MONTH if field == 'day' else _NAMES
    for part in text.strip().split(','):
        if _LETTER.search(part) and not name.fullmatch(part.strip(' ')):
            return f'{_shown(part)} is not understood whole; parts are separated by commas'
    return None


def _shown(value: Any) -> str:
    return repr(value)[:60]


def _next_cron(
    fields: tuple[tuple[str, str], ...], zone: dt.tzinfo, after: dt.datetime
) -> dt.datetime | None:
    """The first moment after ``after`` at which the wall clock of ``zone`` is as ``fields`` say."""
    if after > _LATEST:
        return None
    # The library does the calendar only, on wall times that it takes for UTC.
    here = after.astimezone(zone)
    end = here.replace(tzinfo=dt.UTC, fold=0) + HORIZON
    cron = cron_fields.trigger(fields, end)
    in_any_hour = str(cron.fields[CRON_FIELDS.index('hour')]) in ('*', '*/1')
    repeated = _in_repeat(cron, zone, here) if in_any_hour else None
    for wall in _walls(cron, here.replace(tzinfo=None, fold=0)):
        found = [m for m in _moments(wall, zone, in_any_hour) if m > after]
        if found:
            return min(found[0], repeated) if repeated else found[0]
    return repeated


def _walls(cron: CronTrigger, after: dt.datetime) -> Iterator[dt.datetime]:
    """All wall times of ``cron`` later than ``after``, naive, in order."""
    at: dt.datetime | None = after
    while at is not None:
        following = at.replace(microsecond=0, tzinfo=dt.UTC) + _SECOND
        found = cron.get_next_fire_time(None, following)
        at = None if found is None else found.replace(tzinfo=None)
        if at is not None:
            yield at


def _moments(wall: dt.datetime, zone: dt.tzinfo, in_any_hour: bool) -> list[dt.datetime]:
    """When to run for a wall time: once, but in any hour as often as the clock shows it."""
    first = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    if first == second:
        return [first]
    if first < second:  # the clock was put back
        return [first, second] if in_any_hour else [first]
    return [] if in_any_hour else [_jump(second, first, zone)]


def _jump(before: dt.datetime, after: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The moment in (before, after] from which on the clock goes by another offset."""
    new = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after


def _in_repeat(cron: CronTrigger, zone: dt.tzinfo, here: dt.datetime) -> dt.datetime | None:
    """The first run after the clock is put back, when ``here`` is in what it will repeat."""
    wall = here.replace(tzinfo=None, fold=0)
    first = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    if here.fold or first >= second:
        return None
    back = _jump(first, second, zone).astimezone(zone).replace(tzinfo=None, fold=0)
    for again in _walls(cron, back - _SECOND):
        moments = _moments(again, zone, in_any_hour=True)
        return moments[-1] if moments else None
    return None
