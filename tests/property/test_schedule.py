"""The next run: phase, clocks that jump, and a second opinion of cron fields."""

import datetime as dt
import itertools
import unittest
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, example, given
from hypothesis import strategies as st

from slotwright.domain import cron_fields, schedule
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.schedule import next_run, parse, require_run

BERLIN = ZoneInfo('Europe/Berlin')
#: Half an hour of daylight saving, half a day's jump of the calendar, and none of either.
ZONES = [BERLIN, ZoneInfo('Australia/Lord_Howe'), ZoneInfo('America/New_York'), dt.UTC]
UTC = dt.UTC

moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from(ZONES)
numbers = st.integers(1, 400)
units = st.sampled_from(['seconds', 'minutes', 'hours', 'days', 'weeks', 'hour', 'second'])


def at(text: str, zone: dt.tzinfo = UTC) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


@st.composite
def cron_field(draw: st.DrawFn, low: int, high: int) -> str:
    """Any form of an expression that the grammar has for numbers."""
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    step = draw(st.integers(1, max(1, last - first)))
    forms = [str(first), f'{first}-{last}', f'*/{draw(st.integers(1, high - low))}', '*']
    if last > first:
        forms.append(f'{first}-{last}/{step}')
    return ', '.join(draw(st.lists(st.sampled_from(forms), min_size=1, max_size=3)))


crons = st.fixed_dictionaries(
    {},
    optional={
        'schedule_month': cron_field(1, 12),
        'schedule_day': cron_field(1, 28),
        'schedule_day_of_week': cron_field(0, 6),
        'schedule_hour': cron_field(0, 23),
        'schedule_minute': cron_field(0, 59),
    },
).filter(bool)


class IntervalTest(unittest.TestCase):
    @given(moments, numbers, units, moments, st.none() | moments)
    def test_the_phase_is_kept_whenever_it_is_asked(self, start, number, unit, now, last) -> None:
        plan = parse({
            'schedule_interval': f'{number} {unit}',
            'schedule_start_date': start.isoformat(),
        })  # fmt: skip
        found = next_run(plan, now, last=last)
        after = now if last is None else max(now, last)
        self.assertGreater(found, after)
        self.assertGreaterEqual(found, start)
        self.assertEqual(dt.timedelta(0), (found - start) % plan.interval)
        self.assertTrue(found == start or found - plan.interval <= after)

    @given(moments, numbers, units, st.lists(st.floats(0, 1e7), max_size=5))
    def test_without_a_start_it_is_counted_from_when_it_was_made(
        self, made, number, unit, waits
    ) -> None:
        plan = parse({'schedule_interval': f'{number} {unit}'})
        now, last = made, None
        self.assertEqual(made + plan.interval, next_run(plan, made, made=made))
        for wait in waits:  # restarts at any time
            now += dt.timedelta(seconds=wait)
            found = next_run(plan, now, last=last, made=made)
            self.assertEqual(dt.timedelta(0), (found - made) % plan.interval)
            last = found

    @given(moments, moments, moments)
    def test_nothing_runs_before_the_start_or_after_the_end(self, start, end, now) -> None:
        assume(start <= end)
        plan = parse({
            'schedule_interval': '7 minutes',
            'schedule_start_date': start.isoformat(),
            'schedule_end_date': end.isoformat(),
        })  # fmt: skip
        found = next_run(plan, now)
        if found is None:
            self.assertGreater(now, end - plan.interval)
        else:
            self.assertTrue(start <= found <= end)


