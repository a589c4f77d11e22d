"""Runs the actions of a plan: the only place that knows how each is done."""

import functools
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from slotwright import log
from slotwright.domain import actions
from slotwright.domain.clusters import Cluster, Instance, Operation
from slotwright.domain.errors import NotFound, SlotwrightError, Unavailable
from slotwright.domain.states import OperationKind
from slotwright.rpc.contract import CommandContext, GuestAgentAPI
from slotwright.storage.base import Claim, ManagementStore
from taskmanager.ports import ForgetAgent, Guests, Ids, Provisioner

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed operation, with its cluster as last loaded."""

    claim: Claim
    cluster: Cluster
    operation: Operation

    def instance(self, instance_id: str) -> Instance:
        """:raises NotFound: when it is no member (any more)."""
        instance = self.cluster.instance(instance_id)
        if instance is None:
            raise NotFound(f'Instance {instance_id} does not exist.')
        return instance


@dataclass(frozen=True, slots=True)
class Failed:
    """An action that could not be done, and why."""

    action: actions.Action
    error: SlotwrightError


class ActionRunner:
    """Does what an action says, through guests, provisioner and storage."""

    def __init__(
        self,
        store: ManagementStore,
        guests: Guests,
        provisioner: Provisioner,
        ids: Ids,
        forget_agent: ForgetAgent,
        join_patience: float,
    ) -> None:
        self._store = store
        self._guests = guests
        self._provisioner = provisioner
        self._ids = ids
        self._forget_agent = forget_agent
        self._join_patience = join_patience

    def run(self, work: Work, wanted: Iterable[actions.Action]) -> Failed | None:
        """Run actions one after the other, up to the first that cannot be done."""
        with log.about(work.operation.request_id, work.cluster.id):
            for action in wanted:
                try:
                    self._run(action, work)
                except SlotwrightError as error:
                    return Failed(action, error)
        return None

    def context(self, work: Work) -> CommandContext:
        """The context of a new command under the work's claim."""
        return CommandContext(
            request_id=work.operation.request_id,
            project_id=work.cluster.project_id,
            cluster_id=work.cluster.id,
            epoch=work.claim.epoch,
            command_id=self._ids(),
        )

    def _guest(self, action: actions.Action) -> GuestAgentAPI:
        return self._guests.node(action.instance_id)

    @functools.singledispatchmethod
    def _run(self, action: actions.Action, work: Work) -> None:
        raise TypeError(f'no way to run {action}')

    @_run.register
    def _provision(self, action: actions.Provision, work: Work) -> None:
        self._provisioner.provision(work.claim, work.instance(action.instance_id))

    @_run.register
    def _prepare(self, action: actions.Prepare, work: Work) -> None:
        instance = work.instance(action.instance_id)
        if instance.address is None:
            raise NotFound(f'Instance {instance.id} has no address.')
        spec = {
            'address': instance.address.to_wire(),
            'datastore_version': work.cluster.datastore_version,
            'ram': instance.ram,
            'secret': work.cluster.secret,
            'tenant_hash': work.cluster.tenant_hash,
        }
        if 'datastore_binary' in instance.pool_options:
            spec['datastore_binary'] = instance.pool_options['datastore_binary']
        self._guest(action).prepare(self.context(work), spec)

    @_run.register
    def _add_slots(self, action: actions.AddSlots, work: Work) -> None:
        first, last = action.slots
        self._guest(action).cluster_addslots(self.context(work), first, last)

    @_run.register
    def _set_config_epoch(self, action: actions.SetConfigEpoch, work: Work) -> None:
        self._guest(action).set_config_epoch(self.context(work), action.config_epoch)

    @_run.register
    def _bump_epoch(self, action: actions.BumpEpoch, work: Work) -> None:
        self._guest(action).bump_epoch(self.context(work))

    @_run.register
    def _join(self, action: actions.Join, work: Work) -> None:
        peers = [{'node_id': node_id, **at.to_wire()} for node_id, at in action.peers]
        members = {node_id: [list(r) for r in owned] for node_id, owned in action.members}
        self._guest(action).cluster_join(
            self.context(work), peers, members, action.forming, self._join_patience
        )

    @_run.register
    def _restore_settings(self, action: actions.RestoreSettings, work: Work) -> None:
        self._guest(action).restore_settings(self.context(work))

    @_run.register
    def _set_users(self, action: actions.SetUsers, work: Work) -> None:
        self._guest(action).set_users(self.context(work), action.tenant_hash)

    @_run.register
    def _complete(self, action: actions.Complete, work: Work) -> None:
        self._guest(action).cluster_complete(self.context(work))

    @_run.register
    def _retire(self, action: actions.Retire, work: Work) -> None:
        self._guest(action).retire(self.context(work))

    @_run.register
    def _forget(self, action: actions.Forget, work: Work) -> None:
        self._guest(action).remove_nodes(self.context(work), action.node_ids)

    @_run.register
    def _dismantle(self, action: actions.Dismantle, work: Work) -> None:
        instance = work.instance(action.instance_id)
        if instance.address is not None:
            if action.reset:
                self._guest(action).leave(self.context(work))
            else:
                self._guest(action).stop(self.context(work), wipe=True)
            self._provisioner.destroy(instance)
            self._forget_its_queue(instance)
        if work.operation.kind is OperationKind.CREATE:
            fault = work.operation.reason or 'The cluster could not be created.'
            self._store.free_instance(work.claim, instance.id, fault)
        else:
            self._store.drop_instance(work.claim, instance.id, tombstone=False)

    @_run.register
    def _abandon(self, action: actions.Abandon, work: Work) -> None:
        self._store.drop_instance(work.claim, action.instance_id, tombstone=True)

    def _forget_its_queue(self, instance: Instance) -> None:
        try:
            self._forget_agent(instance.id)
        except Unavailable as error:
            # An empty queue is all that stays; no reason to keep the instance.
            LOG.warning('The queue of instance %s stays: %s', instance.id, error)
