"""Rules of pools and flavors; the names are Zaqar's."""

from oslo_policy import policy

from api.policy.base import ADMIN

_POOLS = (
    ('pools:get_all', 'List pools.', 'GET', '/v2/pools'),
    ('pools:get', 'Show a pool.', 'GET', '/v2/pools/{pool}'),
    ('pools:create', 'Create a pool, or replace it.', 'PUT', '/v2/pools/{pool}'),
    ('pools:update', 'Change a pool.', 'PATCH', '/v2/pools/{pool}'),
    ('pools:delete', 'Delete a pool.', 'DELETE', '/v2/pools/{pool}'),
)
_FLAVORS = (
    ('flavors:get_all', 'List flavors of pools.', 'GET', '/v2/flavors'),
    ('flavors:get', 'Show a flavor of pools.', 'GET', '/v2/flavors/{flavor}'),
    ('flavors:create', 'Create a flavor, or replace it.', 'PUT', '/v2/flavors/{flavor}'),
    ('flavors:update', 'Change a flavor.', 'PATCH', '/v2/flavors/{flavor}'),
    ('flavors:delete', 'Delete a flavor.', 'DELETE', '/v2/flavors/{flavor}'),
)

RULES = tuple(
    policy.DocumentedRuleDefault(name, ADMIN, text, [{'method': method, 'path': path}])
    for name, text, method, path in (*_POOLS, *_FLAVORS)
)
