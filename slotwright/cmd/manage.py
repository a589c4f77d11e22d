"""slotwright-manage: what an administrator does now and then."""

import argparse
import datetime
import getpass
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from oslo_config import cfg

from api import loopback
from api.auth import strategies, userfile
from api.auth.rulebook import Rulebook
from api.wiring import backup_store
from slotwright.cmd import startup, status
from slotwright.conf import floats
from slotwright.domain.errors import Unavailable
from slotwright.domain.placement import Used, flaw_of
from slotwright.events import drivers
from slotwright.loading import load_class
from slotwright.rpc.clients import guest_client, taskmanager_client
from slotwright.rpc.contract import GUESTAGENT_TOPIC
from slotwright.rpc.transport import get_transport
from slotwright.storage import pool_stores, transfer
from slotwright.storage.purge import REST
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy import purge as purging
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

PROGRAM = 'slotwright-manage'

Verb = Callable[[cfg.ConfigOpts], int | None]


def sync(conf: cfg.ConfigOpts) -> None:
    store = SQLAlchemyStore.from_config(conf)
    migration.upgrade(store)
    print(f'The database is at {migration.version(store)}.')


def version(conf: cfg.ConfigOpts) -> None:
    found = migration.version(SQLAlchemyStore.from_config(conf))
    print(f'The database is at {found or "nothing"}, the newest is {migration.head()}.')


def check_database(conf: cfg.ConfigOpts) -> int:
    """Ends with 1 when the tables are not as this version needs them."""
    store = SQLAlchemyStore.from_config(conf)
    found = migration.version(store)
    if found != migration.head():
        print(f'The database is at {found or "nothing"}: run "{PROGRAM} db upgrade".')
        return 1
    differences = migration.check(store)
    for difference in differences:
        print(f'The tables differ: {difference}')
    if not differences:
        print(f'The database is at {found}, the newest, and its tables are as they should be.')
    return 1 if differences else 0


def purge(conf: cfg.ConfigOpts) -> None:
    days: float | None = conf.command.days
    if days is None:
        days = conf.taskmanager.deleted_retention
    if not days:
        raise ValueError(
            '0 days (--days, else [taskmanager] deleted_retention) keep it for ever; '
            f'--days {floats.LEAST_DAYS:g} purges nearly all'
        )
    store = SQLAlchemyStore.from_config(conf)
    if migration.version(store) != migration.head():
        raise ValueError(f'the tables are not those of this version: see "{PROGRAM} db version"')
    gone: Counter[str] = Counter()
    try:
        for table, count in store.purge_deleted(datetime.timedelta(days=days)):
            gone[table] += count
            time.sleep(REST)
    finally:  # what is gone is gone, also when it was not all
        for step in purging.STEPS:
            print(f'{step.table.name}  {gone[step.table.name]}')
        print(f'{gone.total()} rows of what was deleted over {days:g} days ago are removed.')


def check(conf: cfg.ConfigOpts) -> None:
    backup_store(conf, SQLAlchemyStore.from_config(conf))
    transport = get_transport(conf)
    guest_client(conf, transport)
    taskmanager_client(conf, transport)
    pool_stores.from_config(conf, SQLAlchemyStore.from_config(conf).database)
    drivers.from_config(conf).close()
    for option in ('api_strategy', 'taskmanager_strategy'):
        load_class(conf.redis[option], f'[redis] {option}')
    SQLAlchemyStore.from_config(conf)
    if strategies.load(conf).loopback_only:
        loopback.require(conf.api.bind_host)
    Rulebook(conf)
    print('The configuration is fine.')


def copy_store(conf: cfg.ConfigOpts) -> None:
    database = SQLAlchemyStore.from_config(conf).database
    target = pool_stores.from_config(conf, database)
    pools, flavors = transfer.copy_missing(SQLAlchemyPoolStore(database), target)
    print(f'{pools} pools and {flavors} flavors were missing and are there now.')


def list_pools(conf: cfg.ConfigOpts) -> None:
    store = SQLAlchemyStore.from_config(conf)
    pools = pool_stores.from_config(conf, store.database).pools.list(limit=0)
    used = dict(store.take_census(datetime.datetime(2000, 1, 1)).pools)
    for pool in pools:
        now, options = used.pop(pool.name, Used()), pool.options
        room = f'{now.instances} of {options.get("instances", "any")} instances'
        ram = f'{now.ram} of {options.get("ram", "any")} MiB'
        named = pool.flavor or 'no flavor'
        print(f'{pool.name}  {pool.uri}  {named}  weight {pool.weight}  {room}  {ram}')
        if why := flaw_of(pool):
            print(f'  takes nothing: {why}')
    for name, gone in sorted(used.items()):
        print(f'{name}  no such pool  {gone.instances} instances  {gone.ram} MiB')
    print(f'{len(pools)} pools')


def list_hosts(conf: cfg.ConfigOpts) -> None:
    hosts = SQLAlchemyStore.from_config(conf).list_hosts()
    for host in hosts:
        silent = host.age > conf.inventory.silence
        state = f'instance {host.instance_id}' if host.instance_id else 'free'
        if host.holds and host.holds != host.instance_id:
            state += f', not clean (holds {host.holds})'
        state += f', silent for {host.age:.0f} s' if silent else ''
        print(f'{host.id}  {host.group}  {host.machine}  {host.address}  {host.ram} MiB  {state}')
    print(f'{len(hosts)} hosts')


