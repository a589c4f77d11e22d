"""How contexts and errors look on the wire, on both its ends."""

from typing import Any

import oslo_messaging

from slotwright.domain import errors
from slotwright.domain.errors import SlotwrightError
from slotwright.rpc.contract import CommandContext, Wire


class ContextSerializer(oslo_messaging.NoOpSerializer):
    """Carries a ``CommandContext``; payloads are JSON as they are."""

    def serialize_context(self, ctxt: CommandContext) -> dict[str, Any]:
        return ctxt.to_wire()

    def deserialize_context(self, ctxt: Wire) -> CommandContext:
        return CommandContext.from_wire(ctxt)


def plain_error(error: SlotwrightError) -> SlotwrightError:
    """The error as its own class, with its own message.

    The rabbit driver makes a class ``X_Remote`` for every error, whose text ends in the
    remote traceback.
    """
    kind = next(k for k in type(error).__mro__ if vars(errors).get(k.__name__) is k)
    plain: SlotwrightError = kind(error.message)
    return plain
