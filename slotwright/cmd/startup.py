"""What every program does first."""

import contextlib
import logging
from collections.abc import Iterator, Sequence

from oslo_config import cfg

import slotwright
from slotwright import conf as options
from slotwright import defaults, log
from slotwright.domain.errors import SlotwrightError

LOG = logging.getLogger(__name__)


def configure(
    program: str,
    argv: Sequence[str] | None = None,
    cli_options: Sequence[cfg.Opt] = (),
) -> cfg.ConfigOpts:
    """Read options and start logging; ``argv`` is the command line without the program.

    Without ``--config-file`` the files are slotwright.conf and ``program``.conf in
    ~/.slotwright, ~, /etc/slotwright and /etc. ``cli_options`` are the program's own.

    :raises SystemExit: for a command line or a file that does not parse.
    """
    conf = cfg.CONF
    defaults.set_library_defaults()
    options.register(conf)
    log.register(conf)
    conf.register_cli_opts(cli_options)
    try:
        conf(argv, project='slotwright', prog=program, version=slotwright.__version__)
    except cfg.Error as error:
        raise SystemExit(f'{program}: {error}') from error
    log.setup(conf, program)
    return conf


@contextlib.contextmanager
def explained(program: str) -> Iterator[None]:
    """End the program with one line, not a traceback, for what its operator can mend."""
    try:
        yield
    except (SlotwrightError, OSError, ValueError) as error:
        LOG.debug('The cause', exc_info=True)
        raise SystemExit(f'{program}: {error}') from error
