"""How callers prove who they are: [api] auth_strategy."""

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Protocol

from oslo_config import cfg

from api.auth.identity import ADMIN, EVERY, Identity
from api.auth.users import Users
from slotwright.domain.errors import Unauthorized
from slotwright.loading import InvalidConfiguration

#: Who everybody is without a login, and who has the one token.
NOBODY = Identity('anonymous', frozenset({EVERY}), frozenset({ADMIN, 'member'}))
TOKEN_HOLDER = Identity('admin', frozenset({EVERY}), frozenset({ADMIN, 'member'}))

#: What clients can put into a header, all in the same way.
_SENDABLE = re.compile(r'[!-~]+')


class Strategy(Protocol):
    """One way to log in."""

    #: For the WWW-Authenticate header of a 401; empty when there never is one.
    challenge: str
    #: Only loopback may be bound, for everybody is let in.
    loopback_only: bool

    def identify(self, headers: Mapping[str, str]) -> Identity:
        """Tell who sent a request, by its headers (names in upper case).

        :raises Unauthorized: for nobody known.
        :raises Unavailable: too many log in at once.
        """


class NoAuth:
    """Everybody who reaches the port may do everything."""

    challenge = ''
    loopback_only = True

    def identify(self, _headers: Mapping[str, str]) -> Identity:
        return NOBODY


class AdminToken:
    """One secret, in X-Auth-Token, that opens every project."""

    challenge = 'Token realm="slotwright"'
    loopback_only = False

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def identify(self, headers: Mapping[str, str]) -> Identity:
        sent = headers.get('X-AUTH-TOKEN', '').encode()
        if not hmac.compare_digest(sent, self._token):
            raise Unauthorized('The header X-Auth-Token has to have the token of this service.')
        return TOKEN_HOLDER


class HttpBasic:
    """A user name and a password (RFC 7617) of the user file."""

    challenge = 'Basic realm="slotwright", charset="UTF-8"'
    loopback_only = False

    def __init__(self, users: Users) -> None:
        self._users = users

    def identify(self, headers: Mapping[str, str]) -> Identity:
        scheme, _, encoded = headers.get('AUTHORIZATION', '').partition(' ')
        if not scheme and 'X-AUTH-TOKEN' in headers:  # how the messaging client says it
            scheme, encoded = 'basic', headers['X-AUTH-TOKEN']
        if scheme.lower() != 'basic':
            raise Unauthorized('Log in with a user name and a password (HTTP basic).')
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:  # no base64, no UTF-8
            decoded = ''
        user, colon, password = decoded.partition(':')
        if not colon:
            raise Unauthorized('The header Authorization is malformed: "Basic <base64>" it is.')
        identity = self._users.verify(user, password)
        if identity is None:
            raise Unauthorized('There is no such user, or the password is another.')
        return identity


def load(conf: cfg.ConfigOpts) -> Strategy:
    """Make the strategy that [api] auth_strategy names.

    :raises InvalidConfiguration: it lacks its token or its file, or the file is malformed.
    """
    if conf.api.auth_strategy == 'admin_token':
        if not conf.api.admin_token:
            raise InvalidConfiguration('[api] auth_strategy is admin_token: set [api] admin_token')
        if not _SENDABLE.fullmatch(conf.api.admin_token):
            raise InvalidConfiguration('[api] admin_token: printable ASCII without spaces only')
        return AdminToken(conf.api.admin_token)
    if conf.api.auth_strategy == 'http_basic':
        if not conf.api.user_file:
            raise InvalidConfiguration('[api] auth_strategy is http_basic: set [api] user_file')
        # The others go on serving those who logged in before.
        return HttpBasic(Users(conf.api.user_file, most_logins=max(1, conf.api.threads - 2)))
    return NoAuth()
