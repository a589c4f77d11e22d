"""One tree of errors, each with one stable code.

The API maps a code to an HTTP status in one table (``api/errors.py``); the RPC
layer carries the classes over the wire by name and message, so every class is
built from its message alone.
"""


class SlotwrightError(Exception):
    """Root of everything that Slotwright itself reports."""

    code = 'internal'
    #: Trying again cannot help.
    permanent = False

    def __init__(self, message: str = '') -> None:
        super().__init__(message)
        self.message = message


# What a request may do wrong.


class InvalidRequest(SlotwrightError):
    """The request is malformed or asks for something that cannot be."""

    code = 'invalid_request'


class Unauthorized(SlotwrightError):
    """Nobody known sent the request."""

    code = 'unauthorized'


class Forbidden(SlotwrightError):
    """The request is understood and refused."""

    code = 'forbidden'


class NotFound(SlotwrightError):
    """No such thing, or it belongs to another project."""

    code = 'not_found'


class ClusterBusy(SlotwrightError):
    """Another operation has the cluster."""

    code = 'busy'


class NeverCompleted(SlotwrightError):
    """The cluster's create failed: there is nothing to act on but to delete it."""

    code = 'never_completed'


class MemberOfCluster(SlotwrightError):
    """An instance is asked for what only its cluster can do."""

    code = 'member_of_cluster'


class Ambiguous(SlotwrightError):
    """A name that several things have: say which one by its id."""

    code = 'ambiguous'


class Conflict(SlotwrightError):
    """There is one of that id already, or it was changed since the caller looked."""

    code = 'conflict'


class Unprocessable(SlotwrightError):
    """It refers to something that is not there, or that cannot do it."""

    code = 'unprocessable'


class OverLimit(SlotwrightError):
    """A size or a quota is exceeded."""

    code = 'over_limit'


class NotSupported(SlotwrightError):
    """Switched off, or not offered by this datastore."""

    code = 'not_supported'


class Unavailable(SlotwrightError):
    """A node, the broker or the database does not answer now."""

    code = 'unavailable'


# What the storage tells its callers.


class StorageUnavailable(Unavailable):
    """The database does not answer now."""

    code = 'storage_unavailable'


class LeaseLost(SlotwrightError):
    """The fence of a cluster moved on: another worker owns the operation."""

    code = 'lease_lost'


class AddressTaken(SlotwrightError):
    """Somebody else was given this address first."""

    code = 'address_taken'


class NotEnoughHosts(SlotwrightError):
    """The group has not as many hosts as the cluster needs."""

    code = 'not_enough_hosts'
    permanent = True


# What the pools, flavors and the catalogue refuse.


class PoolDoesNotExist(NotFound):
    """No pool of that name."""

    code = 'pool_does_not_exist'


class FlavorDoesNotExist(NotFound):
    """No flavor of that name, or it belongs to another project."""

    code = 'flavor_does_not_exist'


class QueueNotMapped(NotFound):
    """The catalogue knows no pool for it."""

    code = 'queue_not_mapped'


class NoRoom(Forbidden):
    """No pool can take what is asked for now."""

    code = 'no_room'


class PoolInUseByFlavor(Forbidden):
    """The last pool of a flavor that exists cannot be deleted."""

    code = 'pool_in_use_by_flavor'


class NameCollision(SlotwrightError):
    """The name is taken by something that the store keeps in the same place."""

    code = 'name_collision'


# What a guest agent answers.


class GuestError(SlotwrightError):
    """A guest refused or failed a command. Try again unless ``permanent``."""

    code = 'guest'


class StaleEpoch(GuestError):
    """The command's epoch is older than one that this guest has obeyed."""

    code = 'stale_epoch'
    permanent = True


class WrongCluster(GuestError):
    """The command names another cluster than the guest serves."""

    code = 'wrong_cluster'
    permanent = True


class NotPrepared(GuestError):
    """The guest has no Redis to command yet."""

    code = 'not_prepared'


class EngineFailed(GuestError):
    """redis-server does not start or does not stay up."""

    code = 'engine_failed'
    permanent = True


class EngineNotFound(GuestError):
    """No server binary for the datastore version on this host."""

    code = 'engine_not_found'
    permanent = True


class StateDamaged(GuestError):
    """The agent cannot read what it knew, its fence included: it obeys nobody."""

    code = 'state_damaged'


class NodeHoldsData(GuestError):
    """The node owns slots, is importing one, or holds keys."""

    code = 'node_holds_data'
    permanent = True


class CommandRefused(GuestError):
    """Redis answered a CLUSTER command with an error."""

    code = 'command_refused'


class GuestSilent(GuestError):
    """No answer from the guest within the time given."""

    code = 'guest_silent'
