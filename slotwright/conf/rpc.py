"""[rpc] and [upgrade_levels]: how long to wait, and which versions to speak."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'rpc'

OPTS = [
    floats.FloatOpt(
        'agent_high_timeout',
        default=180.0,
        min=1,
        help='Seconds to wait for guest commands that take long (AGENT_HIGH_TIMEOUT).',
    ),
    floats.FloatOpt(
        'agent_low_timeout',
        default=5.0,
        min=0.1,
        help='Seconds to wait for guest commands that are quick (AGENT_LOW_TIMEOUT).',
    ),
]

UPGRADE_LEVELS = [
    cfg.StrOpt('taskmanager', help='Highest version of the taskmanager RPC API to speak.'),
    cfg.StrOpt('guestagent', help='Highest version of the guest agent RPC API to speak.'),
]
