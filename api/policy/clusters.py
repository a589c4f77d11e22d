"""Rules of clusters; the names are Trove's, where it has one."""

from api.policy.base import ADMIN, ADMIN_OR_OWNER, rule

_ONE = 'clusters/{cluster_id}'
_ACTION = 'clusters/{cluster_id}/action'

RULES = (
    rule('cluster:index', ADMIN_OR_OWNER, 'List clusters.', ('GET', 'clusters')),
    rule('cluster:create', ADMIN_OR_OWNER, 'Create a cluster.', ('POST', 'clusters')),
    rule('cluster:show', ADMIN_OR_OWNER, 'Show a cluster.', ('GET', _ONE)),
    rule('cluster:delete', ADMIN_OR_OWNER, 'Delete a cluster.', ('DELETE', _ONE)),
    rule(
        'cluster:action',
        ADMIN_OR_OWNER,
        'Act on a cluster; each action has a rule of its own besides.',
        ('POST', _ONE),
        ('POST', _ACTION),
    ),
    rule('cluster:grow', ADMIN_OR_OWNER, 'Add members (grow).', ('POST', _ACTION)),
    rule('cluster:shrink', ADMIN_OR_OWNER, 'Remove members (shrink).', ('POST', _ACTION)),
    rule(
        'cluster:reset-status',
        ADMIN,
        'Give up the operation of a cluster and look at what is there (reset-status).',
        ('POST', _ACTION),
    ),
    rule(
        'cluster:force_delete',
        ADMIN_OR_OWNER,
        'Delete a cluster whatever has it (reset-status with force_delete).',
        ('POST', _ACTION),
    ),
    rule(
        'cluster:show_instance',
        ADMIN_OR_OWNER,
        'Show a member of a cluster.',
        ('GET', 'clusters/{cluster_id}/instances/{instance_id}'),
    ),
    rule(
        'operation:show',
        ADMIN_OR_OWNER,
        'List and show the operations of clusters.',
        ('GET', 'clusters/{cluster_id}/operations'),
        ('GET', 'operations/{operation_id}'),
    ),
    rule(
        'event:index',
        ADMIN_OR_OWNER,
        'List and follow the events of a project or a cluster.',
        ('GET', 'events'),
        ('GET', 'clusters/{cluster_id}/events'),
    ),
    rule(
        'event:index_all',
        ADMIN,
        'List and follow the events of all projects, and those of pools and flavors.',
        ('GET', 'mgmt/events'),
    ),
    rule(
        'root:show',
        ADMIN_OR_OWNER,
        "Tell whether a cluster has a tenant's password.",
        ('GET', 'clusters/{cluster_id}/root'),
        ('GET', 'instances/{instance_id}/root'),
    ),
    rule(
        'root:enable',
        ADMIN_OR_OWNER,
        "Give a cluster a new tenant's password.",
        ('POST', 'clusters/{cluster_id}/root'),
        ('POST', 'instances/{instance_id}/root'),
    ),
    rule(
        'root:disable',
        ADMIN_OR_OWNER,
        "Take the tenant's password away.",
        ('DELETE', 'clusters/{cluster_id}/root'),
        ('DELETE', 'instances/{instance_id}/root'),
    ),
)


def of_action(name: str, argument: object) -> str:
    """The rule that an action needs beside cluster:action.

    >>> of_action('grow', [])
    'cluster:grow'
    >>> of_action('reset-status', {'force_delete': True})
    'cluster:force_delete'
    """
    if name == 'reset-status' and isinstance(argument, dict) and argument.get('force_delete'):
        return 'cluster:force_delete'
    return f'cluster:{name}'
