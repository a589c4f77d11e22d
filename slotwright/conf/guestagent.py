"""[guestagent]: the agent beside one redis-server."""

from oslo_config import cfg

GROUP = 'guestagent'

OPTS = [
    cfg.StrOpt('instance_id', help='The instance this agent serves.'),
    cfg.StrOpt('directory', help='Where this instance keeps everything it has on the host.'),
    cfg.FloatOpt('heartbeat_interval', default=5.0, min=0.2, help='Seconds between heartbeats.'),
    cfg.IntOpt(
        'restart_limit',
        default=5,
        min=0,
        help='Restarts of a dying redis-server within restart_window before it is left down.',
    ),
    cfg.FloatOpt(
        'restart_window', default=60.0, min=1, help='Seconds that restart_limit is about.'
    ),
    cfg.FloatOpt(
        'start_timeout',
        default=60.0,
        min=1,
        help='Seconds a started redis-server has to answer (loading its data included).',
    ),
]
