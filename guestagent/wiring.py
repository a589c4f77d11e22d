"""Put a guest agent together. The only module here that knows all the others."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from guestagent.agent import GuestAgent
from guestagent.answers import AnswerCache
from guestagent.budget import RestartBudget
from guestagent.directory import InstanceDirectory
from guestagent.endpoint import GuestAgentEndpoint
from guestagent.fence import Fence
from guestagent.heartbeat import Reporter, TaskManagerClient
from guestagent.process import ServerProcess
from guestagent.service import AgentService, RpcServer
from guestagent.state import StateStore
from guestagent.supervisor import StartOptions, Supervisor
from slotwright.engine import EngineFinder
from slotwright.rpc.contract import GUESTAGENT_TOPIC

#: (transport, topic, server name, endpoints) -> server
RpcServerFactory = Callable[[Any, str, str, list[Any]], RpcServer]


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What one agent is configured with; see ``slotwright.conf.guestagent``."""

    instance_id: str
    directory: str
    heartbeat_interval: float = 5.0  # seconds
    restart_limit: int = 5
    restart_window: float = 60.0  # seconds
    start_timeout: float = 60.0  # seconds
    maxmemory_headroom: float = 0.25
    datastore_versions: Mapping[str, str] = field(default_factory=lambda: {'3.0': ''})


def options_from_conf(
    conf: Any, instance_id: str | None = None, directory: str | None = None
) -> AgentOptions:
    """Read [guestagent] and [redis]; the arguments replace what is configured.

    :raises ValueError: when there is no instance id or directory.
    """
    guest = conf.guestagent
    instance_id = instance_id or guest.instance_id
    directory = directory or guest.directory
    if not instance_id or not directory:
        raise ValueError('[guestagent] instance_id and directory have to be set')
    return AgentOptions(
        instance_id=instance_id,
        directory=directory,
        heartbeat_interval=guest.heartbeat_interval,
        restart_limit=guest.restart_limit,
        restart_window=guest.restart_window,
        start_timeout=guest.start_timeout,
        maxmemory_headroom=conf.redis.maxmemory_headroom,
        datastore_versions=dict(conf.redis.datastore_versions),
    )


def build_agent(
    options: AgentOptions,
    transport: Any,
    taskmanager_client: TaskManagerClient,
    rpc_server_factory: RpcServerFactory,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> AgentService:
    """Build the agent of one instance; nothing is started or touched yet."""
    directory = InstanceDirectory(options.directory)
    store = StateStore(directory)
    answers = AnswerCache(directory)
    fence = Fence(store)
    serial = threading.Lock()
    supervisor = Supervisor(
        directory=directory,
        store=store,
        engines=EngineFinder(options.datastore_versions),
        process=ServerProcess(directory, clock, sleep),
        budget=RestartBudget(options.restart_limit, options.restart_window, clock),
        options=StartOptions(options.start_timeout, options.maxmemory_headroom),
        clock=clock,
        sleep=sleep,
    )
    agent = GuestAgent(
        directory=directory,
        store=store,
        fence=fence,
        answers=answers,
        supervisor=supervisor,
        clock=clock,
        sleep=sleep,
    )
    endpoint = GuestAgentEndpoint(agent, fence, answers, serial)
    return AgentService(
        agent=agent,
        directory=directory,
        store=store,
        answers=answers,
        supervisor=supervisor,
        reporter=Reporter(options.instance_id, taskmanager_client, directory, store, supervisor),
        rpc_server=rpc_server_factory(transport, GUESTAGENT_TOPIC, options.instance_id, [endpoint]),
        serial=serial,
        heartbeat_interval=options.heartbeat_interval,
        clock=clock,
        random=random.random,
        name=options.instance_id,
    )
