"""[guestagent]: the agent beside one redis-server."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'guestagent'

#: On the command line of an agent only.
ENROLL = cfg.StrOpt(
    'enroll',
    metavar='GROUP',
    help='Wait for instances of this group of hosts, one at a time, at [guestagent] address. '
    'Who the host is stays in [guestagent] directory.',
)

OPTS = [
    cfg.StrOpt('instance_id', help='The instance this agent serves.'),
    cfg.StrOpt(
        'directory',
        help='Where this instance keeps everything it has on the host; of an enrolled host, '
        'who it is and the instance it serves.',
    ),
    cfg.StrOpt('address', help='IP address of an enrolled host, for its redis-server.'),
    cfg.PortOpt('port', default=6379, help='Client port of the redis-server of an enrolled host.'),
    cfg.PortOpt(
        'bus_port',
        sample_default='<port + 10000>',
        help='Its cluster bus port. Redis before version 7 knows only the default.',
    ),
    cfg.IntOpt(
        'ram',
        min=1,
        sample_default='<all the machine has>',
        help='MiB that an enrolled host offers: it is given instances of flavors up to that.',
    ),
    cfg.StrOpt(
        'machine',
        sample_default='<hostname>',
        help='What goes down together with an enrolled host. Members of a cluster are spread '
        'over machines.',
    ),
    floats.FloatOpt('heartbeat_interval', default=5.0, min=0.2, help='Seconds between heartbeats.'),
    cfg.IntOpt(
        'restart_limit',
        default=5,
        min=0,
        help='Restarts of a dying redis-server within restart_window before it is left down.',
    ),
    floats.FloatOpt(
        'restart_window', default=60.0, min=1, help='Seconds that restart_limit is about.'
    ),
    floats.FloatOpt(
        'start_timeout',
        default=60.0,
        min=1,
        help='Seconds a started redis-server has to answer (loading its data included).',
    ),
]
