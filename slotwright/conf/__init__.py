"""Options, one file per section. Nothing here reads a value: main() passes them down."""

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from slotwright.conf import (
    api,
    events,
    guestagent,
    inventory,
    local,
    management_store,
    management_store_redis,
    quota,
    redis,
    rpc,
    storage,
    taskmanager,
)

SECTIONS = (
    api,
    events,
    guestagent,
    inventory,
    local,
    management_store,
    management_store_redis,
    quota,
    redis,
    rpc,
    storage,
    taskmanager,
)


def register(conf: cfg.ConfigOpts) -> cfg.ConfigOpts:
    """Register every option of ours on ``conf`` and hand it back."""
    for section in SECTIONS:
        conf.register_opts(section.OPTS, group=section.GROUP)
    conf.register_opts(rpc.UPGRADE_LEVELS, group='upgrade_levels')
    return conf


def list_opts() -> Sequence[tuple[str, Sequence[Any]]]:
    """For oslo-config-generator."""
    listed: list[tuple[str, Sequence[Any]]] = [(s.GROUP, s.OPTS) for s in SECTIONS]
    return [*listed, ('upgrade_levels', rpc.UPGRADE_LEVELS)]
