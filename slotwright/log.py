"""Logging of all daemons: oslo.log, with request and cluster in every line."""

import contextlib
from collections.abc import Iterator

from oslo_config import cfg
from oslo_context import context
from oslo_log import log

#: ``resource`` is where we put the cluster; oslo.log knows it as empty in other contexts.
LINE = (
    '%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s '
    '[%(request_id)s %(resource)s] %(message)s'
)

#: Also with ``debug`` these stay quiet: some would log whole messages, secrets included, and
#: alembic has ten lines for each look at the database's version.
QUIET = ('alembic=WARN', 'amqp=WARN', 'kombu=WARN', 'oslo.messaging=INFO', 'oslo_messaging=INFO')


class LogContext(context.RequestContext):
    """What a log line is about; empty members show as ``-``."""

    def __init__(self, request_id: str = '', cluster_id: str = '') -> None:
        super().__init__(request_id=request_id or '-', overwrite=False)
        self.cluster_id = cluster_id or '-'

    def get_logging_values(self) -> dict[str, object]:
        return {**super().get_logging_values(), 'resource': self.cluster_id}


@contextlib.contextmanager
def about(request_id: str, cluster_id: str = '') -> Iterator[None]:
    """Name request and cluster in what this thread logs inside the ``with``."""
    before = context.get_current() or LogContext()
    LogContext(request_id, cluster_id).update_store()
    try:
        yield
    finally:
        before.update_store()


def set_defaults() -> None:
    """Change defaults of oslo.log's options, before anybody registers them."""
    levels = dict(pair.split('=') for pair in (*log.get_default_log_levels(), *QUIET))
    log.set_defaults(
        logging_context_format_string=LINE,
        default_log_levels=[f'{name}={level}' for name, level in levels.items()],
    )


def register(conf: cfg.ConfigOpts) -> None:
    """Register oslo.log's options; before the command line is parsed."""
    set_defaults()
    log.register_options(conf)


def setup(conf: cfg.ConfigOpts, name: str) -> None:
    """Start logging as configured; ``name`` is the program's."""
    log.setup(conf, name)
