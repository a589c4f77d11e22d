"""Rules of clients, actions, jobs, sessions and backups; the names are Freezer's."""

from oslo_policy import policy

from api.policy.base import ADMIN_OR_OWNER

_PREFIXES = ('/v2/{tenant_id}', '/v1')
WRITER = 'rule:backup_writer'

# Name, default, description, method and path.
_RULES = (
    ('clients:get_all', ADMIN_OR_OWNER, 'List clients.', 'GET', 'clients'),
    ('clients:create', WRITER, 'Register a client.', 'POST', 'clients'),
    ('clients:get', ADMIN_OR_OWNER, 'Show a client.', 'GET', 'clients/{client_id}'),
    ('clients:delete', WRITER, 'Delete a client.', 'DELETE', 'clients/{client_id}'),
    ('actions:get_all', ADMIN_OR_OWNER, 'List actions.', 'GET', 'actions'),
    ('actions:create', WRITER, 'Create an action.', 'POST', 'actions'),
    ('actions:get', ADMIN_OR_OWNER, 'Show an action.', 'GET', 'actions/{action_id}'),
    ('actions:replace', WRITER, 'Replace an action.', 'POST', 'actions/{action_id}'),
    ('actions:update', WRITER, 'Change an action.', 'PATCH', 'actions/{action_id}'),
    ('actions:delete', WRITER, 'Delete an action.', 'DELETE', 'actions/{action_id}'),
    ('jobs:get_all', ADMIN_OR_OWNER, 'List jobs.', 'GET', 'jobs'),
    ('jobs:create', WRITER, 'Create a job.', 'POST', 'jobs'),
    ('jobs:get', ADMIN_OR_OWNER, 'Show a job.', 'GET', 'jobs/{job_id}'),
    ('jobs:replace', WRITER, 'Replace a job.', 'POST', 'jobs/{job_id}'),
    ('jobs:update', WRITER, 'Change a job.', 'PATCH', 'jobs/{job_id}'),
    ('jobs:delete', WRITER, 'Delete a job.', 'DELETE', 'jobs/{job_id}'),
    ('jobs:event:create', WRITER, 'Start, stop or abort a job.', 'POST', 'jobs/{job_id}/event'),
    ('sessions:get_all', ADMIN_OR_OWNER, 'List sessions.', 'GET', 'sessions'),
    ('sessions:create', WRITER, 'Create a session.', 'POST', 'sessions'),
    ('sessions:get', ADMIN_OR_OWNER, 'Show a session.', 'GET', 'sessions/{session_id}'),
    ('sessions:replace', WRITER, 'Replace a session.', 'POST', 'sessions/{session_id}'),
    ('sessions:update', WRITER, 'Change a session.', 'PATCH', 'sessions/{session_id}'),
    ('sessions:delete', WRITER, 'Delete a session.', 'DELETE', 'sessions/{session_id}'),
    (
        'sessions:action:create',
        WRITER,
        'Start or end a round of a session.',
        'POST',
        'sessions/{session_id}/action',
    ),
    (
        'sessions:job:add',
        WRITER,
        'Put a job into a session.',
        'PUT',
        'sessions/{session_id}/jobs/{job_id}',
    ),
    (
        'sessions:job:remove',
        WRITER,
        'Take a job out of a session.',
        'DELETE',
        'sessions/{session_id}/jobs/{job_id}',
    ),
    ('backups:get_all', ADMIN_OR_OWNER, 'List backups.', 'GET', 'backups'),
    ('backups:create', WRITER, 'Record a backup.', 'POST', 'backups'),
    ('backups:get', ADMIN_OR_OWNER, 'Show a backup.', 'GET', 'backups/{backup_id}'),
    ('backups:update', WRITER, 'Change the record of a backup.', 'PATCH', 'backups/{backup_id}'),
    ('backups:delete', WRITER, 'Delete the record of a backup.', 'DELETE', 'backups/{backup_id}'),
)

# The same, for what /v1 does not have.
_RULES_OF_V2 = (
    (
        'actions:reports:get_all',
        ADMIN_OR_OWNER,
        'List the reports of the runs of an action.',
        'GET',
        'actions/{action_id}/reports',
    ),
    (
        'actions:reports:create',
        WRITER,
        'Report how a run of an action ended.',
        'POST',
        'actions/{action_id}/reports',
    ),
    (
        'jobs:reports:get_all',
        ADMIN_OR_OWNER,
        'List the reports of the runs of a job.',
        'GET',
        'jobs/{job_id}/reports',
    ),
)

RULES = (
    policy.RuleDefault(
        'backup_writer',
        'rule:admin or ((role:member or role:service) and project_id:%(project_id)s)',
        'Operators, and members of the project; its readers only read.',
    ),
    *(
        policy.DocumentedRuleDefault(
            name,
            check,
            text,
            [{'method': method, 'path': f'{prefix}/{path}'} for prefix in prefixes],
        )
        for rules, prefixes in ((_RULES, _PREFIXES), (_RULES_OF_V2, _PREFIXES[:1]))
        for name, check, text, method, path in rules
    ),
    policy.RuleDefault(
        'clients:create_central',
        'rule:admin or role:service',
        'Register a client that every project sees and may give jobs to.',
    ),
    policy.RuleDefault(
        'jobs:get_all_projects',
        'rule:admin or role:service',
        'List the jobs of all projects, as the scheduler of a central client does.',
    ),
)
