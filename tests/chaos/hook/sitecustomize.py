"""Lets a test kill a daemon at the Nth thing it does.

Python imports a module of this name when it starts and finds one: this folder is on the
PYTHONPATH of the daemons under test, so they need no code for it. SLOTWRIGHT_CRASH names
the file of the ``CrashPlan``.

An event is the moment before, or after, one of these:

* taskmanager: an RPC that it sends or handles; a COMMIT of an operation's work.
* agent: an RPC that it sends or handles; a file it replaces; the wipe of its directory.

What comes by the clock is no event, or each N would mean something else in every run:
heartbeats (``report``), their commits, the renewing of leases, and a ``status`` asked once
more of the same agent while nothing but asking went on.
"""

import functools
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from crashplan import CrashPlan

ROLES = {
    'slotwright.cmd.taskmanager': 'taskmanager',
    'slotwright.cmd.guestagent': 'agent',
    'slotwright.cmd.nursery': 'agent',  # forks them
}
#: Messages that come by the clock, or that a stopping server sends itself.
IDLE_MESSAGES = frozenset({'report', 'wake_up'})
#: The transactions of an operation; the others are heartbeats, renewed leases and reads.
WORK = (
    'claim',
    'drop_instance',
    'finish',
    'free_instance',
    'place_instance',
    'take_hosts',
    'release',
    'set_node_ids',
    'update_operation',
)

Happen = Callable[[str], None]
Name = Callable[..., str]


def around(owner: Any, attribute: str, happen: Happen, name: Name) -> None:
    """Make the calls of a function two events; none, where ``name`` of a call is ''."""
    function = getattr(owner, attribute)

    @functools.wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        event = name(*args, **kwargs)
        if not event:
            return function(*args, **kwargs)
        happen(f'before {event}')
        answer = function(*args, **kwargs)
        happen(f'after {event}')
        return answer

    setattr(owner, attribute, counted)


def watch_messages(happen: Happen) -> None:
    from oslo_messaging.rpc.dispatcher import RPCDispatcher

    from slotwright.rpc import clients

    def sent(_channel: Any, _context: Any, method: str, *_: Any, **options: Any) -> str:
        to = options.get('server') or 'a taskmanager'
        return '' if method in IDLE_MESSAGES else f'sending {method} to {to}'

    def handled(_dispatcher: Any, incoming: Any) -> str:
        method = incoming.message['method']
        return '' if method in IDLE_MESSAGES else f'handling {method}'

    around(clients._Channel, 'call', happen, sent)
    around(clients._Channel, 'cast', happen, sent)
    around(RPCDispatcher, 'dispatch', happen, handled)


def watch_commits(happen: Happen) -> None:
    from sqlalchemy.engine.default import DefaultDialect

    from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

    doing = threading.local()

    def marked(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def work(*args: Any, **kwargs: Any) -> Any:
            doing.what = f'COMMIT of {method.__name__}'
            try:
                return method(*args, **kwargs)
            finally:
                doing.what = ''

        return work

    for method in WORK:
        setattr(SQLAlchemyStore, method, marked(getattr(SQLAlchemyStore, method)))
    around(DefaultDialect, 'do_commit', happen, lambda *_: getattr(doing, 'what', ''))


def watch_files(happen: Happen) -> None:
    # Before anybody has imported the function by its name.
    from guestagent import directory

    around(directory, 'write_private', happen, lambda path, *_, **__: f'writing {path.name}')
    around(directory.InstanceDirectory, 'wipe', happen, lambda *_: 'the wipe')


def install(command: Sequence[str], plan: str) -> None:
    role = next((role for module, role in ROLES.items() if module in command), '')
    if not role:
        return
    happen = functools.partial(CrashPlan(plan).happen, role)
    # Only now: no other program shall load what these need.
    watch_messages(happen)
    if role == 'agent':
        watch_files(happen)
    else:
        watch_commits(happen)


if 'SLOTWRIGHT_CRASH' in os.environ:
    install(sys.orig_argv, os.environ['SLOTWRIGHT_CRASH'])
