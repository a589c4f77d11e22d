"""A look at what our redis-server does."""

import logging

from guestagent.node import Node, accepted, info_fields
from slotwright.domain.errors import SlotwrightError
from slotwright.rpc.contract import Wire

LOG = logging.getLogger(__name__)

_SECTIONS = ('memory', 'stats', 'clients')


def look(node: Node) -> Wire | None:
    """See ``slotwright.domain.gauges.Gauges``; None when there is nothing to be seen now."""
    commands = [('INFO', section) for section in _SECTIONS]
    try:
        *texts, keys = node.run(*commands, ('DBSIZE',))
        fields: dict[str, str] = {}
        for command, text in zip(commands, texts, strict=True):
            fields |= info_fields(accepted(text, command))
        return {
            'used_memory': int(fields['used_memory']),
            'max_memory': int(fields['maxmemory']),
            'ops_per_second': int(fields['instantaneous_ops_per_sec']),
            'clients': int(fields['connected_clients']),
            'keys': int(accepted(keys, ('DBSIZE',))),
        }
    except (SlotwrightError, KeyError, ValueError) as error:
        LOG.debug('Redis cannot be measured now: %s', error)
        return None
