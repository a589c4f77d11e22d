"""Guest agents on real redis-servers, commanded straight through their endpoints."""

import contextlib
import hashlib
import itertools
import random
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

import redis

from guestagent.service import AgentService
from guestagent.wiring import AgentOptions, build_agent
from slotwright.domain import errors, slots
from slotwright.domain.errors import EngineNotFound, NotFound, Unavailable
from slotwright.domain.topology import Address, NodeStatus
from slotwright.engine import EngineFinder
from slotwright.rpc.contract import CommandContext
from tests.base import TestCase
from tests.guarded import PATIENCE

CLUSTER = 'c0ffee00-0000-4000-8000-000000000001'
SECRET = 'an-internal-secret-of-the-cluster'
PASSWORD = 'tenants-password'
TENANT_HASH = hashlib.sha256(PASSWORD.encode()).hexdigest()

_command_ids = (f'command-{n}' for n in itertools.count(1))
_hosts = itertools.count(2)
_network = f'127.77.{random.randint(1, 254)}'


def free_address() -> Address:
    """An address of this host on which both ports are free."""
    ip = f'{_network}.{next(_hosts)}'
    while True:
        port = random.randint(12000, 40000)
        if _free(ip, port) and _free(ip, port + 10000):
            return Address(ip, port, port + 10000)