class OnceTest(unittest.TestCase):
    @given(moments, st.timedeltas(dt.timedelta(-7), dt.timedelta(7)))
    def test_a_date_runs_once_and_up_to_an_hour_late(self, date, away) -> None:
        plan = parse({'schedule_date': date.isoformat(), 'schedule_interval': '1 hour'})
        late = away > schedule.GRACE
        self.assertEqual(None if late else date, next_run(plan, date + away))
        self.assertIsNone(next_run(plan, date - dt.timedelta(1), last=date))

    @given(moments)
    def test_nothing_given_runs_once_and_soon(self, now) -> None:
        plan = parse({'status': 'scheduled', 'schedule_hour': ''})
        self.assertEqual(now + schedule.SOON, next_run(plan, now))
        self.assertIsNone(next_run(plan, now, last=now))

    @given(moments, zones, st.integers(0, 999999))
    def test_dates_with_fraction_and_offset_are_read(self, moment, zone, micro) -> None:
        moment = moment.replace(microsecond=micro)
        text = moment.astimezone(zone).isoformat(timespec='microseconds')
        self.assertEqual(moment, parse({'schedule_date': text}).date)
        bare = moment.astimezone(zone).replace(tzinfo=None)
        assume(bare.replace(tzinfo=zone).astimezone(UTC) == moment)
        self.assertEqual(moment, parse({'schedule_date': bare.isoformat()}, zone).date)


class CronTest(unittest.TestCase):
    @given(crons, moments)
    def test_a_second_opinion_without_daylight_saving(self, fields, now) -> None:
        fields_of_library = {k.removeprefix('schedule_'): v for k, v in fields.items()}
        theirs = CronTrigger(**fields_of_library, timezone=UTC)
        expected = theirs.get_next_fire_time(None, now + dt.timedelta(microseconds=1))
        self.assertEqual(expected, next_run(parse(fields), now))

    @given(crons, moments, zones)
    def test_it_goes_on_and_on(self, fields, now, zone) -> None:
        plan = parse(fields, zone)
        for _ in range(3):
            found = next_run(plan, now)
            self.assertGreater(found, now)
            # Whenever it is asked in between, the answer is the same.
            self.assertEqual(found, next_run(plan, now + (found - now) / 2))
            self.assertEqual(found, next_run(plan, found - dt.timedelta(microseconds=1)))
            now = found

    @given(
        st.sampled_from([*range(24)]),
        st.integers(0, 59),
        zones,
        st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 1)),
    )
    @example(2, 30, BERLIN, dt.date(2026, 3, 27))
    @example(2, 30, BERLIN, dt.date(2026, 10, 23))
    @example(0, 0, BERLIN, dt.date(2026, 10, 24))
    def test_a_daily_run_is_daily_whatever_the_clock_does(self, hour, minute, zone, day) -> None:
        plan = parse({'schedule_hour': str(hour), 'schedule_minute': str(minute)}, zone)
        now = dt.datetime.combine(day, dt.time(12), zone)
        days = []
        for _ in range(5):
            now = next_run(plan, now)
            days.append(now.astimezone(zone).date())
        self.assertTrue(all(b - a == dt.timedelta(1) for a, b in itertools.pairwise(days)), days)

    @given(st.sampled_from(['*/15', '7', '0, 30']), zones, moments)
    @example('*/15', BERLIN, at('2026-10-25T00:20:00'))
    @example('7', BERLIN, at('2026-10-25T00:50:00'))
    @example('0, 30', ZONES[1], at('2026-04-04T14:45:00'))
    @example('*/15', BERLIN, at('2026-03-29T00:50:00'))
    def test_a_run_of_every_hour_follows_the_clock_minute_by_minute(
        self, minutes, zone, now
    ) -> None:
        """Held against looking at the clock in each of the next 200 minutes."""
        wanted = {'*/15': {0, 15, 30, 45}, '7': {7}, '0, 30': {0, 30}}[minutes]
        plan = parse({'schedule_minute': minutes}, zone)
        minute = now.replace(second=0, microsecond=0)
        for _ in range(200):
            minute += dt.timedelta(minutes=1)
            if minute.astimezone(zone).minute in wanted:
                break
        self.assertEqual(minute, next_run(plan, now))

    def test_days_when_the_clock_jumps(self) -> None:
        for fields, now, expected in (
            # 02:30 is skipped on 29 March: it runs at the jump, 03:00 CEST.
            ({'schedule_hour': '2', 'schedule_minute': '30'}, '2026-03-28T12:00:00',
             '2026-03-29T01:00:00'),
            # 02:30 comes twice on 25 October: it runs the first time only.
            ({'schedule_hour': '2', 'schedule_minute': '30'}, '2026-10-24T12:00:00',
             '2026-10-25T00:30:00'),
            ({'schedule_hour': '2', 'schedule_minute': '30'}, '2026-10-25T00:30:00',
             '2026-10-26T01:30:00'),
            ({'schedule_hour': '2', 'schedule_minute': '30'}, '2026-10-25T01:10:00',
             '2026-10-26T01:30:00'),
            ({'schedule_hour': '2', 'schedule_minute': '*/20'}, '2026-03-29T01:00:00',
             '2026-03-30T00:00:00'),
        ):  # fmt: skip
            with self.subTest(now=now):
                self.assertEqual(at(expected), next_run(parse(fields, BERLIN), at(now)))

    def test_words(self) -> None:
        for fields, expected in (
            ({'schedule_day': 'last'}, '2026-11-30T00:00:00'),
            ({'schedule_day': '1st mon'}, '2026-12-07T00:00:00'),
            ({'schedule_day': 'last fri', 'schedule_hour': '4'}, '2026-11-27T04:00:00'),
            ({'schedule_day_of_week': 'mon, wed'}, '2026-11-23T00:00:00'),
            ({'schedule_month': 'jan-feb'}, '2027-01-01T00:00:00'),
            ({'schedule_year': '2028', 'schedule_week': '53'}, None),
            ({'schedule_month': '2', 'schedule_day': '30'}, None),
            ({'schedule_year': '2025'}, None),
        ):
            with self.subTest(fields=fields):
                found = next_run(parse(fields), at('2026-11-21T10:00:00'))
                self.assertEqual(expected and at(expected), found)

    def test_long_lists_are_no_more_work_than_short_ones(self) -> None:
        for field, part in (('week', '53'), ('day', '5th sun'), ('day_of_week', 'mon-wed')):
            with self.subTest(field=field):
                end = at('2030-01-01T00:00:00')
                cron = cron_fields.trigger([(field, ','.join([part] * 30))], end)
                self.assertEqual([1] * 8, [len(one.expressions) for one in cron.fields])
                alone = CronTrigger(**{field: part}, timezone=UTC, end_date=end)
                now = at('2026-11-21T10:00:00')
                for _ in range(10):
                    found = cron.get_next_fire_time(None, now)
                    self.assertEqual(alone.get_next_fire_time(None, now), found)
                    now = (found or now) + dt.timedelta(seconds=1)

    def test_bounds(self) -> None:
        fields = {'schedule_hour': '*', 'schedule_start_date': '2026-12-01T05:00:00'}
        now = at('2026-11-21T10:00:00')
        self.assertEqual(at('2026-12-01T05:00:00'), next_run(parse(fields), now))
        until = parse({**fields, 'schedule_end_date': '2026-12-01T06:00:00'})
        self.assertEqual(at('2026-12-01T06:00:00'), next_run(until, at('2026-12-01T05:00:00')))
        self.assertIsNone(next_run(until, at('2026-12-01T06:00:00')))


