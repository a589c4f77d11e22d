"""[management_store]: where pools, flavors and the catalogue are kept."""

from oslo_config import cfg

GROUP = 'management_store'

OPTS = [
    cfg.StrOpt(
        'driver',
        default='sqlalchemy',
        help='Where pools, flavors and the catalogue are kept: sqlalchemy, in the database '
        'of [database]; redis, in the server of [drivers:management_store:redis]; or the '
        'dotted path of a class of your own, see slotwright.storage.pool_stores.Driver.',
    ),
]
