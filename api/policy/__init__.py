"""Who may do what: the rules of oslo.policy, with their defaults, one file a resource."""

import itertools
from collections.abc import Sequence

from oslo_policy import policy

from api.policy import backups, base, catalog, clusters, instances, messaging, quotas


def list_rules() -> Sequence[policy.DocumentedRuleDefault | policy.RuleDefault]:
    """All rules, for the enforcer and for oslopolicy-sample-generator."""
    return tuple(
        itertools.chain(
            base.RULES,
            clusters.RULES,
            instances.RULES,
            catalog.RULES,
            quotas.RULES,
            messaging.RULES,
            backups.RULES,
        )
    )