class RefusalTest(unittest.TestCase):
    def test_what_could_not_run_is_refused_by_name(self) -> None:
        for field, value in (
            ('schedule_interval', '0 hours'),
            ('schedule_interval', '2 months'),
            ('schedule_interval', 'hourly'),
            ('schedule_interval', '5\thours'),
            ('schedule_interval', 5),
            ('schedule_interval', '999999999 weeks'),
            ('schedule_date', 'tomorrow'),
            ('schedule_date', '2026-02-30T00:00:00'),
            ('schedule_date', '2026-01-01'),
            ('schedule_start_date', '2026-01-01T00:00:00+25:00'),
            ('schedule_end_date', '0001-01-01T00:00:00+05:00'),
            ('schedule_day', 'mon, wed, fri'),
            ('schedule_day_of_week', '7'),
            ('schedule_hour', '24'),
            ('schedule_hour', 3),
            ('schedule_minute', '*/0'),
            ('schedule_minute', '9-3'),
            ('schedule_year', '26'),
            ('schedule_second', '1;2'),
            ('schedule_week', '1' * 300),
            ('schedule_day_of_week', 'mon wed fri'),
            ('schedule_day_of_week', 'sun, mon-fri/2'),
            ('schedule_month', 'jan;jul'),
            ('schedule_day', '1st mon wed'),
            ('schedule_day', 'lastfri'),
        ):
            with self.subTest(field=field, value=value):
                with self.assertRaises(InvalidRequest) as caught:
                    parse({field: value})
                self.assertIn(field, caught.exception.message)

    def test_an_end_before_the_start(self) -> None:
        with self.assertRaises(InvalidRequest):
            parse({
                'schedule_start_date': '2026-01-02T00:00:00',
                'schedule_end_date': '2026-01-01T00:00:00',
            })  # fmt: skip

    @given(
        st.text(max_size=20),
        st.sampled_from(
            [schedule.DATE, schedule.INTERVAL, 'schedule_day', 'schedule_hour', 'schedule_second']
        ),
        moments,
    )
    def test_what_is_accepted_runs_or_says_never(self, text, field, now) -> None:
        try:
            plan = parse({field: text})
        except InvalidRequest:
            return
        found = next_run(plan, now)
        self.assertTrue(found is None or field == schedule.DATE or found > now)


