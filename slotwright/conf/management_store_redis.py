"""[drivers:management_store:redis]: the server of the management store, as Zaqar names it."""

from oslo_config import cfg

from slotwright.conf import floats

GROUP = 'drivers:management_store:redis'

OPTS = [
    cfg.StrOpt(
        'uri',
        default='redis://127.0.0.1:6379',
        secret=True,
        help='redis://[[user]:password@]host[:port][/db], rediss:// for TLS, or '
        'unix:///path; user and password may be percent-encoded. After a ? come dbid, '
        'socket_timeout and socket_connect_timeout (seconds), and for TLS ssl_ca_certs, '
        'ssl_certfile, ssl_keyfile, ssl_cert_reqs and ssl_check_hostname.',
    ),
    cfg.IntOpt(
        'max_reconnect_attempts',
        default=10,
        min=1,
        help='Most times a command is sent while the server does not answer. No attempt '
        'begins later than 5 seconds after the first; then requests get 503.',
    ),
    floats.FloatOpt(
        'reconnect_sleep',
        default=1.0,
        min=0,
        help='Seconds before the second attempt; doubled with each further one.',
    ),
]
