"""What the other rules are made of."""

from oslo_policy import policy

PREFIX = '/v1.0/{tenant_id}'

ADMIN = 'rule:admin'
ADMIN_OR_OWNER = 'rule:admin_or_owner'

RULES = (
    policy.RuleDefault('admin', 'role:admin', 'Operators of the service.'),
    policy.RuleDefault(
        'admin_or_owner',
        'rule:admin or project_id:%(project_id)s',
        'Operators, and whoever is of the project in the URL.',
    ),
)


def rule(
    name: str, check: str, description: str, *operations: tuple[str, str]
) -> policy.DocumentedRuleDefault:
    """A rule for ``operations``: pairs of a method and a path under /v1.0/{tenant_id}/."""
    return policy.DocumentedRuleDefault(
        name,
        check,
        description,
        [{'method': method, 'path': f'{PREFIX}/{path}'} for method, path in operations],
    )