#: Also what no day has: the 31st of April, a fifth Monday that is a Tuesday, week 53 in June.
days = st.one_of(
    cron_field(1, 31),
    st.sampled_from(
        [
            '30',
            '31',
            'last',
            '1st mon',
            '5th mon',
            '5th sun',
            'last fri, 29',
            '5th mon, last, 1st tue',
            '31, 5th sun',
        ]
    ),
)
rare_crons = st.fixed_dictionaries(
    {},
    optional={
        'schedule_year': st.integers(2018, 2100).map(str),
        'schedule_month': st.one_of(cron_field(1, 12), st.sampled_from(['2', 'apr', 'jun-sep'])),
        'schedule_day': days,
        'schedule_week': st.one_of(cron_field(1, 53), st.sampled_from(['1', '53'])),
        'schedule_day_of_week': st.one_of(cron_field(0, 6), st.sampled_from(['tue', 'fri'])),
        'schedule_hour': cron_field(0, 23),
    },
).filter(bool)


def would_run(document: dict[str, str], now: dt.datetime, made: dt.datetime | None = None) -> bool:
    try:
        require_run(document, now, made=made)
    except InvalidRequest:
        return False
    return True


class NeverTest(unittest.TestCase):
    @given(rare_crons, moments)
    @example({'schedule_month': '2', 'schedule_day': '29', 'schedule_day_of_week': 'mon'},
             at('2072-03-01T00:00:00'))  # fmt: skip
    @example({'schedule_month': '6', 'schedule_week': '53'}, at('2026-11-21T00:00:00'))
    def test_what_is_accepted_is_what_the_library_finds_a_time_for(self, fields, now) -> None:
        theirs = CronTrigger(
            **{name.removeprefix('schedule_'): text for name, text in fields.items()},
            timezone=UTC,
            end_date=now + schedule.HORIZON,
        )
        found = theirs.get_next_fire_time(None, now + dt.timedelta(microseconds=1))
        if 'schedule_year' in fields:  # nobody knows how late it is where it will run
            accepted = would_run(fields, now + dt.timedelta(hours=12))
            self.assertTrue(accepted or found is None or found <= now + dt.timedelta(hours=12))
            self.assertTrue(would_run(fields, now) or found is None)
        else:
            self.assertEqual(found is not None, would_run(fields, now))
        self.assertEqual(found, next_run(parse(fields), now))

    @given(rare_crons, moments, st.timedeltas(dt.timedelta(-3), dt.timedelta(900)))
    def test_an_end_before_the_first_time(self, fields, now, away) -> None:
        fields = {**fields, 'schedule_end_date': (now + away).isoformat()}
        accepted = would_run(fields, now)
        # In the first and the last zone, since it is not said which one.
        for zone in (
            UTC,
            dt.timezone(dt.timedelta(hours=-12)),
            dt.timezone(dt.timedelta(hours=14)),
        ):
            if next_run(parse(fields, zone), now) is not None:
                self.assertTrue(accepted)
                return
        self.assertFalse(accepted)

    @given(numbers, units, moments, moments, st.none() | moments)
    def test_an_interval_that_is_over_before_it_begins(self, number, unit, now, end, made) -> None:
        fields = {
            'schedule_interval': f'{number} {unit}',
            'schedule_end_date': end.isoformat(),
        }
        first = next_run(parse(fields), now, made=made)
        self.assertEqual(first is not None, would_run(fields, now, made))

    @given(
        st.dictionaries(
            st.sampled_from([schedule.DATE, schedule.START, schedule.END]),
            st.one_of(
                st.datetimes().map(lambda moment: moment.isoformat(timespec='seconds')),
                st.sampled_from(
                    ['0001-01-01T00:00:00', '9999-12-31T23:59:59', '9899-12-31T23:59:59']
                ),
            ),
        ),
        st.sampled_from([{}, {schedule.INTERVAL: '5200 weeks'}, {'schedule_hour': '3'}]),
        moments,
    )
    @example({schedule.DATE: '9999-12-31T23:59:59'}, {}, at('2026-11-21T00:00:00'))
    def test_the_ends_of_time_are_accepted_or_refused(self, bounds, fields, now) -> None:
        would_run({**bounds, **fields}, now)

    def test_days_that_there_are_not(self) -> None:
        now = at('2026-11-21T10:00:00')
        for named, fields in (
            ("schedule_day = '30'", {'schedule_month': '2', 'schedule_day': '30'}),
            ("schedule_day = '31'", {'schedule_month': 'apr,jun', 'schedule_day': '31'}),
            ("schedule_week = '53'", {'schedule_month': '6', 'schedule_week': '53'}),
            ('schedule_day_of_week', {'schedule_day': '5th mon', 'schedule_day_of_week': 'tue'}),
            ('5th', {'schedule_month': '2', 'schedule_day': '5th mon', 'schedule_year': '2027'}),
            ("schedule_year = '2001'", {'schedule_year': '2001'}),
            ("schedule_year = '2026'", {'schedule_year': '2026'}),  # on 1 January
            ("schedule_year = '2099'", {'schedule_year': '2099'}),
            ('schedule_date', {'schedule_date': '2026-11-20T10:00:00'}),
            ('schedule_date', {'schedule_date': '2026-11-21T08:59:59Z'}),
            ('before the first run', {'schedule_end_date': '2026-11-20T10:00:00'}),
            ('2026-12-01T03:00:00', {'schedule_day': '1', 'schedule_hour': '3',
                                     'schedule_end_date': '2026-11-29T02:00:00Z'}),
            ('2026-11-22T10:00:00', {'schedule_interval': '1 day',
                                     'schedule_end_date': '2026-11-22T09:00:00Z'}),
            ('schedule_start_date', {'schedule_hour': '3',
                                     'schedule_start_date': '9999-01-01T00:00:00'}),
        ):  # fmt: skip
            with self.subTest(fields=fields):
                with self.assertRaisesRegex(InvalidRequest, 'would never run') as caught:
                    require_run(fields, now)
                self.assertIn(named, caught.exception.message)

    def test_what_is_not_over_everywhere_is_not_refused(self) -> None:
        now = at('2026-11-21T10:00:00')
        for fields in (
            {'schedule_date': '2026-11-20T22:30:00'},  # 12 hours behind, and within the hour
            {'schedule_date': '2026-11-21T09:30:00Z'},
            {'schedule_end_date': '2026-11-20T23:00:00'},
            {'schedule_year': '2026', 'schedule_month': '12'},
        ):  # fmt: skip
            with self.subTest(fields=fields):
                require_run(fields, now)
