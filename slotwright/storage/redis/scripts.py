"""The Lua scripts, one for each operation, as Redis is given them."""

import re
from importlib import resources

#: May be run by a server that has no memory left: they take nothing new.
_FREEING = ('delete', 'drop_all')
_READING = ('list', 'get', 'first', 'by_flavor', 'serving', 'exists')
_DEFINED = re.compile(r'^local (?:function )?(\w+)', re.MULTILINE)


def text_of(name: str) -> str:
    """The script ``lua/<name>.lua``, behind what it uses of ``lua/prelude.lua``."""
    folder = resources.files(__package__) / 'lua'
    prelude = (folder / 'prelude.lua').read_text('utf-8')
    body = (folder / f'{name}.lua').read_text('utf-8')
    return f'#!lua flags={_flags(name)}\n{with_used(prelude, body)}'


def with_used(prelude: str, body: str) -> str:
    """``body`` after those definitions of ``prelude`` that it uses, and that those use.

    Definitions stand between empty lines, after what they use. The server makes all
    functions anew at every call: for a short script the whole prelude would be most of
    its time.

    >>> with_used('local a = 1\\n\\nlocal b = 2\\n\\nlocal function c() return a end', 'c()')
    'local a = 1\\n\\nlocal function c() return a end\\n\\nc()'
    """
    used = [body]
    for block in reversed(prelude.strip().split('\n\n')):
        defined = _DEFINED.search(block)
        if defined and any(re.search(rf'\b{defined[1]}\b', text) for text in used):
            used.insert(0, block)
    return '\n\n'.join(used)


def _flags(name: str) -> str:
    """What the server checks before the script begins.

    A script names no keys beforehand, since some stand in the data; so no Redis Cluster.

    >>> _flags('pools_get'), _flags('pools_drop_all')
    ('no-cluster,no-writes', 'no-cluster,allow-oom')
    """
    action = name.partition('_')[2]
    if action in _READING:
        return 'no-cluster,no-writes'
    return 'no-cluster,allow-oom' if action in _FREEING else 'no-cluster'
