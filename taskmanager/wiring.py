"""Builds the taskmanager from its options: the only module that makes its drivers."""

import datetime
import os
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from oslo_config import cfg

from slotwright.clock import utcnow
from slotwright.events.base import Driver
from slotwright.events.board import BoardWriter
from slotwright.events.feed import Announcer
from slotwright.loading import load_class
from slotwright.rpc.clients import guest_client
from slotwright.rpc.contract import GUESTAGENT_TOPIC, TASKMANAGER_TOPIC
from slotwright.rpc.server import RpcServer
from slotwright.rpc.transport import Transport
from slotwright.storage.base import ManagementStore
from slotwright.storage.management import PoolStore
from taskmanager.action_runner import ActionRunner
from taskmanager.catalogue import CatalogueKeeper
from taskmanager.endpoint import TaskManagerEndpoint
from taskmanager.operation import OperationRunner, Timing
from taskmanager.ports import Launcher, Provisioner
from taskmanager.provisioners.inventory import InventoryProvisioner
from taskmanager.provisioners.launcher import ProcessLauncher
from taskmanager.provisioners.local import LocalProvisioner
from taskmanager.provisioners.pools import PoolProvisioner
from taskmanager.purger import Purger
from taskmanager.relay import Relay
from taskmanager.service import Beat, ReportWaiter, TaskManagerService, ThreadFanout
from taskmanager.worker import Worker

#: Seconds between looks whether the agents on this host run.
TEND_INTERVAL = 3.0
#: Seconds between looks at the catalogue, however many operations end.
CATALOGUE_REST = 1.0
#: Seconds between looks for events that other processes recorded, and between any two looks.
RELAY_INTERVAL, RELAY_REST = 0.5, 0.01
#: Seconds between writes of what nodes are measured by.
BOARD_INTERVAL = 2.0
#: Seconds between looks for events that are too old.
TIDY_INTERVAL = 60.0
#: Seconds between looks for what was deleted, or measured, long ago.
PURGE_INTERVAL = 600.0
#: Seconds a guest sees its join through before it answers that it is not done.
JOIN_PATIENCE = 10.0


def build(
    conf: cfg.ConfigOpts,
    transport: Transport,
    store: ManagementStore,
    pool_store: PoolStore,
    events: Driver,
    launcher: Launcher | None = None,
) -> TaskManagerService:
    """Wire a taskmanager.

    :param pool_store: whose catalogue is kept; ``store`` has the rest. The caller closes both.
    :param events: where they are published, and gauges kept; the caller closes it too.
    :param launcher: runs agents another way than as processes.
    """
    options = conf.taskmanager
    host = options.host or socket.gethostname()
    guests = guest_client(conf, transport)
    strategy = load_class(conf.redis.taskmanager_strategy, '[redis] taskmanager_strategy')()
    provisioner = _provisioner(conf, store, host, launcher)
    fanout = ThreadFanout(options.fanout)
    waiter = ReportWaiter()
    actions = ActionRunner(
        store,
        guests,
        provisioner,
        ids=lambda: str(uuid.uuid4()),
        forget_agent=partial(transport.forget_server, GUESTAGENT_TOPIC),
        join_patience=JOIN_PATIENCE,
    )
    runner = OperationRunner(
        store,
        guests,
        actions,
        strategy,
        fanout,
        waiter,
        clock=time.monotonic,
        timing=Timing(budget=options.operation_budget, patience=options.patience),
    )
    keeper = CatalogueKeeper(store, pool_store.catalogue)
    catalogue = Beat('catalogue', options.catalogue_interval, keeper.tick, CATALOGUE_REST)
    operations = ThreadPoolExecutor(options.workers, thread_name_prefix='operation')
    owner = f'{host}:{os.getpid()}:{uuid.uuid4()}'
    retention = datetime.timedelta(days=options.event_retention)
    relay = Relay(store, Announcer(events), owner, retention, utcnow)
    board = BoardWriter(events, utcnow)
    purger = Purger(store, datetime.timedelta(days=options.deleted_retention))
    worker = Worker(
        store, runner, operations, owner, options.lease, options.workers, catalogue.wake
    )
    beats = {
        'sweep': Beat('sweep', min(options.sweep_interval, options.lease / 3), worker.tick),
        'tend': Beat('tend', TEND_INTERVAL, provisioner.tend),
        'catalogue': catalogue,
        'relay': Beat('relay', RELAY_INTERVAL, relay.tick, RELAY_REST),
        'numbers': Beat('numbers', RELAY_INTERVAL, relay.number),
        'board': Beat('board', BOARD_INTERVAL, board.tick),
        'tidy': Beat('tidy', TIDY_INTERVAL, relay.tidy),
        'purge': Beat('purge', PURGE_INTERVAL, purger.tick),
        'gauges': Beat('gauges', PURGE_INTERVAL, board.sweep),
    }
    store.call_after_writes(beats['relay'].wake)
    endpoint = TaskManagerEndpoint(
        store,
        wake=partial(_wake_all, beats['sweep'], beats['relay']),
        reported=waiter.notify,
        silence=conf.inventory.silence,
        noted=board.note,
    )
    server = RpcServer(transport, TASKMANAGER_TOPIC, owner, [endpoint])
    return TaskManagerService(server, worker, beats, provisioner, operations, fanout)


def _wake_all(*beats: Beat) -> None:
    for beat in beats:
        beat.wake()


def _provisioner(
    conf: cfg.ConfigOpts, store: ManagementStore, host: str, launcher: Launcher | None
) -> Provisioner:
    default = conf.taskmanager.provisioner
    local = LocalProvisioner(
        store,
        launcher or ProcessLauncher(_agent_arguments(conf)),
        host,
        conf.local.data_dir,
        conf.local.network,
        range(conf.local.port, conf.local.port + conf.local.port_range),
        eager=default == 'local',
    )
    inventory = InventoryProvisioner(
        store,
        conf.inventory.group if default == 'inventory' else '',
        conf.inventory.silence,
        conf.taskmanager.patience,
    )
    return PoolProvisioner({'local': local, 'inventory': inventory}, default)


def _agent_arguments(conf: cfg.ConfigOpts) -> list[str]:
    """Agents read the same configuration files as the taskmanager that starts them."""
    arguments = []
    for name in conf.config_file or ():
        arguments += ['--config-file', os.path.abspath(name)]
    for name in conf.config_dir or ():
        arguments += ['--config-dir', os.path.abspath(name)]
    return arguments
