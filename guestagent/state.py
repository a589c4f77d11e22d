"""What an agent remembers over its own death, in ``agent.json``.

The file is small and seldom written (a claim, prepare, complete, retire, users), so every
write of it is durable: a fence that a power cut could lower would be none.
"""

import contextlib
import ipaddress
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from guestagent.directory import InstanceDirectory, write_private
from slotwright.domain.errors import CommandRefused, GuestError, StateDamaged
from slotwright.domain.targets import BINARY
from slotwright.domain.topology import Address

# What redis.conf takes without quoting; a newline in a secret would be a directive.
_SECRET = re.compile(r'[A-Za-z0-9_.~+/=-]{16,128}')
_HASH = re.compile(r'(?:[0-9a-f]{64})?')


@dataclass(frozen=True, slots=True)
class Spec:
    """What the instance is to be: the ``spec`` of prepare."""

    address: Address
    datastore_version: str
    ram: int  # MiB
    secret: str = field(repr=False)
    tenant_hash: str = field(default='', repr=False)
    datastore_binary: str = ''  # a server on PATH; '' for the version's

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> 'Spec':
        """Build from the wire.

        :raises CommandRefused: for what must not get into redis.conf, or be run.
        """
        try:
            spec = cls(
                address=Address.from_wire(data['address']),
                datastore_version=str(data['datastore_version']),
                ram=int(data['ram']),
                secret=str(data['secret']),
                tenant_hash=str(data.get('tenant_hash') or ''),
                datastore_binary=str(data.get('datastore_binary') or ''),
            )
            ipaddress.ip_address(spec.address.ip)
        except (KeyError, TypeError, ValueError) as e:
            raise CommandRefused(f'malformed spec: {e}') from e
        if not _SECRET.fullmatch(spec.secret):
            raise CommandRefused('malformed spec: the secret needs 16 to 128 URL-safe characters')
        check_hash(spec.tenant_hash)
        if spec.datastore_binary and not BINARY.fullmatch(spec.datastore_binary):
            raise CommandRefused('malformed spec: datastore_binary is no name of a server')
        return spec


def check_hash(tenant_hash: str) -> None:
    """:raises CommandRefused: for anything but '' or 64 lower-case hex digits."""
    if not _HASH.fullmatch(tenant_hash):
        raise CommandRefused('tenant_hash is not the hex of a SHA-256')


@dataclass(frozen=True, slots=True)
class AgentState:
    """The whole memory of an agent, but for its answers."""

    epoch: int = 0  # highest obeyed
    cluster_id: str = ''
    spec: Spec | None = None  # None: not prepared
    completed: bool = False
    retired: bool = False
    stopped: bool = False  # on command; not to be started again by itself

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> 'AgentState':
        data = json.loads(text)
        spec = data.pop('spec')
        return cls(**data, spec=None if spec is None else Spec.from_wire(spec))


class StateStore:
    """The state in memory and on disk; changes are atomic and durable."""

    def __init__(self, directory: InstanceDirectory) -> None:
        self._path = directory.state
        self._lock = threading.Lock()
        self._state = AgentState()
        self._wiped = False
        self._damage = ''

    @property
    def damage(self) -> str:
        """Why what an earlier agent left cannot be read, '' when it can.

        Then ``state`` says nothing, and nothing is written over it: an agent without its
        fence could obey a command of long ago.
        """
        return self._damage

    @property
    def state(self) -> AgentState:
        return self._state

    @property
    def wiped(self) -> bool:
        """Whether the instance was removed from this host; there is no way back."""
        return self._wiped

    def load(self) -> None:
        """Read what an earlier agent left, if there was one; see ``damage``."""
        with self._lock, contextlib.suppress(FileNotFoundError):
            try:
                self._state = AgentState.from_json(self._path.read_text('utf-8'))
            except FileNotFoundError:
                raise
            except OSError as e:
                self._damage = f'{self._path} cannot be read: {e.strerror}'
            # Its text may hold the secret, so only what kind of damage it is gets told.
            except (ValueError, TypeError, KeyError, AttributeError, CommandRefused) as e:
                self._damage = f'{self._path} is damaged ({type(e).__name__})'

    def update(self, **changes: Any) -> None:
        """Change some fields. After a wipe the change is kept in memory only.

        :raises GuestError: when it cannot be written, as on a full disk; nothing is changed.
        :raises StateDamaged: nothing is known that could be changed.
        """
        with self._lock:
            if self._damage:
                raise StateDamaged(self._damage)
            changed = replace(self._state, **changes)
            if changed == self._state:
                return
            if not self._wiped:
                self._write(changed)
            self._state = changed

    def _write(self, state: AgentState) -> None:
        try:
            write_private(self._path, state.to_json(), durable=True)
        except OSError as e:
            raise GuestError(f'cannot write {self._path}: {e.strerror}') from e

    def forget(self) -> None:
        """The instance is gone: keep the fence, in memory, and write nothing any more."""
        with self._lock:
            self._wiped = True
            self._damage = ''
            self._state = AgentState(epoch=self._state.epoch, cluster_id=self._state.cluster_id)
