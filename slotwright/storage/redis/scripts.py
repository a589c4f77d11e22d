"""The Lua scripts, one for each operation, as Redis is given them."""

import hashlib
from dataclasses import dataclass
from importlib import resources

#: May be run by a server that has no memory left: they take nothing new.
_FREEING = ('delete', 'drop_all')
_READING = ('list', 'get', 'first', 'by_flavor', 'exists')


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the name Redis knows it by."""

    name: str
    text: str
    sha: str


def load(name: str) -> Script:
    """The script ``lua/<name>.lua``, behind what all of them share."""
    folder = resources.files(__package__) / 'lua'
    prelude = (folder / 'prelude.lua').read_text('utf-8')
    text = f'#!lua flags={_flags(name)}\n{prelude}\n{(folder / f"{name}.lua").read_text("utf-8")}'
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _flags(name: str) -> str:
    """What Redis 7 checks before the script begins.

    >>> _flags('pools_get'), _flags('pools_drop_all')
    ('no-cluster,no-writes', 'no-cluster,allow-oom')
    """
    action = name.partition('_')[2]
    if action in _READING:
        return 'no-cluster,no-writes'
    return 'no-cluster,allow-oom' if action in _FREEING else 'no-cluster'
