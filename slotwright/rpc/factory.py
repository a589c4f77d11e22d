"""The clients as the configuration wants them."""

from typing import Protocol, cast

from oslo_config import cfg

from slotwright.loading import InvalidConfiguration, load_class
from slotwright.rpc.clients import TaskManagerClient
from slotwright.rpc.contract import GuestAgentAPI
from slotwright.rpc.transport import Transport


class Guests(Protocol):
    """The way to guest agents."""

    def node(self, instance_id: str) -> GuestAgentAPI: ...


def guest_client(conf: cfg.ConfigOpts, transport: Transport) -> Guests:
    """The client of the strategy that ``[redis] guestagent_strategy`` names.

    :raises InvalidConfiguration: the strategy cannot be loaded, or is none.
    """
    path = conf.redis.guestagent_strategy
    strategy = load_class(path, '[redis] guestagent_strategy')()
    client_class = getattr(strategy, 'guest_client_class', None)
    if client_class is None:
        raise InvalidConfiguration(
            f'[redis] guestagent_strategy = {path}: has no guest_client_class'
        )
    client = client_class(
        transport,
        conf.rpc.agent_high_timeout,
        conf.rpc.agent_low_timeout,
        conf.upgrade_levels.guestagent,
    )
    return cast(Guests, client)


def taskmanager_client(conf: cfg.ConfigOpts, transport: Transport) -> TaskManagerClient:
    """The client of the taskmanagers; its calls are quick ones.

    :raises InvalidConfiguration: for a version cap that is none.
    """
    return TaskManagerClient(transport, conf.rpc.agent_low_timeout, conf.upgrade_levels.taskmanager)
