"""The options that the REST daemon obeys, read once."""

from dataclasses import dataclass

from oslo_config import cfg

from slotwright.domain.quotas import NO_LIMITS, Amounts


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes are in bytes, GiB or entries, times in seconds."""

    max_request_body_size: int = 114688  # bytes
    clusters_page_size: int = 20
    instances_page_size: int = 20
    events_page_size: int = 100
    max_accepted_volume_size: int = 10  # GiB
    max_cluster_size: int = 200
    silent_after: float = 20.0  # s
    region: str = 'RegionOne'
    cluster_support: bool = True
    volume_support: bool = True
    datastore_versions: tuple[str, ...] = ('3.0',)
    quota: Amounts = NO_LIMITS

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> 'Settings':
        """Read [api], [quota] and [redis] of a configuration that has them registered."""
        return cls(
            max_request_body_size=conf.api.max_request_body_size,
            clusters_page_size=conf.api.clusters_page_size,
            instances_page_size=conf.api.instances_page_size,
            events_page_size=conf.api.events_page_size,
            max_accepted_volume_size=conf.api.max_accepted_volume_size,
            max_cluster_size=conf.api.max_cluster_size,
            silent_after=conf.api.silent_after,
            region=conf.api.region,
            cluster_support=conf.redis.cluster_support,
            volume_support=conf.redis.volume_support,
            datastore_versions=tuple(conf.redis.datastore_versions),
            quota=Amounts(
                instances=conf.quota.max_instances_per_tenant,
                volumes=conf.quota.max_volumes_per_tenant,
                ram=conf.quota.max_ram_per_tenant,
            ),
        )
