"""[taskmanager]: the worker of operations."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'taskmanager'

OPTS = [
    cfg.StrOpt(
        'host',
        sample_default='<hostname>',
        help='Name of this host in the records of its instances. Not to be changed while '
        'there are any; default is what the system calls itself.',
    ),
    cfg.IntOpt('workers', default=8, min=1, help='Operations this daemon runs at once.'),
    cfg.IntOpt(
        'fanout',
        default=64,
        min=1,
        help='Guest commands this daemon has under way at once.',
    ),
    floats.FloatOpt(
        'lease',
        default=10.0,
        min=0.5,
        help='Seconds a taskmanager holds an operation without renewing. A killed one '
        'delays its operations by this much.',
    ),
    floats.FloatOpt(
        'sweep_interval',
        default=1.0,
        min=0.1,
        help='Seconds between looks for operations that nobody holds. Held leases are '
        'renewed at the same beat.',
    ),
    floats.FloatOpt(
        'operation_budget',
        default=300.0,
        min=1,
        help='Seconds of work after which an operation is given up and reverted. Time in '
        'which no taskmanager ran does not count.',
    ),
    floats.FloatOpt(
        'patience',
        default=30.0,
        min=1,
        help='Seconds of work after which a delete leaves a tombstone for an agent that '
        'does not answer.',
    ),
    cfg.StrOpt(
        'provisioner',
        default='local',
        choices=[
            ('local', 'on this machine, on loopback addresses'),
            ('inventory', 'on hosts that enrolled, see [inventory]'),
        ],
        help='Where instances run that are in no pool; the others run where their pool says.',
    ),
    floats.FloatOpt(
        'catalogue_interval',
        default=5.0,
        min=1,
        help='Seconds between looks whether the catalogue of the management store says in which '
        'pools instances are. It is looked at when an operation ends, too.',
    ),
    floats.FloatOpt(
        'event_retention',
        default=7.0,
        min=floats.LEAST_DAYS,
        max=floats.MOST_DAYS,
        help='Days that events are kept for those who ask for earlier ones.',
    ),
    floats.FloatOpt(
        'deleted_retention',
        default=90.0,
        type=floats.Days(),
        help='Days that rows of what was deleted stay in the database, if nothing else refers to '
        'them; 0 for ever, else 0.01 or more. slotwright-manage db purge removes them at once.',
    ),
    cfg.PortOpt(
        'metrics_port',
        default=0,
        help='Port on which Prometheus finds /metrics of this daemon: what became of its RPC '
        'messages. 0 for none.',
    ),
    cfg.HostAddressOpt(
        'metrics_host',
        default='127.0.0.1',
        help='Address of metrics_port. Whoever reaches it may read; there is no login.',
    ),
]
