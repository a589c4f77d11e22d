"""What users ask of a job: start, stop, abort. Its client's scheduler sees the event and obeys."""

from dataclasses import replace

from slotwright.domain.backup_model import Job
from slotwright.domain.errors import InvalidRequest

EVENTS = ('start', 'stop', 'abort')
STATUSES = ('', 'completed', 'stop', 'scheduled', 'running', 'aborting', 'removed')
RESULTS = ('', 'success', 'fail', 'aborted')
#: What a job_schedule may have as its event; the scheduler clears it.
SCHEDULED_EVENTS = ('', *EVENTS, 'remove')


def request(job: Job, event: str) -> tuple[Job, str]:
    """The job with an event asked for, and the word for it: also when it was already.

    :raises InvalidRequest: for an unknown event.
    """
    if event not in EVENTS:
        raise InvalidRequest(f'Bad Action Method: {event[:60]!r} is none of {", ".join(EVENTS)}.')
    if job.schedule.get('event') == event:
        return job, f'{event} already requested'
    asked = {'event': event} | ({'status': '', 'result': ''} if event == 'start' else {})
    return replace(job, schedule={**job.schedule, **asked}), 'success'
