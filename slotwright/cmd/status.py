"""slotwright-manage status check: may this version run here, before and after an upgrade.

Ends with 0 when all is well, 1 with a warning, 2 with a failure.
"""

import contextlib
from collections.abc import Callable, Iterator
from enum import IntEnum

from oslo_config import cfg

from slotwright.domain.errors import GuestError, SlotwrightError
from slotwright.engine import EngineFinder
from slotwright.events import board, drivers
from slotwright.loading import load_class
from slotwright.rpc.clients import guest_client, taskmanager_client
from slotwright.rpc.transport import get_transport
from slotwright.storage import pool_stores
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore


class Result(IntEnum):
    """How a check came out; also the exit status."""

    OK = 0
    WARNING = 1
    FAILURE = 2


Finding = tuple[Result, str]


def check_database(conf: cfg.ConfigOpts) -> Finding:
    """It answers, and has our tables."""
    store = SQLAlchemyStore.from_config(conf)
    found, wanted = migration.version(store), migration.head()
    if found != wanted:
        newer = found is not None and found > wanted
        remedy = 'run the version that upgraded it' if newer else 'run slotwright-manage db sync'
        return Result.FAILURE, f'at {found or "nothing"}, this version needs {wanted}: {remedy}'
    differences = migration.check(store)
    if differences:
        return Result.WARNING, f'at {found}, but not as we make it: {differences[0]}'
    return Result.OK, f'at {found}'


def check_management_store(conf: cfg.ConfigOpts) -> Finding:
    """It lets us read."""
    database = SQLAlchemyStore.from_config(conf).database
    pool_stores.from_config(conf, database).pools.list(limit=1)
    return Result.OK, f'{conf.management_store.driver} answers'


def check_events(conf: cfg.ConfigOpts) -> Finding:
    """The store of live data lets us read."""
    with contextlib.closing(drivers.from_config(conf)) as driver:
        driver.tables.keys(board.TABLE, '')
    return Result.OK, f'{conf.events.driver} answers'


def check_broker(conf: cfg.ConfigOpts) -> Finding:
    """It lets us in."""
    broker = get_transport(conf).broker
    if broker is None:
        return Result.OK, 'none is needed'
    broker.check()
    return Result.OK, 'it lets us in'


def check_names(conf: cfg.ConfigOpts) -> Finding:
    """Classes and version caps that the configuration names can be used."""
    transport = get_transport(conf)
    guest_client(conf, transport)
    taskmanager_client(conf, transport)
    for option in ('api_strategy', 'taskmanager_strategy'):
        load_class(conf.redis[option], f'[redis] {option}')
    capped = [name for name in ('guestagent', 'taskmanager') if conf.upgrade_levels[name]]
    if capped:
        names = ' and '.join(capped)
        return Result.WARNING, f'[upgrade_levels] {names}: remove it when all run this version'
    return Result.OK, 'strategies and version caps are fine'


def check_engines(conf: cfg.ConfigOpts) -> Finding:
    """There is a Redis here for each datastore version; hosts that enrol have their own."""
    finder = EngineFinder(dict(conf.redis.datastore_versions))
    found = []
    for version in conf.redis.datastore_versions:
        try:
            found.append(f'{version}: {finder.find(version).version}')
        except GuestError as error:
            return Result.WARNING, f'no nodes can run on this host: {error}'
    return Result.OK, ', '.join(found)


CHECKS: dict[str, Callable[[cfg.ConfigOpts], Finding]] = {
    'database': check_database,
    'store': check_management_store,
    'events': check_events,
    'broker': check_broker,
    'configuration': check_names,
    'engines': check_engines,
}


def findings(conf: cfg.ConfigOpts) -> Iterator[tuple[str, Result, str]]:
    """Run every check, whatever the others found."""
    for name, check in CHECKS.items():
        try:
            result, text = check(conf)
        except (SlotwrightError, OSError, ValueError) as error:
            result, text = Result.FAILURE, str(error)
        yield name, result, text


def run(conf: cfg.ConfigOpts) -> int:
    """Print what is found; answers the exit status."""
    worst = Result.OK
    for name, result, text in findings(conf):
        print(f'{result.name:8} {name:14} {text}')
        worst = max(worst, result)
    return worst
