"""Builds the REST daemon out of its parts; the only place that does."""

import datetime
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from wsgiref.types import WSGIApplication

from oslo_config import cfg
from prometheus_client import CollectorRegistry

from api import app, proxies, strategy, views
from api.auth import guard, strategies
from api.auth.limits import RateLimits
from api.auth.rulebook import Rulebook
from api.auth.strategies import Strategy
from api.backups import requests as backups
from api.database.resources import LookUp, Parts, nothing_known
from api.datastores import Datastores
from api.health import Healthcheck, Look
from api.messaging import requests as messaging
from api.metrics import Counted
from api.ports import Guests, Ids, Pause, Secrets, Store
from api.request_ids import RequestIds
from api.server import ApiServer
from api.service.clusters import ClusterService
from api.service.places import Places
from api.service.quotas import QuotaService
from api.service.roots import RootService
from api.settings import Settings
from api.strategy import Rules
from api.streams import frames
from api.streams.service import Streams
from slotwright.clock import utcnow
from slotwright.domain.events import Event
from slotwright.engine import version_found
from slotwright.events import board
from slotwright.events.base import Driver
from slotwright.events.feed import Listener
from slotwright.loading import InvalidConfiguration, load_class
from slotwright.metrics import RpcTimes
from slotwright.rpc.clients import guest_client, taskmanager_client
from slotwright.rpc.contract import TaskManagerAPI
from slotwright.rpc.transport import Transport
from slotwright.storage.backups import BackupStore
from slotwright.storage.base import FlavorStore
from slotwright.storage.flavor_view import FlavorView
from slotwright.storage.management import PoolStore
from slotwright.storage.told_pools import ToldPoolStore


def new_id() -> str:
    return str(uuid.uuid4())


def new_secret() -> str:
    """256 bits, in characters that need no quoting anywhere."""
    return secrets.token_hex(32)


def no_engine() -> str | None:
    return None


def render_event(event: Event, number: int) -> bytes:
    """For streams: with the body that it has in lists."""
    return frames.event(number, event.kind.value, views.event(event, number))


def build(
    conf: cfg.ConfigOpts,
    store: Store,
    pool_store: PoolStore,
    taskmanager: TaskManagerAPI,
    guests: Guests,
    executor: Executor,
    *,
    engine_version: Callable[[], str | None] = no_engine,
    ids: Ids = new_id,
    new_secret: Secrets = new_secret,
    pause: Pause = time.sleep,
    login: Strategy | None = None,
    looks: Mapping[str, Look] | None = None,
    now: Callable[[], datetime.datetime] = utcnow,
    registry: CollectorRegistry | None = None,
    streams: Streams | None = None,
    gauges: LookUp = nothing_known,
) -> WSGIApplication:
    """The WSGI application for ``api.server.ApiServer``.

    :param conf: with ``slotwright.conf`` registered; read once, here.
    :param pool_store: the management store; ``store`` has the rest.
    :param taskmanager: takes the wake-ups.
    :param guests: gives a way to each guest agent, with a short timeout.
    :param executor: asks several guests at once; the caller shuts it down.
    :param engine_version: number of the Redis server found on this host, if any.
    :param login: how callers prove who they are; [api] auth_strategy when not given.
    :param looks: at what /healthcheck tells of besides the database, by its name there.
    :param registry: what /metrics shows besides.
    :param streams: serve live events; without them events are listed only.
    :param gauges: what nodes of a cluster are measured by, as far as it is known.
    :raises slotwright.loading.InvalidConfiguration: for a strategy, users or rules that cannot
        be loaded.
    """
    settings = Settings.from_conf(conf)
    datastores = Datastores(settings.datastore_versions, engine_version)
    rules = strategy.load(conf.redis.api_strategy, Rules.from_settings(settings))
    in_sql = conf.management_store.driver == 'sqlalchemy'
    flavors: FlavorStore = store if in_sql else FlavorView(pool_store.flavors, store)
    clusters = ClusterService(
        store=store,
        flavors=flavors,
        places=Places(pool_store.pools),
        strategy=rules,
        datastores=datastores,
        taskmanager=taskmanager,
        guests=guests,
        executor=executor,
        settings=settings,
        ids=ids,
        secrets=new_secret,
    )
    roots = RootService(
        store=store,
        taskmanager=taskmanager,
        clusters=clusters,
        ids=ids,
        secrets=new_secret,
        pause=pause,
    )
    quotas = QuotaService(store, settings.quota)
    rendered = views.Views(datastores, settings.region, settings.silent_after, now)
    rates = RateLimits(conf.api.read_rate, conf.api.write_rate)
    entrance = guard.Guard(login or strategies.load(conf), Rulebook(conf), rates)
    parts = Parts(
        store,
        flavors,
        settings,
        datastores,
        clusters,
        roots,
        quotas,
        rendered,
        streams,
        gauges,
    )
    registry = registry or CollectorRegistry()
    registry.register(Counted(store, settings.silent_after, now))
    told = pool_store if in_sql else ToldPoolStore(pool_store, store.record_of_none)
    places = messaging.Parts(told, settings.max_request_body_size)
    kept = backups.Parts(
        backup_store(conf, store), settings.max_request_body_size, lambda: ids().replace('-', '')
    )
    served = app.build(parts, places, kept, entrance, Healthcheck(store, looks or {}), registry)
    return RequestIds(proxies.behind(conf, served))


