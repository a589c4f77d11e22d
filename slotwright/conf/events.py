"""[events]: where events are published, and live data kept."""

from oslo_config import cfg

GROUP = 'events'

OPTS = [
    cfg.StrOpt(
        'driver',
        default='memory',
        help='Where events are published and live data kept: memory, of this process; redis, '
        'one server; redis_cluster; or the dotted path of a class of your own, see '
        'slotwright.events.drivers.DriverClass.',
    ),
    cfg.StrOpt(
        'uri',
        default='redis://127.0.0.1:6379',
        secret=True,
        help='The server, or one node of the cluster: redis://[[user]:password@]host[:port][/db], '
        'rediss:// for TLS, or unix:///path, as in [drivers:management_store:redis]. A cluster has '
        'neither /db nor unix://. With the socket_timeout of 2 seconds that is the default, a '
        'server that hangs is noticed within 10 seconds.',
    ),
    cfg.ListOpt(
        'nodes',
        default=[],
        help='More nodes of the cluster, host:port, in case that of uri is down at the start. '
        'The others are found. Login, TLS and timeouts are those of uri.',
    ),
    cfg.StrOpt(
        'prefix',
        default='slotwright',
        help='Begins the names of all keys and channels, so that two services can share a '
        'Redis. Letters, digits and _ . : -',
    ),
]
