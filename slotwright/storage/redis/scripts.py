"""The Lua scripts, one for each operation, as Redis is given them."""

from importlib import resources

#: May be run by a server that has no memory left: they take nothing new.
_FREEING = ('delete', 'drop_all')
_READING = ('list', 'get', 'first', 'by_flavor', 'exists')


def text_of(name: str) -> str:
    """The script ``lua/<name>.lua``, behind what all of them share."""
    folder = resources.files(__package__) / 'lua'
    prelude = (folder / 'prelude.lua').read_text('utf-8')
    return f'#!lua flags={_flags(name)}\n{prelude}\n{(folder / f"{name}.lua").read_text("utf-8")}'


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
