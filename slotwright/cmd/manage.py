"""slotwright-manage: what an administrator does now and then."""

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from slotwright.cmd import startup
from slotwright.loading import load_class
from slotwright.rpc.clients import guest_client, taskmanager_client
from slotwright.rpc.transport import get_transport
from slotwright.storage.sqlalchemy import migration
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

PROGRAM = 'slotwright-manage'


def sync(conf: cfg.ConfigOpts) -> None:
    store = SQLAlchemyStore.from_config(conf)
    migration.upgrade(store)
    print(f'The database is at {migration.version(store)}.')


def version(conf: cfg.ConfigOpts) -> None:
    found = migration.version(SQLAlchemyStore.from_config(conf))
    print(f'The database is at {found or "nothing"}, the newest is {migration.head()}.')


def check(conf: cfg.ConfigOpts) -> None:
    transport = get_transport(conf)
    guest_client(conf, transport)
    taskmanager_client(conf, transport)
    for option in ('api_strategy', 'taskmanager_strategy'):
        load_class(conf.redis[option], f'[redis] {option}')
    SQLAlchemyStore.from_config(conf)
    print('The configuration is fine.')


VERBS = {
    'db': {
        'sync': (sync, 'bring the database to the newest tables'),
        'version': (version, 'print where the database stands, and the newest there is'),
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
            parsers.add_parser(verb, help=text, description=text).set_defaults(work=work)


def main(argv: Sequence[str] | None = None) -> int:
    command = cfg.SubCommandOpt('command', title='what to work on', handler=add_commands)
    conf = startup.configure(PROGRAM, argv, [command])
    with startup.explained(PROGRAM):
        conf.command.work(conf)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
