"""Errors as Trove's clients understand them: one table, one envelope.

Every answer that is not a success has the body ``{"<name>": {"code": N, "message": "…"}}``,
whoever made it: our own code, the framework or the server below it. The names are those
of trove/common/wsgi.py.
"""

from collections.abc import Mapping
from http import HTTPStatus

from slotwright.domain.errors import SlotwrightError

Envelope = dict[str, dict[str, int | str]]

#: Error code of ``slotwright.domain.errors`` -> HTTP status and name of the envelope.
TABLE: Mapping[str, tuple[int, str]] = {
    'invalid_request': (400, 'badRequest'),
    'unauthorized': (401, 'unauthorized'),
    'forbidden': (403, 'forbidden'),
    'pool_in_use_by_flavor': (403, 'forbidden'),
    'no_room': (403, 'forbidden'),
    'not_found': (404, 'itemNotFound'),
    'pool_does_not_exist': (404, 'itemNotFound'),
    'flavor_does_not_exist': (404, 'itemNotFound'),
    'queue_not_mapped': (404, 'itemNotFound'),
    'method_not_allowed': (405, 'badMethod'),
    'ambiguous': (409, 'conflict'),
    'name_collision': (409, 'conflict'),
    'conflict': (409, 'conflict'),
    'over_limit': (413, 'overLimit'),
    'unsupported_media_type': (415, 'badMediaType'),
    'busy': (422, 'unprocessableEntity'),
    'never_completed': (422, 'unprocessableEntity'),
    'member_of_cluster': (422, 'unprocessableEntity'),
    'unprocessable': (422, 'unprocessableEntity'),
    'internal': (500, 'instanceFault'),
    'not_supported': (501, 'notImplemented'),
    'unavailable': (503, 'serviceUnavailable'),
    'storage_unavailable': (503, 'serviceUnavailable'),
    # What follows is between the daemons. Should one get here, the caller may try again.
    'lease_lost': (503, 'serviceUnavailable'),
    'address_taken': (503, 'serviceUnavailable'),
    'not_enough_hosts': (503, 'serviceUnavailable'),
    'guest': (503, 'serviceUnavailable'),
    'guest_silent': (503, 'serviceUnavailable'),
    'stale_epoch': (503, 'serviceUnavailable'),
    'wrong_cluster': (503, 'serviceUnavailable'),
    'not_prepared': (503, 'serviceUnavailable'),
    'state_damaged': (503, 'serviceUnavailable'),
    'engine_failed': (503, 'serviceUnavailable'),
    'engine_not_found': (503, 'serviceUnavailable'),
    'node_holds_data': (503, 'serviceUnavailable'),
    'command_refused': (503, 'serviceUnavailable'),
}

_NAME_OF_STATUS = dict(TABLE.values())

#: Words for statuses that the framework and the server raise without any of their own.
_DEFAULT_MESSAGES = {
    404: 'The resource could not be found.',
    405: 'The method is not allowed for this resource; see the Allow header.',
}


class UnsupportedMediaType(SlotwrightError):
    """The body is not declared to be JSON."""

    code = 'unsupported_media_type'


def of_error(error: SlotwrightError) -> tuple[int, Envelope]:
    """HTTP status and body for an error of ours."""
    status, name = TABLE.get(error.code, TABLE['internal'])
    return status, {name: {'code': status, 'message': error.message}}


def of_status(status: int, message: str | None = None) -> Envelope:
    """The body for any HTTP status of 400 and above.

    >>> of_status(405)['badMethod']['code']
    405
    >>> of_status(431, 'too long')
    {'badRequest': {'code': 431, 'message': 'too long'}}
    """
    fallback = TABLE['internal'] if status >= 500 else TABLE['invalid_request']
    name = _NAME_OF_STATUS.get(status, fallback[1])
    text = message or _DEFAULT_MESSAGES.get(status) or _phrase(status)
    return {name: {'code': status, 'message': text}}


def unexpected(request_id: str) -> Envelope:
    """The body of a 500: nothing of the inside, but what finds it in the log."""
    return of_status(
        500,
        'Internal Server Error. Please keep this ID to help us figure out what went wrong: '
        f'({request_id}).',
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return 'The request failed.'
