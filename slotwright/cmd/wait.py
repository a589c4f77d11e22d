"""slotwright wait: until what was asked of a cluster is done, or has failed.

Ends with

  0  done: the last operation completed; or the cluster is gone, after it was there. Of a
     deleted one only its id tells that it was there, its name may have been another's
  1  the operation failed; its reason is on standard error
  2  the command line or the environment is wrong
  3  --timeout is over; the operation goes on
  4  there is no such cluster or operation
  5  the API cannot be reached, or fails, for 30 s
  6  the login is refused
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slotwright.client import TIMEOUT, Client
from slotwright.domain.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    OverLimit,
    SlotwrightError,
    Unauthorized,
    Unavailable,
)

PROGRAM = 'slotwright wait'

DONE, FAILED, USAGE, TIMED_OUT, NOT_FOUND, UNREACHABLE, REFUSED = range(7)

POLL = 0.5  # seconds between two looks
BUSY = 5.0  # seconds more when the project asks too often
LOOK = 1.0  # seconds that a look has, however little is left of --timeout
PATIENCE = 30.0  # seconds without an answer

_BY_ID = ' If it was deleted, its id tells.'
_ENDED = {'completed': DONE, 'failed': FAILED}


class Wait:
    """Looks at one cluster or operation until it ends."""

    def __init__(
        self,
        client: Client,
        *,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._told = ''

    def run(self, kind: str, name: str, timeout: float | None) -> int:
        """Answers the exit status.

        :param kind: ``clusters`` or ``operations``.
        """
        began = heard = self._clock()
        cluster_id = ''
        while True:
            try:
                left = None if timeout is None else began + timeout - self._clock()
                operation, found = self._look(kind, cluster_id or name, left)
                heard = self._clock()
                cluster_id = found or cluster_id  # a name may be given to another one
                if operation is None or operation['state'] in _ENDED:
                    return self._end(operation)
                self._show(operation)
            except NotFound as error:
                if cluster_id and kind == 'clusters':
                    self._tell('gone')
                    return DONE
                self._tell(error.message + (_BY_ID if kind == 'clusters' else ''))
                return NOT_FOUND
            except OverLimit as error:
                heard = self._clock()
                self._say(error.message)
                self._sleep(BUSY)
            except Unavailable as error:
                self._say(error.message)
                if self._clock() - heard > PATIENCE:
                    return UNREACHABLE
            if timeout is not None and self._clock() - began >= timeout:
                self._tell(f'not done after {timeout:g} s; it goes on')
                return TIMED_OUT
            self._sleep(POLL)

    def _look(
        self, kind: str, name: str, left: float | None
    ) -> tuple[Mapping[str, Any] | None, str]:
        """The operation, and the cluster's id when that was asked for."""
        patience = TIMEOUT if left is None else min(TIMEOUT, max(LOOK, left))
        if kind == 'operations':
            return self._client.get('operation', kind, name, timeout=patience), ''
        try:
            cluster = self._client.get('cluster', kind, name, timeout=patience)
        except NotFound:
            delete = self._delete_of(name, patience)
            if delete is None:
                raise
            return delete, name
        return cluster.get('operation'), str(cluster.get('id', ''))

    def _delete_of(self, cluster_id: str, patience: float) -> Mapping[str, Any] | None:
        """The operation that has taken a cluster away, for as long as that is known."""
        path = ('clusters', cluster_id, 'operations')
        newest = self._client.list('operations', *path, timeout=patience, limit='1')[:1]
        ended = ('delete', 'completed')
        return next((o for o in newest if (o.get('kind'), o.get('state')) == ended), None)

    def _show(self, operation: Mapping[str, Any]) -> None:
        progress = operation['progress']
        steps = f'{progress["done"]}/{progress["total"]}' if progress['total'] else ''
        self._say(' '.join(filter(None, (operation['kind'], steps, progress['message']))))

    def _say(self, line: str) -> None:
        """Tell what is new."""
        if line != self._told:
            self._told = line
            self._tell(line)

    def _end(self, operation: Mapping[str, Any] | None) -> int:
        if operation is None:
            return DONE
        reason = f': {operation["reason"]}' if operation.get('reason') else ''
        self._tell(f'{operation["kind"]} {operation["state"]}{reason}')
        return _ENDED[operation['state']]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float('inf'):
        raise ValueError('not a time')
    return seconds


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('cluster', nargs='?', help='id or name of a cluster')
    what.add_argument('--operation', help='id of an operation, instead')
    parser.add_argument('--timeout', type=_seconds, help='seconds; no end without')
    given = parser.parse_args(argv)

    def run(client: Client) -> int:
        wait = Wait(client, tell=lambda line: print(line, file=sys.stderr, flush=True))
        if given.operation:
            return wait.run('operations', given.operation, given.timeout)
        return wait.run('clusters', given.cluster, given.timeout)

    return with_client(PROGRAM, run)


def with_client(program: str, run: Callable[[Client], int]) -> int:
    """What ``run`` answers, or the exit status of what it raised, told in one line."""
    try:
        return run(Client.from_environment(os.environ))
    except NotFound as error:
        status, message = NOT_FOUND, error.message
    except (Unauthorized, Forbidden) as error:
        status, message = REFUSED, error.message
    except InvalidRequest as error:
        status, message = USAGE, error.message
    except SlotwrightError as error:
        status, message = UNREACHABLE, error.message
    except KeyboardInterrupt:
        return 130
    print(f'{program}: {message}', file=sys.stderr)
    return status
