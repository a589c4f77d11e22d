"""What the errors of redis-py mean, told apart for one server and for a cluster."""

from collections.abc import Mapping

from redis import exceptions

#: The server cannot be talked to: worth another connection.
GONE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.InvalidResponse, OSError)
#: Subclasses of ConnectionError that no other connection mends.
_LOCKED_OUT = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.MaxConnectionsError,
)
#: Answers of a cluster's node that another node, or the same a little later, does not give.
_PASSING = (exceptions.ClusterDownError, exceptions.TryAgainError)

#: By their first words: redis-py 5 knows these only in its cluster client.
_OF_CLUSTERS: Mapping[str, type[exceptions.ResponseError]] = {
    'ASK': exceptions.AskError,
    'CLUSTERDOWN': exceptions.ClusterDownError,
    'MASTERDOWN': exceptions.MasterDownError,
    'MOVED': exceptions.MovedError,
    'TRYAGAIN': exceptions.TryAgainError,
}


def is_lost(error: Exception) -> bool:
    """Whether the connection is the reason, on one server and for publish and subscribe."""
    return isinstance(error, GONE) and not isinstance(error, _LOCKED_OUT)


def is_lost_in_cluster(error: Exception) -> bool:
    """The same in a cluster, where a slot may have no owner for a moment.

    redis-py's RedisClusterException, which is no RedisError, comes of its own cluster client
    only; that is not used here (doc/adr/0012).
    """
    return is_lost(error) or isinstance(error, _PASSING)


def in_cluster(error: exceptions.ResponseError) -> exceptions.ResponseError:
    """The error of a cluster's node, as redis-py's cluster client would raise it.

    >>> in_cluster(exceptions.ResponseError('MOVED 7 h:1')).port
    1
    """
    word, _, rest = str(error).partition(' ')
    kind = _OF_CLUSTERS.get(word)
    return kind(rest) if kind and type(error) is exceptions.ResponseError else error


def words(error: Exception) -> str:
    """For people: what kind of error, and what it says."""
    return f'{type(error).__name__}: {error}'
