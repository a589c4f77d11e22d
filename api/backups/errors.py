"""Errors as Freezer's clients understand them: ``{"title": …, "description": …}``."""

from collections.abc import Mapping

#: As freezer_api/common/exceptions.py has them.
TITLES: Mapping[int, str] = {
    400: 'Bad request format',
    401: 'Unauthorized',
    403: 'Access Forbidden',
    404: 'Not Found',
    405: 'Bad Method',
    409: 'Conflict',
    413: 'Request entity too large',
    415: 'Unsupported media type',
    422: 'Unprocessable Entity',
    503: 'Service temporarily unavailable',
}


def envelope(status: int, message: str) -> dict[str, str]:
    """The body for an HTTP status of 400 and above."""
    fallback = 'Internal Server Error' if status >= 500 else TITLES[400]
    return {'title': TITLES.get(status, fallback), 'description': message}
