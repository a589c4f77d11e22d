"""Our defaults for options of the libraries, one hook for daemons and sample alike."""

from slotwright import log
from slotwright.rpc import transport


def set_library_defaults() -> None:
    """Change them before anybody registers them; also run by oslo-config-generator."""
    log.set_defaults()
    transport.set_defaults()
