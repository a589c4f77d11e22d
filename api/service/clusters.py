"""Create, grow, shrink and delete: validate everything, then store it, then wake a worker."""

import functools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from api import schemas
from api.datastores import Datastores
from api.policy.clusters import of_action
from api.ports import Caller, Guests, Ids, Secrets, Store, context_of
from api.service.places import Places
from api.service.wakeups import wake
from api.settings import Settings
from api.strategy import APIStrategy, Member, MemberRequest
from slotwright.domain import states
from slotwright.domain.clusters import Cluster, Flavor, Instance
from slotwright.domain.errors import (
    ClusterBusy,
    Forbidden,
    InvalidRequest,
    NeverCompleted,
    NotSupported,
    SlotwrightError,
    Unavailable,
)
from slotwright.domain.placement import Placement
from slotwright.domain.states import OperationKind
from slotwright.rpc.contract import CommandContext, TaskManagerAPI
from slotwright.storage.base import FlavorStore, NewCluster, NewInstance, NewOperation

LOG = logging.getLogger(__name__)


#: Actions of Trove's that have no meaning here, and why.
_REASONS = {
    'upgrade': 'a cluster stays at the datastore version it was made of; make another one',
    'restart': 'a redis-server that dies is started again by its agent',
    'configuration_attach': 'configuration groups are not supported by the datastore',
    'configuration_detach': 'configuration groups are not supported by the datastore',
    'add_shard': 'every node of a redis cluster is a shard; use grow',
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A cluster as it was just after a request was stored, and the members that are new."""

    cluster: Cluster
    new: tuple[Instance, ...] = ()


class ClusterService:
    """The life of clusters. Safe for use by many threads."""

    def __init__(
        self,
        *,
        store: Store,
        flavors: FlavorStore,
        places: Places,
        strategy: APIStrategy,
        datastores: Datastores,
        taskmanager: TaskManagerAPI,
        guests: Guests,
        executor: Executor,
        settings: Settings,
        ids: Ids,
        secrets: Secrets,
    ) -> None:
        self._store = store
        self._flavors = flavors
        self._places = places
        self._strategy = strategy
        self._datastores = datastores
        self._taskmanager = taskmanager
        self._guests = guests
        self._executor = executor
        self._settings = settings
        self._new_id = ids
        self._new_secret = secrets

    def create(self, caller: Caller, body: object) -> Accepted:
        """Accept a new cluster.

        :raises SlotwrightError: for anything wrong with it; nothing is stored then.
        """
        wanted = schemas.CREATE_BODY.check(body)['cluster']
        version = self._datastores.choose(wanted['datastore'])
        self.require_support(version.name)
        get_flavor = functools.cache(self._flavors.get_flavor)
        members = self._check_members(wanted['instances'], get_flavor)
        new = self._new_instances(members)
        locality = wanted.get('locality')
        cluster = self._store.create_cluster(
            NewCluster(
                id=self._new_id(),
                project_id=caller.project_id,
                name=wanted['name'],
                datastore=self._datastores.name,
                datastore_version=version.name,
                secret=self._new_secret(),
                locality=locality,
                extended_properties=wanted.get('extended_properties', {}),
            ),
            new,
            self._operation(caller, OperationKind.CREATE, [i.id for i in new]),
            quota=self._settings.quota,
            placement=self._placement(new, get_flavor, version.name, locality),
        )
        wake(self._taskmanager.create_cluster, context_of(caller, cluster.id), cluster.id)
        return Accepted(cluster, cluster.instances)

    def act(self, caller: Caller, cluster_id: str, body: object) -> Accepted:
        """Run the one action that ``body`` names.

        :raises SlotwrightError: as ``create`` does.
        """
        actions: Mapping[str, Callable[[Caller, str, Any], Accepted]] = {
            'grow': self.grow,
            'shrink': self.shrink,
            'reset-status': self.reset_status,
        }
        if not isinstance(body, dict) or len(body) != 1:
            raise InvalidRequest(
                'Action request should have exactly one action specified in body: '
                + _any_of(actions)
                + '.'
            )
        name, argument = next(iter(body.items()))
        if name not in actions:
            why = f': {_REASONS[name]}' if name in _REASONS else f'; use {_any_of(actions)}'
            raise InvalidRequest(f'Action {schemas.quote(name)[1:-1]} not supported{why}.')
        caller.authorize(of_action(name, argument))
        return actions[name](caller, cluster_id, argument)

    def grow(
        self, caller: Caller, cluster_id: str, wanted: Sequence[Mapping[str, Any]]
    ) -> Accepted:
        """Accept new members, empty masters, for an idle cluster."""
        schemas.GROW_ACTION.check(wanted)
        cluster = self._idle_cluster(caller, cluster_id)
        get_flavor = functools.cache(self._flavors.get_flavor)
        new = self._new_instances(self._check_members(wanted, get_flavor, cluster.instances))
        new_ids = [instance.id for instance in new]
        grown = self._store.begin_operation(
            caller.project_id,
            cluster_id,
            self._operation(caller, OperationKind.GROW, new_ids),
            members=new,
            quota=self._settings.quota,
            placement=self._placement(new, get_flavor, cluster.datastore_version, cluster.locality),
        )
        wake(self._taskmanager.grow_cluster, context_of(caller, cluster_id), cluster_id, new_ids)
        return Accepted(grown, tuple(i for i in grown.instances if i.id in new_ids))

    def shrink(
        self, caller: Caller, cluster_id: str, wanted: Sequence[Mapping[str, str]]
    ) -> Accepted:
        """Accept the removal of members that own no slots.

        The members are asked here and now, all at once; the worker asks again before it
        removes anything.

        :raises Forbidden: when one of them owns slots.
        :raises Unavailable: when one of them gives no answer.
        """
        schemas.SHRINK_ACTION.check(wanted)
        cluster = self._idle_cluster(caller, cluster_id)
        members = self._strategy.check_shrink(cluster, [item['id'].lower() for item in wanted])
        self._check_removable(context_of(caller, cluster_id), members)
        leaving = [member.id for member in members]
        shrunk = self._store.begin_operation(
            caller.project_id, cluster_id, self._operation(caller, OperationKind.SHRINK, leaving)
        )
        wake(self._taskmanager.shrink_cluster, context_of(caller, cluster_id), cluster_id, leaving)
        return Accepted(shrunk)

    def reset_status(self, caller: Caller, cluster_id: str, wanted: Mapping[str, bool]) -> Accepted:
        """Give up whatever has the cluster, and show what is found of it.

        With ``{'force_delete': True}`` it is deleted at once: an owner may do that without
        being allowed to reset anything.
        """
        schemas.RESET_STATUS_ACTION.check(wanted)
        if wanted.get('force_delete'):
            return self.force_delete(caller, cluster_id)
        cluster = self._store.begin_operation(
            caller.project_id,
            cluster_id,
            self._operation(caller, OperationKind.RESET_STATUS),
            supersedes=frozenset(OperationKind),
        )
        wake(self._taskmanager.update_cluster, context_of(caller, cluster_id), cluster_id)
        return Accepted(cluster)

    def force_delete(self, caller: Caller, cluster_id: str) -> Accepted:
        """Accept the end of a cluster, whatever has it now."""
        return self._delete(caller, cluster_id, frozenset(OperationKind) - {OperationKind.DELETE})

    def delete(self, caller: Caller, cluster_id: str) -> Accepted:
        """Accept the end of an idle cluster; asking again while it goes changes nothing.

        A reset of its status has nothing to lose, so that does not make it busy.
        """
        return self._delete(caller, cluster_id, frozenset({OperationKind.RESET_STATUS}))

    def _delete(
        self, caller: Caller, cluster_id: str, supersedes: Collection[OperationKind]
    ) -> Accepted:
        cluster = self._store.get_cluster(caller.project_id, cluster_id)
        if cluster.task == states.DELETING:
            return Accepted(cluster)
        try:
            going = self._store.begin_operation(
                caller.project_id,
                cluster_id,
                self._operation(caller, OperationKind.DELETE),
                supersedes=supersedes,
            )
        except ClusterBusy:
            cluster = self._store.get_cluster(caller.project_id, cluster_id)
            if cluster.task == states.DELETING:  # another request was quicker
                return Accepted(cluster)
            raise
        wake(self._taskmanager.delete_cluster, context_of(caller, cluster_id), cluster_id)
        return Accepted(going)

    def require_support(self, version: str) -> None:
        """:raises NotSupported: while clusters are switched off."""
        if not self._settings.cluster_support:
            raise NotSupported(f'Clusters not supported for {self._datastores.name}-{version}.')

    def _idle_cluster(self, caller: Caller, cluster_id: str) -> Cluster:
        """Look before asking anybody else; the store decides again as it takes the cluster."""
        cluster = self._store.get_cluster(caller.project_id, cluster_id)
        self.require_support(cluster.datastore_version)
        if cluster.task != states.NONE:
            raise ClusterBusy(
                'This action cannot be performed on the cluster while the current cluster '
                f"task is '{cluster.task.name}'."
            )
        require_nodes(cluster)
        return cluster

    def _check_members(
        self,
        bodies: Sequence[Mapping[str, Any]],
        get_flavor: Callable[[str], Flavor],
        existing: Sequence[Instance] = (),
    ) -> Sequence[Member]:
        wanted = [MemberRequest.from_body(body) for body in bodies]
        return self._strategy.check_members(wanted, get_flavor, existing)

    def _new_instances(self, members: Sequence[Member]) -> list[NewInstance]:
        for flavor_id in {member.flavor_id for member in members}:
            self._flavors.hold_flavor(flavor_id)
        return [NewInstance(self._new_id(), m.flavor_id, m.volume_size) for m in members]

    def _placement(
        self,
        new: Sequence[NewInstance],
        get_flavor: Callable[[str], Flavor],
        version: str,
        locality: str | None,
    ) -> Placement | None:
        names = {get_flavor(one.flavor_id).name for one in new}
        return self._places.for_members(names, version, locality)

    def _operation(
        self, caller: Caller, kind: OperationKind, instance_ids: Sequence[str] = ()
    ) -> NewOperation:
        return NewOperation(self._new_id(), kind, caller.request_id, tuple(instance_ids))

    def _check_removable(self, context: CommandContext, members: Sequence[Instance]) -> None:
        # A member that failed before it got an address has no node to ask.
        asked = [member.id for member in members if member.address is not None]
        answers = list(self._executor.map(lambda i: self._ask(context, i), asked))
        silent = []
        for instance_id, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Exception):
                LOG.warning('Instance %s cannot be asked: %s', instance_id, answer)
                silent.append(instance_id)
        holding = [i for i, answer in zip(asked, answers, strict=True) if answer is False]
        if holding:
            raise Forbidden(
                f'Instance(s) {holding} currently in use and cannot be deleted. '
                'Details: Nodes cannot be removed. Check slots.'
            )
        if silent:
            raise Unavailable(
                f'Instance(s) {silent} did not answer whether they own slots. Try again when '
                'they show HEALTHY.'
            )

    def _ask(self, context: CommandContext, instance_id: str) -> bool | Exception:
        """Whether it can go, or why it does not tell."""
        try:
            return self._strategy.may_be_removed(self._guests.node(instance_id), context)
        except SlotwrightError as error:
            return error


def _any_of(names: Iterable[str]) -> str:
    *most, last = names
    return f'{", ".join(most)} or {last}'


def require_nodes(cluster: Cluster) -> None:
    """:raises NeverCompleted: when no member has a Redis, as after a failed create."""
    if not any(member.address for member in cluster.instances):
        raise NeverCompleted(
            f'Cluster {cluster.id} could not be created and has no nodes. Delete it and create '
            'it anew.'
        )
