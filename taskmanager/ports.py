"""What operations need of the world, to be passed in.

Operations start no threads and read no clock of their own: fanning out, waiting, ids and
time come through these. So the same operations run on threads, or in simulated time.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from slotwright.domain.clusters import Instance
from slotwright.rpc.contract import GuestAgentAPI
from slotwright.storage.base import Claim

T = TypeVar('T')


class Fanout(Protocol):
    """Runs calls side by side."""

    def __call__(self, calls: Mapping[str, Callable[[], T]]) -> Mapping[str, T | Exception]:
        """Run all and answer, by the same keys, what each returned or raised."""


class Waiter(Protocol):
    """Lets time pass for an operation."""

    def wait(self, seconds: float) -> None:
        """Return after ``seconds``, or sooner when something was reported."""


class Guests(Protocol):
    """The way to the guest agents."""

    def node(self, instance_id: str) -> GuestAgentAPI: ...


class Provisioner(Protocol):
    """Where instances run.

    :raises slotwright.domain.errors.SlotwrightError: from every method; the operation
        tries again, or fails when the error is marked permanent.
    """

    def provision(self, claim: Claim, instance: Instance) -> None:
        """Give the instance a host and an address and see that its agent runs.

        Idempotent; of a placed instance only the agent is seen after.
        """

    def destroy(self, instance: Instance) -> None:
        """Take away what ``provision`` made, after the agent wiped the instance."""

    def tend(self) -> None:
        """See that the agents of all instances here run. Called now and then."""

    def close(self) -> None:
        """Leave the agents and their Redis running and let go of them."""


class Launcher(Protocol):
    """How a provisioner runs agents on this machine."""

    def warm_up(self) -> None:
        """Make the next start a quick one. Called now and then."""

    def start(self, instance_id: str, directory: str) -> None:
        """Start the agent unless it runs.

        :raises SlotwrightError: when it cannot be started (now).
        """

    def stop(self, instance_id: str, directory: str) -> None:
        """See that the agent, which has wiped its instance, is gone.

        :raises Unavailable: when it is not, after a while.
        """

    def reap(self) -> None:
        """Let go of agents that ended by themselves. Called now and then."""

    def close(self) -> None:
        """Let go of all agents (those in this process end with it)."""


class Ids(Protocol):
    def __call__(self) -> str:
        """A new unique id."""


Clock = Callable[[], float]
"""Seconds on a clock that never goes back."""

ForgetAgent = Callable[[str], bool]
"""Deletes what the broker keeps for the agent of an instance that is gone."""
