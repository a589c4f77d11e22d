"""Errors as Zaqar's clients understand them: ``{"title": …, "description": …}``."""

from collections.abc import Mapping

#: As zaqar/transport/wsgi/errors.py has them.
TITLES: Mapping[int, str] = {
    400: 'Invalid API request',
    401: 'Unauthorized',
    403: 'Not authorized',
    404: 'Not found',
    405: 'Method not allowed',
    409: 'Resource conflict',
    413: 'Request entity too large',
    415: 'Unsupported media type',
    503: 'Service temporarily unavailable',
}


def envelope(status: int, message: str) -> dict[str, str]:
    """The body for an HTTP status of 400 and above."""
    fallback = 'Internal server error' if status >= 500 else TITLES[400]
    return {'title': TITLES.get(status, fallback), 'description': message}
