"""The tenant's access to its cluster: one password on every node."""

import hashlib
from dataclasses import dataclass, field

from api import schemas
from api.ports import Caller, Ids, Pause, Secrets, Store, context_of
from api.service.clusters import ClusterService, require_nodes
from api.service.wakeups import wake
from slotwright.domain import states
from slotwright.domain.clusters import Operation
from slotwright.domain.errors import Unavailable
from slotwright.domain.states import TERMINAL, OperationKind, OperationState
from slotwright.rpc.contract import TaskManagerAPI
from slotwright.storage.base import NewOperation

#: The user that every Redis client logs in as when it gives no name.
USER = 'default'

_PATIENCE = 10.0  # seconds that a caller is kept waiting
_STEP = 0.1  # seconds between looks at the operation


@dataclass(frozen=True, slots=True)
class Access:
    """What came of a change; ``operation`` may still be under way."""

    operation: Operation
    password: str = field(default='', repr=False)

    @property
    def in_force(self) -> bool:
        return self.operation.state is OperationState.COMPLETED


class RootService:
    """Gives the tenant access, takes it away, tells whether there is any."""

    def __init__(
        self,
        *,
        store: Store,
        taskmanager: TaskManagerAPI,
        clusters: ClusterService,
        ids: Ids,
        secrets: Secrets,
        pause: Pause,
    ) -> None:
        self._store = store
        self._taskmanager = taskmanager
        self._clusters = clusters
        self._new_id = ids
        self._new_secret = secrets
        self._pause = pause

    def enabled(self, caller: Caller, cluster_id: str) -> bool:
        return bool(self._store.get_cluster(caller.project_id, cluster_id).tenant_hash)

    def enable(self, caller: Caller, cluster_id: str, body: object) -> Access:
        """Set the tenant's password, a new one unless ``body`` gives one.

        Only its SHA-256 is stored: the answer is the one time that it can be seen.

        :raises Unavailable: when the nodes could not be given it, with the reason.
        """
        if body is not None:
            schemas.ROOT_BODY.check(body)
        password = _given_password(body) or self._new_secret()
        digest = hashlib.sha256(password.encode()).hexdigest()
        return Access(self._change(caller, cluster_id, digest), password)

    def disable(self, caller: Caller, cluster_id: str) -> Access:
        """Take the tenant's access away.

        :raises Unavailable: when the nodes could not be told, with the reason.
        """
        return Access(self._change(caller, cluster_id, ''))

    def _change(self, caller: Caller, cluster_id: str, tenant_hash: str) -> Operation:
        cluster = self._store.get_cluster(caller.project_id, cluster_id)
        self._clusters.require_support(cluster.datastore_version)
        if cluster.task == states.NONE:
            require_nodes(cluster)
        wanted = NewOperation(self._new_id(), OperationKind.SET_USERS, caller.request_id)
        self._store.begin_operation(caller.project_id, cluster_id, wanted, tenant_hash=tenant_hash)
        wake(self._taskmanager.update_cluster, context_of(caller, cluster_id), cluster_id)
        operation = self._wait(caller.project_id, wanted.id)
        if operation.state is OperationState.FAILED:
            raise Unavailable(
                f'The access could not be changed on every node: {operation.reason}. Try again.'
            )
        return operation

    def _wait(self, project_id: str, operation_id: str) -> Operation:
        operation = self._store.get_operation(project_id, operation_id)
        for _ in range(round(_PATIENCE / _STEP)):
            if operation.state in TERMINAL:
                break
            self._pause(_STEP)
            operation = self._store.get_operation(project_id, operation_id)
        return operation


def _given_password(body: object) -> str:
    """The password in ``{"password": …}``, or in ``{"user": {"password": …}}``."""
    if not isinstance(body, dict):
        return ''
    return str(body.get('password') or body.get('user', {}).get('password') or '')
