"""A guest agent in a process of its own, to be killed by a test.

Usage: python -m tests.functional.guest_process DIRECTORY IP PORT. Writes the pid of
redis-server once that is prepared, and lives until it is killed.
"""

import sys
import time

from slotwright.domain.topology import Address
from tests.functional.guest_lab import Guest


def main(directory: str, ip: str, port: str) -> None:
    guest = Guest(directory, Address(ip, int(port), int(port) + 10000)).start()
    guest.prepare()
    sys.stdout.write(f'{guest.pid}\n')
    sys.stdout.flush()
    time.sleep(600)


if __name__ == '__main__':
    main(*sys.argv[1:])
