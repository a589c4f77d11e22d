"""What every program does first."""

import contextlib
import logging
from collections.abc import Iterator, Sequence

from oslo_config import cfg

import slotwright
from slotwright import conf as options
from slotwright import defaults, log
from slotwright.domain.errors import SlotwrightError
from slotwright.rpc import transport
from slotwright.storage.sqlalchemy import options as storage_options

LOG = logging.getLogger(__name__)


def configure(
    program: str,
    argv: Sequence[str] | None = None,
    cli_options: Sequence[cfg.Opt] = (),
    cli_group: str | None = None,
    more_cli_options: Sequence[cfg.Opt] = (),
) -> cfg.ConfigOpts:
    """Read options and start logging; ``argv`` is the command line without the program.

    Without ``--config-file`` the files are slotwright.conf and ``program``.conf in
    ~/.slotwright, ~, /etc/slotwright and /etc. ``cli_options`` (of one group) may also be
    given on the command line, and ``more_cli_options`` (of none). Without a log file, the
    log goes to standard error.

    :raises SystemExit: for a command line, a file or a value that does not parse.
    """
    conf = cfg.CONF
    defaults.set_library_defaults()
    conf.register_cli_opts(cli_options, group=cli_group)
    conf.register_cli_opts(more_cli_options)
    options.register(conf)
    transport.register_options(conf)
    storage_options.register_options(conf)
    log.register(conf)
    try:
        conf(argv, project='slotwright', prog=program, version=slotwright.__version__)
        require_values(conf)
    except cfg.Error as error:
        raise SystemExit(f'{program}: {error}') from error
    if not (conf.log_file or conf.log_dir):
        conf.set_default('use_stderr', True)
    log.setup(conf, program)
    return conf


def require_values(conf: cfg.ConfigOpts) -> None:
    """Read every option of ours: a bad value is told now, not when it is needed.

    :raises oslo_config.cfg.Error: for one; it names section and option.
    """
    for group, opts in options.list_opts():
        for option in opts:
            try:
                value = conf[group][option.dest]
            except cfg.Error as error:
                raise cfg.Error(f'[{group}] {option.name}: {error}') from error
            # What oslo.config makes of "name =", where a number is meant.
            if value is None and option.default is not None:
                raise cfg.Error(f'[{group}] {option.name}: it has no value')


@contextlib.contextmanager
def explained(program: str) -> Iterator[None]:
    """End the program with one line, not a traceback, for what its operator can mend."""
    try:
        yield
    except (SlotwrightError, OSError, ValueError) as error:
        LOG.debug('The cause', exc_info=True)
        raise SystemExit(f'{program}: {error}') from error