def remove_host(conf: cfg.ConfigOpts) -> None:
    store = SQLAlchemyStore.from_config(conf)
    instance_id = store.remove_host(conf.command.host_id, conf.inventory.silence)
    print(f'Host {conf.command.host_id} is forgotten.')
    if instance_id is not None:
        try:
            get_transport(conf).forget_server(GUESTAGENT_TOPIC, instance_id)
        except Unavailable as error:
            print(f'Its queue {GUESTAGENT_TOPIC}.{instance_id} stays: {error}')


def set_user(conf: cfg.ConfigOpts) -> None:
    """The password comes from a terminal or from standard input, never the command line."""
    command = conf.command
    path = _user_file(conf)
    userfile.checked(command.user, command.projects, command.roles)
    if sys.stdin.isatty():
        password = getpass.getpass(f'Password of {command.user}: ')
        if getpass.getpass('Once more: ') != password:
            raise ValueError('the two passwords differ; nothing is changed')
    else:
        password = sys.stdin.readline().rstrip('\r\n')
    userfile.put(path, command.user, command.projects, command.roles, password)
    print(f'{command.user} is in {path}.')


def remove_user(conf: cfg.ConfigOpts) -> None:
    userfile.remove(_user_file(conf), conf.command.user)
    print(f'{conf.command.user} is removed.')


def list_users(conf: cfg.ConfigOpts) -> None:
    for user in userfile.read(_user_file(conf)).values():
        who = user.identity
        print(f'{who.user}  {",".join(sorted(who.projects))}  {",".join(sorted(who.roles))}')


def _user_file(conf: cfg.ConfigOpts) -> str:
    path: str | None = conf.api.user_file
    if not path:
        raise ValueError('set [api] user_file in the configuration')
    return path


#: Positional arguments of verbs, with their help.
ARGUMENTS: dict[Verb, list[tuple[str, str]]] = {
    remove_host: [('host_id', 'as the list has it')],
    set_user: [
        ('user', 'its name'),
        ('projects', 'project ids with commas between, or *'),
        ('roles', 'such as member, or admin'),
    ],
    remove_user: [('user', 'its name')],
}


def _days(text: str) -> float:
    try:
        days = floats.Days()(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if days is None:  # or '--days "$DAYS"' would be as if it was not there
        raise argparse.ArgumentTypeError('it has no value')
    return days


#: Options of verbs, what reads their values, and their help.
OPTIONS: dict[Verb, list[tuple[str, Callable[[str], object], str]]] = {
    purge: [
        ('--days', _days, 'how long ago it was deleted; else as [taskmanager] deleted_retention')
    ],
}

VERBS: dict[str, dict[str, tuple[Verb, str]]] = {
    'db': {
        'sync': (sync, 'bring the database to the newest tables'),
        'upgrade': (sync, 'the same as sync'),
        'check': (check_database, 'tell whether the tables are the newest; ends with 0 or 1'),
        'purge': (purge, 'remove the rows of what was deleted long ago, and print how many'),
        'version': (version, 'print where the database stands, and the newest there is'),
    },
    'store': {
        'copy': (copy_store, 'copy pools and flavors from the database to [management_store]'),
    },
    'pool': {
        'list': (list_pools, 'print the pools, and what the instances placed there take of them'),
    },
    'host': {
        'list': (list_hosts, 'print the hosts that enrolled, and what they do'),
        'remove': (remove_host, 'forget a silent host that will not come back'),
    },
    'user': {
        'list': (list_users, 'print the users of [api] user_file'),
        'set': (set_user, 'add a user or replace one; the password is asked for, or read'),
        'remove': (remove_user, 'remove a user'),
    },
    'status': {
        'check': (status.run, 'tell whether this version can run here; ends with 0, 1 or 2')
    },
    'config': {'check': (check, 'load everything that the configuration names')},
}


def add_commands(subjects: Any) -> None:
    """Fill oslo.config's subparsers with a subject and a verb each."""
    for subject, verbs in VERBS.items():
        text = ', '.join(verbs)
        parsers = subjects.add_parser(subject, help=text).add_subparsers(
            required=True, title='what to do', metavar='verb'
        )
        for verb, (work, text) in verbs.items():
            parser = parsers.add_parser(verb, help=text, description=text)
            parser.set_defaults(work=work)
            for name, meaning in ARGUMENTS.get(work, ()):
                parser.add_argument(name, help=meaning)
            for name, read, meaning in OPTIONS.get(work, ()):
                parser.add_argument(name, type=read, help=meaning)


def main(argv: Sequence[str] | None = None) -> int:
    command = cfg.SubCommandOpt('command', title='what to work on', handler=add_commands)
    conf = startup.configure(PROGRAM, argv, [command])
    with startup.explained(PROGRAM):
        return conf.command.work(conf) or 0


if __name__ == '__main__':
    raise SystemExit(main())
