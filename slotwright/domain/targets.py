"""What a pool may say of itself: its uri names a provisioner, its options bound it."""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from slotwright.domain.errors import InvalidRequest

GROUP = re.compile(r'[0-9A-Za-z][0-9A-Za-z_.-]{0,62}')
BINARY = re.compile(r'[a-z][0-9a-z.-]{0,61}-server')
LOOPBACK = ipaddress.IPv4Network('127.0.0.0/8')
MOST = 2**31 - 1


def check_uri(uri: str) -> None:
    """:raises InvalidRequest: unless instances can run at ``uri``.

    >>> check_uri('local://')
    >>> check_uri('inventory://rack-1')
    """
    if split(uri) == ('', ''):
        raise InvalidRequest(
            f'uri {uri[:60]!r} must be local:// (the host of the taskmanager) or '
            'inventory://GROUP (hosts that enrolled in that group: 1 to 63 letters, digits or '
            '_ . -, the first one a letter or digit).'
        )


@functools.lru_cache(maxsize=1024)  # a placement asks of many pools, again and again
def split(uri: str) -> tuple[str, str]:
    """Which provisioner a uri is for, and which of its hosts; empty when it is for none.

    >>> split('inventory://rack-1'), split('local://'), split('local://rack-1')
    (('inventory', 'rack-1'), ('local', ''), ('', ''))
    """
    scheme, separator, group = uri.partition('://')
    scheme = scheme.lower()
    if scheme == 'inventory' and GROUP.fullmatch(group):
        return scheme, group
    return ('local', '') if scheme == 'local' and separator and not group else ('', '')


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_name(name) for name in value)


def _is_binary(value: object) -> bool:
    return isinstance(value, str) and BINARY.fullmatch(value) is not None


def _is_loopback_network(value: object) -> bool:
    try:
        return isinstance(value, str) and ipaddress.IPv4Network(value).subnet_of(LOOPBACK)
    except ValueError:
        return False


#: Options by name, what each must be, and how that is told.
OPTIONS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    'instances': (_is_count, 'a whole number: the most instances it has room for'),
    'ram': (_is_count, 'a whole number of MiB: the most ram its instances may have together'),
    'failure_domain': (_is_name, 'a name of up to 255 characters: what goes down together'),
    'datastore_versions': (_are_names, 'a list of the datastore versions that run there'),
    'datastore_binary': (_is_binary, "the name of a server on its hosts' PATH: valkey-server"),
    'network': (_is_loopback_network, 'a network of 127.0.0.0/8, such as 127.80.0.0/24'),
}


def check_options(options: Mapping[str, Any]) -> None:
    """:raises InvalidRequest: for an option that is unknown or cannot be."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise InvalidRequest(
                f'options has {name[:60]!r}, but only {sorted(OPTIONS)} are known.'
            )
        fits, text = OPTIONS[name]
        if not fits(value):
            raise InvalidRequest(f'options[{name!r}] must be {text}.')


def check_pool(uri: str, options: Mapping[str, Any]) -> None:
    """:raises InvalidRequest: unless instances can run in a pool like that."""
    check_uri(uri)
    check_options(options)
    if 'network' in options and split(uri) != ('local', ''):
        raise InvalidRequest(
            "options['network'] is for pools with uri local://; hosts that enrolled have "
            'addresses of their own.'
        )
