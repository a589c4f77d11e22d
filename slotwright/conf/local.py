"""[local]: the provisioner that runs instances on this machine."""

from oslo_config import cfg

GROUP = 'local'

OPTS = [
    cfg.StrOpt(
        'data_dir',
        default='/var/lib/slotwright/instances',
        help='One directory per instance is made in here.',
    ),
    cfg.StrOpt(
        'network',
        default='127.77.0.0/16',
        help='Loopback network that instances get their addresses from, unless their pool has '
        'another.',
    ),
    cfg.PortOpt('port', default=6379, help='First client port tried on an address.'),
    cfg.IntOpt('port_range', default=100, min=1, max=9000, help='How many ports may be tried.'),
]
