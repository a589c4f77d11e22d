"""[management_store]: where pools, flavors and the catalogue are kept."""

from oslo_config import cfg

GROUP = 'management_store'

OPTS = [
    cfg.StrOpt(
        'driver',
        default='sqlalchemy',
        choices=[
            ('sqlalchemy', 'In the database of [database].'),
            ('redis', 'In the Redis server of [drivers:management_store:redis].'),
        ],
        help='Where pools, flavors and the catalogue are kept.',
    ),
]
