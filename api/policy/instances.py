"""Rules of instances."""

from api.policy.base import ADMIN, ADMIN_OR_OWNER, rule

_ONE = 'instances/{instance_id}'

RULES = (
    rule('instance:index', ADMIN_OR_OWNER, 'List instances.', ('GET', 'instances')),
    rule('instance:show', ADMIN_OR_OWNER, 'Show an instance.', ('GET', _ONE)),
    rule(
        'instance:change',
        ADMIN_OR_OWNER,
        'Be told how an instance is made, changed and removed: by its cluster.',
        ('POST', 'instances'),
        ('PUT', _ONE),
        ('PATCH', _ONE),
        ('DELETE', _ONE),
        ('POST', f'{_ONE}/action'),
    ),
    rule(
        'instance:index_all',
        ADMIN,
        'List the instances of all projects.',
        ('GET', 'mgmt/instances'),
    ),
    rule(
        'instance:change_any',
        ADMIN,
        'The same as instance:change, for operators.',
        ('POST', f'mgmt/{_ONE}/action'),
    ),
)
