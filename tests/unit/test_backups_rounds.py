"""Events of jobs and rounds of sessions, as pure functions."""

import itertools
import unittest

from slotwright.domain import job_events, session_rounds
from slotwright.domain.backup_model import Job, Session, SessionJob
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.session_rounds import HELD_OFF, OUT_OF_SYNC, SUCCESS


def session(*jobs: str, **more: object) -> Session:
    members = tuple(SessionJob(job, 'c') for job in jobs)
    return Session('s', 'p', 'u', jobs=members, **more)


class EventsTest(unittest.TestCase):
    def test_each_event_is_asked_for_once(self) -> None:
        state = {'status': 'completed', 'result': 'fail', 'schedule_hour': '3'}
        for event, kept in (('start', ('', '')), ('stop', ('completed', 'fail')),
                            ('abort', ('completed', 'fail'))):  # fmt: skip
            job = Job('j', 'p', 'u', 'c', state)
            asked, word = job_events.request(job, event)
            self.assertEqual('success', word)
            self.assertEqual(
                {'event': event, 'status': kept[0], 'result': kept[1], 'schedule_hour': '3'},
                asked.schedule,
            )
            self.assertEqual((asked, f'{event} already requested'),
                             job_events.request(asked, event))  # fmt: skip

    def test_an_unknown_event(self) -> None:
        self.assertRaises(InvalidRequest, job_events.request, Job('j', 'p', 'u', 'c'), 'remove')


class RoundsTest(unittest.TestCase):
    def test_after_the_last_number(self) -> None:
        last = session('a', session_tag=session_rounds.LAST_TAG)
        with self.assertRaises(InvalidRequest) as caught:
            session_rounds.start(last, 'a', session_rounds.LAST_TAG, 100)
        self.assertIn('PATCH the session with a smaller one', str(caught.exception))

    def test_a_round(self) -> None:
        at, word = session_rounds.start(session('a', 'b'), 'a', 0, 100)
        self.assertEqual((SUCCESS, 1, 'running', 100), (word, at.session_tag, at.status,
                                                        at.time_started))  # fmt: skip
        self.assertEqual((at, HELD_OFF), session_rounds.start(at, 'a', 1, 110))
        at, word = session_rounds.start(at, 'b', 0, 130)
        self.assertEqual((SUCCESS, 1, 'running'), (word, at.session_tag, at.job('b').status))
        self.assertEqual((at, OUT_OF_SYNC), session_rounds.start(at, 'b', 0, 131))
        at, _ = session_rounds.end(at, 'b', 'success', 1, 140)
        self.assertEqual('running', at.status)
        at, _ = session_rounds.end(at, 'a', 'success', None, 150)
        self.assertEqual(('completed', 'success', 150, 150), (at.status, at.result, at.time_end,
                                                              at.time_ended))  # fmt: skip
        self.assertEqual((at, SUCCESS), session_rounds.end(at, 'a', 'success', 1, 160))

    def test_the_end_of_an_old_round_does_not_touch_the_next(self) -> None:
        at, _ = session_rounds.start(session('a', 'b'), 'a', 0, 100)
        at, _ = session_rounds.start(at, 'a', 1, 200)
        self.assertEqual(2, at.session_tag)
        self.assertEqual((at, OUT_OF_SYNC), session_rounds.end(at, 'a', 'success', 1, 201))
        self.assertEqual(('running', ''), (at.job('a').status, at.job('b').status))

    def test_the_result_does_not_hang_on_the_order(self) -> None:
        results = ('success', 'fail', 'aborted')
        for names in itertools.permutations('abc'):
            at = session(*names)
            for name in names:
                at, _ = session_rounds.start(at, name, 0, 100)
            for name, result in zip('abc', results, strict=True):
                self.assertEqual('running', at.status)
                at, _ = session_rounds.end(at, name, result, 1, 110)
            self.assertEqual(('completed', 'fail'), (at.status, at.result))

    def test_refusals(self) -> None:
        for act in (
            lambda: session_rounds.start(session('a'), 'x', 0, 1),
            lambda: session_rounds.start(session('a'), 'a', 1, 1),
            lambda: session_rounds.end(session('a'), 'x', 'success', 0, 1),
            lambda: session_rounds.end(session('a'), 'a', 'success', 1, 1),
        ):
            self.assertRaises(InvalidRequest, act)

    def test_the_clock_may_begin_at_zero_or_step_back(self) -> None:
        at, word = session_rounds.start(session('a', hold_off=30), 'a', 0, 0)
        self.assertEqual((SUCCESS, 1), (word, at.session_tag))
        self.assertEqual(HELD_OFF, session_rounds.start(at, 'a', 1, -50)[1])

    def test_joining_and_leaving(self) -> None:
        job = Job('j', 'p', 'u', 'c', {'schedule_hour': '3', 'status': 'scheduled'})
        at, joined = session_rounds.join(session('a', schedule={'schedule_day': '1'}), job)
        self.assertEqual({'schedule_day': '1', 'status': 'scheduled'}, joined.schedule)
        self.assertEqual('scheduled', at.job('j').status)
        self.assertEqual((at, joined), session_rounds.join(at, joined))
        _, kept = session_rounds.join(session('a'), job)
        self.assertEqual(job.schedule, kept.schedule)
        at, _ = session_rounds.start(at, 'a', 0, 10)
        at, _ = session_rounds.end(at, 'a', 'success', 1, 11)
        self.assertEqual('running', at.status)
        at, left = session_rounds.leave(at, joined, 12)
        self.assertEqual(('completed', 12), (at.status, at.time_end))
        self.assertEqual({**joined.schedule, 'event': 'stop'}, left.schedule)
