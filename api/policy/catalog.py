"""Rules of what there is to choose from, and of what there is not."""

from oslo_policy import policy

from api.policy.base import ADMIN, ADMIN_OR_OWNER, rule

RULES = (
    rule(
        'flavor:index',
        ADMIN_OR_OWNER,
        'List and show flavors.',
        ('GET', 'flavors'),
        ('GET', 'flavors/{flavor_id}'),
    ),
    rule(
        'datastore:index',
        ADMIN_OR_OWNER,
        'List and show datastores and their versions.',
        ('GET', 'datastores'),
        ('GET', 'datastores/{datastore}'),
        ('GET', 'datastores/{datastore}/versions'),
        ('GET', 'datastores/{datastore}/versions/{version}'),
        ('GET', 'datastores/{datastore}/versions/{version}/flavors'),
        ('GET', 'datastores/versions/{version}'),
    ),
    policy.DocumentedRuleDefault(
        'metrics:show',
        ADMIN,
        'Read /metrics, which has numbers of all projects in it.',
        [{'method': 'GET', 'path': '/metrics'}],
    ),
    policy.RuleDefault(
        'unserved:index',
        ADMIN_OR_OWNER,
        "Be told what a Redis cluster does not have: every other path of Trove's.",
    ),
)

#: For paths that no rule names.
UNSERVED = 'unserved:index'
