"""The ``local`` provisioner: instances on this machine, on loopback addresses.

An instance is a directory, an address of 127/8 with a port, and an agent that the
``launcher`` runs. The address is allocated in the database and probed by a bind before:
a listener of somebody else's on 0.0.0.0 blocks its port on every address.
"""

import ipaddress
import logging
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator

from slotwright.domain.clusters import Instance
from slotwright.domain.errors import (
    AddressTaken,
    SlotwrightError,
    StorageUnavailable,
    Unavailable,
)
from slotwright.domain.topology import Address
from slotwright.storage.base import Claim, WorkStore
from taskmanager.ports import Launcher

LOG = logging.getLogger(__name__)

#: The cluster bus listens on the client port plus this, unless told otherwise.
BUS_OFFSET = 10000


def can_bind(address: Address) -> bool:
    """Whether both ports of the address are free right now."""
    for port in (address.port, address.bus_port):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.ip, port))
            except OSError:
                return False
    return True


class LocalProvisioner:
    """See ``taskmanager.ports.Provisioner``.

    :param network: of addresses, where an instance's pool names no other.
    :param eager: be quick with the first agent too; else nothing is prepared for agents
        before this host has had an instance.
    """

    def __init__(
        self,
        store: WorkStore,
        launcher: Launcher,
        host: str,
        data_dir: str,
        network: str,
        ports: range,
        probe: Callable[[Address], bool] = can_bind,
        eager: bool = True,
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._data_dir = os.path.abspath(data_dir)
        self._network = ipaddress.IPv4Network(network)
        self._ports = ports
        self._probe = probe
        self._is_used = eager
        self._placing = threading.Lock()
        self._tending = threading.Lock()
        #: Being taken away: placed still, for the database, but not to be tended.
        self._leaving: set[str] = set()

    def provision(self, claim: Claim, instance: Instance) -> None:
        if instance.address is None:
            self._place(claim, instance)
        elif instance.host != self._host:
            return  # another taskmanager's machine; it tends its own
        with self._tending:
            self._leaving.discard(instance.id)
        self._launcher.start(instance.id, self.directory(instance.id))

    def destroy(self, instance: Instance) -> None:
        if instance.host != self._host:
            raise Unavailable(
                f'Instance {instance.id} is on host {instance.host}; its taskmanager has to '
                'take it away.'
            )
        with self._tending:
            self._leaving.add(instance.id)
        directory = self.directory(instance.id)
        self._launcher.stop(instance.id, directory)
        shutil.rmtree(directory, ignore_errors=True)

    def tend(self) -> None:
        self._launcher.reap()
        if self._is_used:
            self._launcher.warm_up()
        try:
            placed = self._store.list_placed(self._host)
        except StorageUnavailable as error:
            LOG.warning('Agents are not seen after: %s', error)
            return
        self._is_used = self._is_used or bool(placed)
        for instance in placed:
            with self._tending:
                if instance.id not in self._leaving:
                    self._tend_one(instance.id)
        with self._tending:
            self._leaving &= {instance.id for instance in placed}

    def _tend_one(self, instance_id: str) -> None:
        """One that cannot be started must not keep the others from it."""
        try:
            self._launcher.start(instance_id, self.directory(instance_id))
        except SlotwrightError as error:
            LOG.error('Instance %s has no agent: %s', instance_id, error)

    def close(self) -> None:
        self._launcher.close()

    def directory(self, instance_id: str) -> str:
        return os.path.join(self._data_dir, instance_id)

    def _place(self, claim: Claim, instance: Instance) -> None:
        # The lock only spares this process collisions with itself; what makes an address
        # unique is the database.
        own = instance.pool_options.get('network')
        network = ipaddress.IPv4Network(own) if own else self._network
        with self._placing:
            for address in self._free(network):
                try:
                    self._store.place_instance(claim, instance.id, self._host, address)
                    return
                except AddressTaken:
                    continue
        raise Unavailable(f'No address is free in {network} for ports {self._ports}.')

    def _free(self, network: ipaddress.IPv4Network) -> Iterator[Address]:
        """Addresses nobody has, one IP for each instance, the lowest first."""
        placed = self._store.list_placed(self._host)
        used = {i.address.ip for i in placed if i.address}
        # Neither is one that a node table may still name.
        used |= {address.ip for address in self._store.list_resting(self._host)}
        for ip in network.hosts():
            if str(ip) in used:
                continue
            for port in self._ports:
                address = Address(str(ip), port, port + BUS_OFFSET)
                if self._probe(address):
                    yield address
                    break
