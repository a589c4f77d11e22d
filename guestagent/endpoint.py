"""The guest agent's side of the RPC: who may command, in which order, and only once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guestagent.answers import Answer, AnswerCache
from guestagent.fence import Fence
from slotwright.domain.errors import GuestError
from slotwright.rpc.contract import CommandContext, GuestAgentAPI, Wire

Call = Callable[[CommandContext], Any]


class GuestAgentEndpoint:
    """What the RPC server dispatches to; one method for each of ``GuestAgentAPI``.

    ``serial`` is held while a command changes something; reads never wait for it, so
    ``status`` raises the fence in the middle of a long command.
    """

    def __init__(
        self, agent: GuestAgentAPI, fence: Fence, answers: AnswerCache, serial: threading.Lock
    ) -> None:
        self._agent = agent
        self._fence = fence
        self._answers = answers
        self._serial = serial

    def get_node_ip(self, context: CommandContext) -> Wire:
        return dict(self._read(context, self._agent.get_node_ip))

    def get_node_id_for_removal(self, context: CommandContext) -> str | None:
        node_id: str | None = self._read(context, self._agent.get_node_id_for_removal)
        return node_id

    def status(self, context: CommandContext) -> Wire:
        return dict(self._read(context, self._agent.status))

    def remove_nodes(self, context: CommandContext, node_ids: Sequence[str]) -> None:
        self._change(context, lambda c: self._agent.remove_nodes(c, node_ids))

    def cluster_meet(self, context: CommandContext, ip: str, port: int) -> None:
        self._change(context, lambda c: self._agent.cluster_meet(c, ip, port))

    def cluster_addslots(self, context: CommandContext, first_slot: int, last_slot: int) -> None:
        self._change(context, lambda c: self._agent.cluster_addslots(c, first_slot, last_slot))

    def cluster_complete(self, context: CommandContext) -> None:
        self._change(context, self._agent.cluster_complete)

    def prepare(self, context: CommandContext, spec: Wire) -> None:
        self._change(context, lambda c: self._agent.prepare(c, spec))

    def set_config_epoch(self, context: CommandContext, config_epoch: int) -> None:
        self._change(context, lambda c: self._agent.set_config_epoch(c, config_epoch))

    def bump_epoch(self, context: CommandContext) -> None:
        self._change(context, self._agent.bump_epoch)

    def cluster_join(
        self,
        context: CommandContext,
        peers: Sequence[Wire],
        members: Mapping[str, Sequence[Sequence[int]]],
        forming: bool,
        patience: float,
    ) -> bool:
        return bool(
            self._change(
                context, lambda c: self._agent.cluster_join(c, peers, members, forming, patience)
            )
        )

    def restore_settings(self, context: CommandContext) -> None:
        self._change(context, self._agent.restore_settings)

    def set_users(self, context: CommandContext, tenant_hash: str) -> None:
        self._change(context, lambda c: self._agent.set_users(c, tenant_hash))

    def retire(self, context: CommandContext) -> str:
        return str(self._change(context, self._agent.retire))

    def leave(self, context: CommandContext) -> None:
        self._change(context, self._agent.leave)

    def stop(self, context: CommandContext, wipe: bool) -> None:
        self._change(context, lambda c: self._agent.stop(c, wipe))

    def _read(self, context: CommandContext, call: Call) -> Any:
        self._fence.admit_read(context)
        return call(context)

    def _change(self, context: CommandContext, call: Call) -> Any:
        self._fence.admit(context)
        with self._serial:
            # Another worker may have claimed the cluster while this one waited.
            self._fence.check(context)
            return self._once(context, call)

    def _once(self, context: CommandContext, call: Call) -> Any:
        """Run a command, or repeat the answer of its first run."""
        known = self._answers.get(context.command_id) if context.command_id else None
        if known is not None:
            return known.replay()
        try:
            answer = Answer(result=call(context))
        except GuestError as e:
            answer = Answer.of_error(e)
        if context.command_id:
            self._answers.put(context.command_id, answer)
        return answer.replay()
