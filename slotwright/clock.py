"""What time it is, for those who are given a clock."""

import datetime


def utcnow() -> datetime.datetime:
    """Naive UTC, as the records have it."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
