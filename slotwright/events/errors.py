"""What the drivers of ``slotwright.events`` report."""

from slotwright.domain.errors import InvalidRequest, NotFound, SlotwrightError, Unavailable


class StoreUnavailable(Unavailable):
    """The connection was lost, and lost again each time it was tried."""

    code = 'events_unavailable'


class StoreRefused(SlotwrightError):
    """The store answered, with an error that trying again does not mend."""

    code = 'events_refused'


class RowExists(SlotwrightError):
    """The table has a row under this key."""

    code = 'row_exists'


class RowNotFound(NotFound):
    """The table has no row under this key."""

    code = 'row_not_found'


class NotJson(InvalidRequest):
    """A name that is no text, or a value that cannot be written as JSON."""

    code = 'not_json'


class PublishFailed(Unavailable):
    """Nobody can say whether it was published. Undo what it would have told of."""

    code = 'publish_failed'


class SubscribeFailed(Unavailable):
    """The subscription does not stand."""

    code = 'subscribe_failed'
