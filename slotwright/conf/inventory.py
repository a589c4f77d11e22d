"""[inventory]: the provisioner that runs instances on enrolled hosts."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'inventory'

OPTS = [
    cfg.StrOpt(
        'group',
        default='default',
        help='Instances without a pool run on hosts that enrolled with slotwright-guestagent '
        '--enroll GROUP.',
    ),
    floats.FloatOpt(
        'silence',
        default=20.0,
        min=1,
        help='Seconds after which a host that is not heard of is not taken.',
    ),
]
