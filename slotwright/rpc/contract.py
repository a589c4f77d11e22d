"""What the daemons say to one another: topics, versions, methods and payloads.

Clients (``clients.py``) and endpoints (``taskmanager/endpoint.py``,
``guestagent/endpoint.py``) are both held against these protocols by a test.

Commands to guests are calls, never casts: a stale cast would run when a dead guest
returns, an expired call does not. Every guest command carries a ``CommandContext``;
the methods' own arguments stay those of the seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EXCHANGE = 'slotwright'

FIRST_VERSION = '1.0'

TASKMANAGER_TOPIC = 'taskmanager'
TASKMANAGER_VERSION = '1.1'
#: Methods that came after 1.0: all others are sent as 1.0, which older servers take too.
TASKMANAGER_SINCE = {'announce': '1.1'}

GUESTAGENT_TOPIC = 'guestagent'
GUESTAGENT_VERSION = '1.0'

Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The RPC context of a message.

    ``epoch`` is ``clusters.epoch`` of the worker's claim, None for reads that anyone may
    make. ``command_id`` names one command: a guest answers a repeated one with its first
    answer and does not run it again.
    """

    request_id: str = ''
    project_id: str = ''
    cluster_id: str = ''
    epoch: int | None = None
    command_id: str = ''

    def to_wire(self) -> dict[str, Any]:
        return {
            'request_id': self.request_id,
            'project_id': self.project_id,
            'cluster_id': self.cluster_id,
            'epoch': self.epoch,
            'command_id': self.command_id,
        }

    @classmethod
    def from_wire(cls, data: Wire) -> 'CommandContext':
        epoch = data.get('epoch')
        return cls(
            request_id=str(data.get('request_id') or ''),
            project_id=str(data.get('project_id') or ''),
            cluster_id=str(data.get('cluster_id') or ''),
            epoch=None if epoch is None else int(epoch),
            command_id=str(data.get('command_id') or ''),
        )


class TaskManagerAPI(Protocol):
    """Topic ``taskmanager``; any taskmanager may take a message.

    The casts about a cluster are wake-ups: the operation row is what counts, and a sweep
    finds it when the cast is lost.
    """

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None: ...

    def grow_cluster(
        self, context: CommandContext, cluster_id: str, new_instance_ids: Sequence[str]
    ) -> None: ...

    def shrink_cluster(
        self, context: CommandContext, cluster_id: str, instance_ids: Sequence[str]
    ) -> None: ...

    def delete_cluster(self, context: CommandContext, cluster_id: str) -> None: ...

    def update_cluster(self, context: CommandContext, cluster_id: str) -> None:
        """Cast: wake up for any other kind of operation on the cluster."""

    def report(self, context: CommandContext, instance_id: str, report: Wire) -> None:
        """Cast: an agent's heartbeat.

        ``report``: {'running': bool, 'node_id': str | None, 'volume_used': GiB as float,
        'wiped': bool, 'fault': str | None} and, now and then, 'gauges': the fields of
        ``domain.gauges.Gauges``. ``wiped`` tells that nothing of the instance is
        left on the host; ``fault`` what keeps the agent from its work, for people.
        """

    def assignment(self, context: CommandContext, instance_id: str) -> Wire:
        """Call: what an agent that (re)starts is for.

        Answer: {'wanted': bool, 'cluster_id': str}. Not wanted: the agent wipes itself
        before it touches Redis in any other way.

        :raises NotFound: nothing is known of the instance, so nothing is to be done to it.
        """

    def announce(self, context: CommandContext, host_id: str, announcement: Wire) -> Wire:
        """Call (since 1.1): an enrolled host is there; what is it to serve?

        ``announcement``: {'group': str, 'machine': str, 'address': {ip, port, bus_port},
        'ram': MiB, 'holds': instance id whose files lie there, ''}. Answer:
        {'instance_id': str}, '' while nobody needs the host.

        :raises InvalidRequest: the announcement is malformed.
        :raises AddressTaken: another host that is not silent announces the address.
        :raises Forbidden: the host has an instance, and wants another address.
        """


class GuestAgentAPI(Protocol):
    """Topic ``guestagent``, server = instance id.

    :raises slotwright.domain.errors.GuestError: and its subclasses, from every method.
    """

    # The seed's six, with its signatures.

    def get_node_ip(self, context: CommandContext) -> Wire:
        """The node's own address: {'ip', 'port', 'bus_port'}."""

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        """The node id, or None while the node owns slots. Changes nothing."""

    def remove_nodes(self, context: CommandContext, node_ids: Sequence[str]) -> None:
        """FORGET the nodes. Unknown ones count as done.

        :raises NodeHoldsData: when one of them owns slots here; nothing is forgotten.
        """

    def cluster_meet(self, context: CommandContext, ip: str, port: int) -> None: ...

    def cluster_addslots(self, context: CommandContext, first_slot: int, last_slot: int) -> None:
        """Take the slots, both ends included. Those already owned count as done."""

    def cluster_complete(self, context: CommandContext) -> None:
        """The cluster is complete: settings changed for forming are put back."""

    # What the rest needs.

    def prepare(self, context: CommandContext, spec: Wire) -> None:
        """Write redis.conf, start redis-server, wait until it answers.

        ``spec``: {'address': {ip, port, bus_port}, 'datastore_version': str, 'ram': MiB,
        'secret': str, 'tenant_hash': str} and, where a pool names one, 'datastore_binary': str,
        a server on PATH that runs whatever the version; agents from before pools run the
        version's. Already prepared: starts it when it is down.
        """

    def status(self, context: CommandContext) -> Wire:
        """See ``slotwright.domain.topology.NodeStatus.from_wire``; ``nodes`` is text.

        An epoch in the context raises the guest's fence: older commands are refused
        from then on.
        """

    def set_config_epoch(self, context: CommandContext, config_epoch: int) -> None:
        """CLUSTER SET-CONFIG-EPOCH. No-op when the node has an epoch or knows a peer."""

    def bump_epoch(self, context: CommandContext) -> None:
        """CLUSTER BUMPEPOCH, to tell masters apart that share a config epoch."""

    def cluster_join(
        self,
        context: CommandContext,
        peers: Sequence[Wire],
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        patience: float,
    ) -> bool:
        """MEET all ``peers`` and see the join through, up to ``patience`` seconds.

        ``peers``: [{'node_id', 'ip', 'port', 'bus_port'}] this node meets. ``members``:
        slots that every node id of the cluster owns ([[first, last], …]). ``forming``:
        the cluster never served, so cluster-node-timeout may be lowered meanwhile.
        Answers whether this node knows exactly that cluster and says cluster_state:ok.
        """

    def restore_settings(self, context: CommandContext) -> None:
        """Put settings back that were changed for forming."""

    def set_users(self, context: CommandContext, tenant_hash: str) -> None:
        """Give the tenant's user this password (SHA-256, hex); '' takes its access away."""

    def retire(self, context: CommandContext) -> str:
        """Lock the tenant out of a node about to be removed and check it once more.

        Answers its node id.
        :raises NodeHoldsData: the tenant is let in again.
        """

    def leave(self, context: CommandContext) -> None:
        """CLUSTER RESET HARD, stop, wipe: the node never comes back.

        :raises NodeHoldsData: when Redis holds keys or slots; nothing is changed.
        """

    def stop(self, context: CommandContext, wipe: bool) -> None:
        """Stop redis-server; with ``wipe`` remove all that the instance has here."""
