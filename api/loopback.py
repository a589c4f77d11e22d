"""This machine and nobody else: what noauth may listen on, and what it is called by."""

import ipaddress
import socket


def require(host: str) -> None:
    """See that only this machine can reach a listener on ``host``.

    :raises ValueError: when others can, or it cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host or '0.0.0.0', None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ValueError(f'[api] bind_host {host!r} cannot be resolved: {error}') from error
    if not all(_is_loopback(str(entry[4][0])) for entry in found):
        raise ValueError(
            f'[api] bind_host is {host!r}, but auth_strategy noauth lets in everybody who can '
            'reach that address. Use a loopback address such as 127.0.0.1.'
        )


def is_named(netloc: str, bind_host: str) -> bool:
    """Whether a Host header names this machine as only a caller on it would.

    A web page can have its own name resolved to 127.0.0.1 (DNS rebinding): the browser of
    whoever looks at it then calls us for the page, and tells that name.

    >>> [is_named(host, '127.0.0.1') for host in ('localhost:8779', '127.3.4.5', '[::1]:80')]
    [True, True, True]
    >>> [is_named(host, '127.0.0.1') for host in ('evil.example:8779', '127.0.0.1.evil', '[', '')]
    [False, False, False, False]
    """
    bare, end = (netloc[1:], ']') if netloc.startswith('[') else (netloc, ':')
    name = bare.partition(end)[0].lower()
    return (
        name in ('localhost', bind_host.lower())
        or name.endswith('.localhost')
        or _is_loopback(name)
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition('%')[0]).is_loopback
    except ValueError:
        return False
