"""Put a guest agent together. The only module here that knows all the others."""

import functools
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from guestagent.agent import GuestAgent
from guestagent.answers import AnswerCache
from guestagent.budget import RestartBudget
from guestagent.directory import InstanceDirectory
from guestagent.endpoint import GuestAgentEndpoint
from guestagent.enrolment import EnrolledHost, StateDirectory
from guestagent.enrolment import TaskManagerClient as Enroller
from guestagent.fence import Fence
from guestagent.heartbeat import Reporter, TaskManagerClient
from guestagent.process import ServerProcess
from guestagent.service import AgentService, RpcServer
from guestagent.state import StateStore
from guestagent.supervisor import StartOptions, Supervisor
from slotwright.domain.hosts import Announcement
from slotwright.domain.topology import Address
from slotwright.engine import EngineFinder
from slotwright.rpc.contract import GUESTAGENT_TOPIC

#: (transport, topic, server name, endpoints) -> server
RpcServerFactory = Callable[[Any, str, str, list[Any]], RpcServer]

#: The cluster bus listens on the client port plus this, unless told otherwise.
BUS_OFFSET = 10000


class HostClient(TaskManagerClient, Enroller, Protocol):
    """What an enrolled host and its agent say to the taskmanager."""


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


def build_host(
    conf: Any,
    group: str,
    transport: Any,
    taskmanager_client: HostClient,
    rpc_server_factory: RpcServerFactory,
) -> EnrolledHost:
    """Build the agent of a host that enrols in ``group``; nothing is touched yet.

    :raises ValueError: for options that are missing, or not those of this machine.
    """
    guest = conf.guestagent
    if not guest.directory:
        raise ValueError('[guestagent] directory has to be set: who this host is stays there')
    describe = functools.partial(
        _announcement,
        group=_required(group, '--enroll'),
        machine=guest.machine or socket.gethostname(),
        address=_own_address(guest),
        ram=guest.ram or _memory(),
    )

    def make_agent(instance_id: str, directory: str) -> AgentService:
        options = options_from_conf(conf, instance_id, directory)
        return build_agent(options, transport, taskmanager_client, rpc_server_factory)

    return EnrolledHost(
        StateDirectory(guest.directory),
        describe,
        make_agent,
        taskmanager_client,
        guest.heartbeat_interval,
        time.monotonic,
    )


def _announcement(host_id: str, holds: str, **described: Any) -> Announcement:
    return Announcement(host_id=host_id, holds=holds, **described)


def _required(value: str | None, name: str) -> str:
    if not value:
        raise ValueError(f'{name} needs a value')
    return value


def _own_address(guest: Any) -> Address:
    """:raises ValueError: unless it is an IP address of this machine."""
    ip = _required(guest.address, '[guestagent] address')
    family = socket.AF_INET6 if ':' in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((ip, 0))
    except OSError as e:
        raise ValueError(f'[guestagent] address = {ip} is none of this machine: {e}') from e
    if ip in ('0.0.0.0', '::'):
        raise ValueError(f'[guestagent] address = {ip}: others have to reach it')
    bus_port = guest.bus_port or guest.port + BUS_OFFSET
    if bus_port > 65535:
        raise ValueError(f'[guestagent] port = {guest.port} leaves no bus port: set bus_port')
    return Address(ip, guest.port, bus_port)


def _memory() -> int:
    """MiB of ram of this machine."""
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**20