def _free(ip: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True


class TaskManager:
    """A taskmanager as agents see it, in memory."""

    def __init__(self) -> None:
        self.wanted = True
        self.away = False
        self.forgetful = False
        self.reports: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def report(self, context: Any, instance_id: str, report: Mapping[str, Any]) -> None:
        if self.away:
            raise Unavailable('the broker is away')
        with self._changed:
            self.reports.append(dict(report))
            self._changed.notify_all()

    def assignment(self, context: Any, instance_id: str) -> dict[str, Any]:
        if self.away:
            raise Unavailable('the broker is away')
        if self.forgetful:
            raise NotFound('Instance instance-1 is not known here.')
        return {'wanted': self.wanted, 'cluster_id': CLUSTER}

    def wait_for(self, **wanted: Any) -> None:
        """Wait for a report with these members; those from before do not count."""
        with self._changed:
            seen = len(self.reports)
            self._changed.wait_for(
                lambda: any(wanted.items() <= r.items() for r in self.reports[seen:]), PATIENCE
            )
            if not any(wanted.items() <= r.items() for r in self.reports[seen:]):
                raise AssertionError(f'no report with {wanted}: {self.reports[seen:]}')


class DirectServer:
    """An RPC server without a wire: keeps the endpoint for the test."""

    def __init__(self, transport: Any, topic: str, server_name: str, endpoints: list[Any]) -> None:
        self.endpoint = endpoints[0]

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def remove(self) -> None:
        pass


class Guest:
    """One agent in this process and its instance; commands raise what the agent raised."""

    def __init__(self, directory: str, address: Address | None = None, **options: Any) -> None:
        self.directory = directory
        self.address = address or free_address()
        self.taskmanager = TaskManager()
        self.epoch = 1
        self.options = {'heartbeat_interval': 0.3, 'start_timeout': PATIENCE, **options}
        self.service: AgentService | None = None
        self.endpoint: Any = None

    def start(self) -> 'Guest':
        """Start the agent, a new one each time."""

        def server(*args: Any) -> DirectServer:
            made = DirectServer(*args)
            self.endpoint = made.endpoint
            return made

        options = AgentOptions('instance-1', self.directory, **self.options)
        service = build_agent(options, None, self.taskmanager, server)
        service.start()
        self.service = service
        return self

    def stop(self) -> None:
        """End the agent; Redis goes on."""
        if self.service is not None:
            self.service.stop()
            self.service = None

    def destroy(self) -> None:
        if self.service is None:
            self.taskmanager.away = True
            self.start()
        self.epoch += 1000
        self.do('stop', wipe=True)
        self.stop()

    def context(self, **changes: Any) -> CommandContext:
        context = {
            'request_id': 'req-1',
            'project_id': 'p',
            'cluster_id': CLUSTER,
            'epoch': self.epoch,
            'command_id': next(_command_ids),
        }
        return CommandContext.from_wire({**context, **changes})

    def do(self, method: str, context: CommandContext | None = None, **arguments: Any) -> Any:
        return getattr(self.endpoint, method)(context or self.context(), **arguments)

    def prepare(self, tenant_hash: str = '', **changes: Any) -> None:
        spec = {
            'address': self.address.to_wire(),
            'datastore_version': '3.0',
            'ram': 256,
            'secret': SECRET,
            'tenant_hash': tenant_hash,
        }
        self.do('prepare', spec={**spec, **changes})

    def status(self) -> NodeStatus:
        return NodeStatus.from_wire(self.do('status', self.context(epoch=None)))

    @property
    def node_id(self) -> str:
        node_id = self.status().node_id
        assert node_id is not None
        return node_id

    def client(self, password: str = SECRET, user: str = 'slotwright') -> redis.Redis:
        return redis.Redis(
            self.address.ip,
            self.address.port,
            username=user,
            password=password,
            decode_responses=True,
        )

    @property
    def pid(self) -> int:
        with self.client() as client:
            return int(client.info('server')['process_id'])

    def restarted(self, pid: int) -> bool:
        """Whether redis-server runs again, after ``pid`` was killed, which takes a moment."""
        with contextlib.suppress(redis.RedisError):
            return self.status().running and self.pid != pid
        return False

    def peer(self) -> dict[str, Any]:
        return {'node_id': self.node_id, **self.address.to_wire()}


class GuestCase(TestCase):
    """Skips where no server binary is; leaves no process and no directory behind."""

    timeout = 400

    versions: Mapping[str, str] = {'3.0': ''}

    def setUp(self) -> None:
        super().setUp()
        try:
            EngineFinder(self.versions).find('3.0')
        except EngineNotFound as e:
            self.skipTest(e.message)

    def directory(self) -> str:
        path = tempfile.mkdtemp(prefix='slotwright-guest-')
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def guest(self, **options: Any) -> Guest:
        guest = Guest(self.directory(), datastore_versions=self.versions, **options)
        self.addCleanup(guest.destroy)
        return guest.start()

    def prepared(self, count: int = 1, tenant_hash: str = '') -> list[Guest]:
        guests = [self.guest() for _ in range(count)]
        for guest in guests:
            guest.prepare(tenant_hash)
        return guests

    def join(
        self,
        guests: list[Guest],
        members: dict[str, list[Any]],
        forming: bool = True,
        patience: float = PATIENCE,
    ) -> list[Any]:
        """All guests join at the same time; their answers or errors, in order."""
        wires = [g.peer() for g in guests]
        answers: list[Any] = [None] * len(guests)

        def one(index: int) -> None:
            try:
                answers[index] = guests[index].do(
                    'cluster_join',
                    peers=wires[index + 1 :],
                    members=members,
                    forming=forming,
                    patience=patience,
                )
            except errors.GuestError as e:
                answers[index] = e

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(guests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def cluster(self, count: int, tenant_hash: str = '') -> tuple[list[Guest], dict[str, Any]]:
        """A formed cluster and its members."""
        guests = self.prepared(count, tenant_hash)
        members = {}
        for number, (guest, owned) in enumerate(zip(guests, slots.split(count), strict=True)):
            guest.do('cluster_addslots', first_slot=owned.first, last_slot=owned.last)
            guest.do('set_config_epoch', config_epoch=number + 1)
            members[guest.node_id] = [list(owned)]
        self.assertEqual([True] * count, self.join(guests, members))
        for guest in guests:
            guest.do('cluster_complete')
        return guests, members


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):  # the latter while it ends
        return False
