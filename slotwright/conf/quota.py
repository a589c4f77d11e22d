"""[quota]: what a project may use unless its own limits say otherwise."""

from oslo_config import cfg

GROUP = 'quota'

OPTS = [
    cfg.IntOpt(
        'max_instances_per_tenant',
        default=200,
        min=-1,
        help='Instances a project may have; -1 is no limit. A member of a failed create '
        'does not count.',
    ),
    cfg.IntOpt(
        'max_volumes_per_tenant',
        default=2000,
        min=-1,
        help='GiB of all volumes of a project together; -1 is no limit.',
    ),
    cfg.IntOpt(
        'max_ram_per_tenant',
        default=-1,
        min=-1,
        help='MiB of ram of all instances of a project together, by their flavors; -1 is no limit.',
    ),
]
