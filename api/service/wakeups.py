"""Casts to the taskmanagers, which may fail: the operation is stored, a sweep finds it."""

import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from slotwright.domain.errors import SlotwrightError
from slotwright.rpc.contract import CommandContext

LOG = logging.getLogger(__name__)

P = ParamSpec('P')


def wake(
    cast: Callable[Concatenate[CommandContext, P], None],
    context: CommandContext,
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Send ``cast``; when the broker is away the request is accepted all the same."""
    try:
        cast(context, *args, **kwargs)
    except SlotwrightError as error:
        LOG.warning(
            'No taskmanager was told of the work on cluster %s (%s); a sweep will find it.',
            context.cluster_id,
            error,
        )
