"""[api]: the REST daemon."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'api'

CONCURRENCY = cfg.StrOpt(
    'concurrency',
    default='threading',
    choices=[
        ('threading', 'Threads of the operating system.'),
        (
            'eventlet',
            'Green threads, for very many slow callers; with MariaDB or MySQL only, and not '
            'in slotwright standalone.',
        ),
    ],
    help='What the threads of slotwright-api are.',
)

OPTS = [
    cfg.StrOpt(
        'bind_host',
        default='127.0.0.1',
        help='Address to listen on. Only loopback is accepted while auth_strategy is noauth.',
    ),
    cfg.PortOpt('bind_port', default=8779, help='Port to listen on; 0 takes a free one.'),
    cfg.StrOpt(
        'auth_strategy',
        default='noauth',
        choices=[
            ('noauth', 'Everybody on this machine is everybody: loopback only.'),
            ('admin_token', 'One token, in X-Auth-Token, opens every project.'),
            ('http_basic', 'Users with passwords, of user_file.'),
        ],
        help='How callers prove who they are.',
    ),
    cfg.StrOpt('admin_token', secret=True, help='The token of auth_strategy admin_token.'),
    cfg.StrOpt(
        'user_file',
        help='The users of auth_strategy http_basic: lines of name:bcrypt hash:projects:roles. '
        'slotwright-manage user set writes it; changes hold at once.',
    ),
    cfg.IntOpt(
        'read_rate',
        default=0,
        min=0,
        help='GET requests a minute that one project may send to one API daemon; more get 413 '
        'and Retry-After. 0 for any number.',
    ),
    cfg.IntOpt(
        'write_rate',
        default=0,
        min=0,
        help='The same for all other requests together. Trove allows 200.',
    ),
    CONCURRENCY,
    cfg.IntOpt(
        'threads',
        default=8,
        min=1,
        help='Requests served at the same time. With concurrency eventlet hundreds cost little.',
    ),
    cfg.IntOpt('fanout', default=32, min=1, help='Guests asked at the same time.'),
    cfg.IntOpt(
        'max_request_body_size',
        default=114688,
        min=1024,
        help='Largest request body accepted, in bytes; larger ones get 413.',
    ),
    cfg.IntOpt(
        'clusters_page_size',
        default=20,
        min=1,
        help='Most clusters in one page of a list; also the page when no limit is given.',
    ),
    cfg.IntOpt(
        'instances_page_size',
        default=20,
        min=1,
        help='Most instances in one page of a list; also the page when no limit is given.',
    ),
    cfg.IntOpt(
        'events_page_size',
        default=100,
        min=1,
        help='Most events in one page of a list; also the page when no limit is given.',
    ),
    cfg.IntOpt(
        'event_streams',
        default=500,
        min=0,
        help='Live streams of events that one API daemon serves at the same time; more get 503. '
        'Each is an open file, and none holds one of the threads.',
    ),
    cfg.IntOpt(
        'event_streams_per_project',
        default=100,
        min=0,
        help='Of event_streams, how many one project may have at the same time; more get 413.',
    ),
    cfg.IntOpt(
        'max_accepted_volume_size',
        default=10,
        min=1,
        help='Largest volume of an instance, in GiB.',
    ),
    cfg.IntOpt(
        'max_cluster_size',
        default=200,
        min=1,
        help='Most instances in one cluster.',
    ),
    floats.FloatOpt(
        'silent_after',
        default=20.0,
        min=1,
        help='Seconds without a heartbeat after which an instance shows UNKNOWN as its '
        'operating status.',
    ),
    cfg.StrOpt('region', default='RegionOne', help='Name of the region instances show.'),
]
