"""Lets a request in, or not: the only place that decides it.

In this order: who sends it (401), may they speak for the project in the URL (403), has the
project asked too often (413), do the rules allow it (403). The rules are in ``api/policy``;
the method and the path say which one it is, an action's comes from its body.
"""

from collections.abc import Callable, Mapping

import falcon

from api import policy, request_ids
from api.auth.identity import Identity
from api.auth.limits import RateLimits
from api.auth.rulebook import Rulebook
from api.auth.strategies import Strategy
from api.policy.catalog import UNSERVED
from slotwright.domain.errors import Forbidden, OverLimit, Unauthorized, Unavailable

#: Open to everybody: which versions there are, what can be asked, and whether we are well.
PUBLIC = frozenset({'/', '/v1.0', '/openapi.json', '/healthcheck'})

#: What proxies and middleware tell one another about a caller. Sent to us they are lies.
_TOLD = ('HTTP_X_USER', 'HTTP_X_PROJECT', 'HTTP_X_TENANT', 'HTTP_X_ROLE', 'HTTP_X_IDENTITY',
         'HTTP_X_DOMAIN', 'HTTP_X_SERVICE', 'HTTP_X_IS_ADMIN', 'HTTP_OPENSTACK_SYSTEM_SCOPE',
         'HTTP_X_FORWARDED_USER', 'HTTP_X_REMOTE_USER', 'HTTP_REMOTE_USER')  # fmt: skip

Authorize = Callable[[str], None]


def index() -> Mapping[tuple[str, str], str]:
    """Rule by (method, route), for all rules that name operations but those of actions."""
    found: dict[tuple[str, str], str] = {}
    for rule in policy.list_rules():
        for operation in getattr(rule, 'operations', ()):
            found.setdefault((str(operation['method']), operation['path']), rule.name)
    return found


class Guard:
    """Falcon middleware."""

    def __init__(self, strategy: Strategy, rulebook: Rulebook, limits: RateLimits) -> None:
        self._strategy = strategy
        self._rulebook = rulebook
        self._limits = limits
        self._rules = index()

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        # The only one that is a wish, where no URL names the project: see process_resource.
        req.context.named_project = req.get_header('X-Project-Id')
        for name in [name for name in req.env if name.startswith(_TOLD)]:
            del req.env[name]
        if (req.path.rstrip('/') or '/') in PUBLIC:
            return
        try:
            identity = self._strategy.identify(req.headers)
        except Unauthorized:
            resp.set_header('WWW-Authenticate', self._strategy.challenge)
            raise
        except Unavailable:
            resp.retry_after = 1
            raise
        req.context.identity = identity
        req.env[request_ids.USER_KEY] = identity.user

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        params: Mapping[str, str],
    ) -> None:
        identity: Identity | None = getattr(req.context, 'identity', None)
        if identity is None:  # public
            return
        project = params.get('tenant_id')
        template = (req.uri_template or '').rstrip('/')
        if project is None and template.startswith('/v2/'):
            project = req.context.named_project or None
        elif template.startswith('/v1/'):
            project = req.context.named_project or identity.home
        req.context.project = project
        if project is not None:
            self._admit(req, resp, identity, project)
        req.context.authorize = self._authorizer(identity, project)
        # HEAD and OPTIONS are answered by the framework, from what a route has.
        req.context.authorize(self._rules.get((req.method, template), UNSERVED))

    def _admit(
        self, req: falcon.Request, resp: falcon.Response, identity: Identity, project: str
    ) -> None:
        """Let a request into a project, and count it there."""
        if not identity.may_enter(project):
            raise Forbidden(f'Operation not allowed for tenant {project}.')
        wait = self._limits.wait(project, req.method)
        if wait:
            resp.retry_after = wait
            raise OverLimit(
                f'Project {project} has sent too many {req.method} requests; try again in {wait} s.'
            )

    def _authorizer(self, identity: Identity, project: str | None) -> Authorize:
        def authorize(rule: str) -> None:
            if not self._rulebook.allows(rule, identity, project):
                raise Forbidden(f"Policy doesn't allow {rule} to be performed.")

        return authorize