def backup_store(conf: cfg.ConfigOpts, store: Store) -> BackupStore:
    """The store of clients, jobs and backups that [storage] names.

    :raises slotwright.loading.InvalidConfiguration: for one that cannot be had.
    """
    if conf.storage.backend != 'sqlalchemy':
        raise InvalidConfiguration(
            f'[storage] backend = {conf.storage.backend}: sqlalchemy is the only one'
        )
    if conf.storage.driver == 'sqlalchemy':
        return store.backups
    driver = load_class(conf.storage.driver, '[storage] driver')
    if not callable(getattr(driver, 'from_config', None)):
        raise InvalidConfiguration(
            f'[storage] driver = {conf.storage.driver}: the class has no from_config'
        )
    made: BackupStore = driver.from_config(conf)
    return made


class ApiService:
    """The REST daemon as one service: its HTTP server and what its requests run on."""

    def __init__(
        self,
        server: ApiServer,
        executors: Sequence[ThreadPoolExecutor],
        streams: Streams,
        listener: Listener,
    ) -> None:
        self._server = server
        self._executors = executors
        self._streams = streams
        self._listener = listener

    @property
    def url(self) -> str:
        """Where it listens; known once started."""
        return self._server.url

    def start(self) -> None:
        self._streams.start()
        self._listener.start()
        self._server.start()

    def stop(self) -> None:
        self._listener.stop()
        self._streams.stop()
        self._server.stop()

    def wait(self) -> None:
        self._server.wait()
        self._listener.wait()
        self._streams.wait()
        for executor in self._executors:
            executor.shutdown(wait=False, cancel_futures=True)


def looks_at(
    conf: cfg.ConfigOpts, transport: Transport, pool_store: PoolStore, events: Driver
) -> Mapping[str, Look]:
    """How to see whether the servers answer that requests need, those of the database aside."""
    looks: dict[str, Look] = {}
    if transport.broker:
        looks['broker'] = transport.broker.check
    if conf.management_store.driver != 'sqlalchemy':
        looks['management_store'] = lambda: pool_store.pools.list(limit=1)
    if conf.events.driver != 'memory':
        looks['events'] = lambda: events.tables.keys(board.TABLE, '')
    return looks


def build_service(
    conf: cfg.ConfigOpts,
    transport: Transport,
    store: Store,
    pool_store: PoolStore,
    events: Driver,
    *,
    green: bool = False,
) -> ApiService:
    """The REST daemon on its own threads, not started yet.

    :param events: where they are published; the caller closes it, as the stores.

    :param green: whether those are eventlet's.
    """
    login = strategies.load(conf)
    registry = CollectorRegistry()
    transport.observe = RpcTimes(registry)
    executor = ThreadPoolExecutor(conf.api.fanout, thread_name_prefix='guests')
    gauges = ThreadPoolExecutor(2, thread_name_prefix='gauges')
    streams = Streams(
        store,
        render_event,
        most=conf.api.event_streams,
        most_of_project=conf.api.event_streams_per_project,
        registry=registry,
    )
    application = build(
        conf,
        store,
        pool_store,
        taskmanager_client(conf, transport),
        guest_client(conf, transport),
        executor,
        engine_version=lambda: version_found(conf.redis.datastore_versions),
        login=login,
        looks=looks_at(conf, transport, pool_store, events),
        registry=registry,
        streams=streams,
        gauges=board.BoardReader(events, gauges, utcnow, time.monotonic).of_cluster,
    )
    server = ApiServer(
        application,
        conf.api.bind_host,
        conf.api.bind_port,
        conf.api.threads,
        loopback_only=login.loopback_only,
        green=green,
    )
    listener = Listener(events, streams.hub.deliver, streams.hub.catch_up)
    return ApiService(server, [executor, gauges], streams, listener)
