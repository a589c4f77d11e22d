"""[database]: those options of oslo.db that take effect here, under their own names."""

from oslo_config import cfg
from oslo_db import options as oslo_options

GROUP = 'database'

#: Handed to ``oslo_db.sqlalchemy.engines.create_engine`` under the same names.
ENGINE_OPTIONS = (
    'mysql_sql_mode',
    'mysql_wsrep_sync_wait',
    'connection_recycle_time',
    'connection_debug',
    'connection_trace',
    'connection_parameters',
    'max_pool_size',
    'max_overflow',
    'pool_timeout',
    'max_retries',
    'retry_interval',
)

CONNECTION = cfg.StrOpt(
    'connection',
    default='sqlite:////var/lib/slotwright/slotwright.sqlite',
    secret=True,
    help='SQLAlchemy URL of the management data: sqlite:///FILE, mysql+pymysql://… or '
    'postgresql+psycopg2://…',
)

OPTS = [CONNECTION, *(o for o in oslo_options.database_opts if o.name in ENGINE_OPTIONS)]


def register_options(conf: cfg.ConfigOpts) -> None:
    """Register [database] on ``conf``."""
    conf.register_opts(OPTS, group=GROUP)
