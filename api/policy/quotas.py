"""Rules of quotas."""

from api.policy.base import ADMIN, ADMIN_OR_OWNER, rule

_QUOTAS = 'mgmt/quotas/{project_id}'

RULES = (
    rule('limits:index', ADMIN_OR_OWNER, "Show a project's own quotas and use.", ('GET', 'limits')),
    rule('quota:show', ADMIN, 'Show the quotas of any project.', ('GET', _QUOTAS)),
    rule('quota:update', ADMIN, 'Change the quotas of any project.', ('PUT', _QUOTAS)),
    rule(
        'project:show',
        ADMIN,
        'Look a project up, as clients do before they ask for its quotas.',
        ('GET', 'projects/{project_id}'),
    ),
)
