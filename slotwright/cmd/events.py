"""slotwright events: what happened to a cluster, or in the project, oldest first.

A line each: when, number, kind and a sentence. With --follow as it happens, from now on or after
the event that --after names; a lost connection is made again, and nothing is missed. It goes on
until it is interrupted or the cluster is deleted. Ends as ``slotwright wait`` does: 0, or 2, 4,
5 (after 30 s without an API), 6.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slotwright.client import Client
from slotwright.cmd.wait import BUSY, DONE, PATIENCE, POLL, UNREACHABLE, with_client
from slotwright.domain.errors import OverLimit, Unavailable
from slotwright.domain.events import Kind
from slotwright.event_stream import Message

PROGRAM = 'slotwright events'

_FORGOTTEN = 'forgotten'


def render(event: Mapping[str, Any]) -> str:
    """One line.

    >>> render({'created': '2026-11-21T00:23:05', 'id': 8, 'kind': 'cluster.deleted',
    ...         'message': 'Cluster cache is deleted.'})
    '2026-11-21T00:23:05  8  cluster.deleted      Cluster cache is deleted.'
    """
    return f'{event["created"]}  {event["id"]}  {event["kind"]:19}  {event["message"]}'


class Follower:
    """Shows events as they happen.

    :param show: gets each event.
    :param tell: gets what else is to be known.
    """

    def __init__(
        self,
        client: Client,
        *,
        show: Callable[[Mapping[str, Any]], None],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._show = show
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._after: int | None = None
        self._heard = 0.0
        self._gone = False
        self._told = ''

    def run(self, path: Sequence[str], after: int | None) -> int:
        """Answers the exit status.

        :param path: of the list of events.
        :param after: the number of the last one that is known; None: from now on.
        """
        self._after = after
        self._heard = self._clock()
        while not self._gone:
            pause = POLL
            try:
                path = self._follow(path)
            except OverLimit as error:
                self._heard = self._clock()
                self._say(error.message)
                pause = BUSY
            except Unavailable as error:
                self._say(f'{error.message}; trying again')
                if self._clock() - self._heard > PATIENCE:
                    return UNREACHABLE
            if not self._gone:
                self._sleep(pause)
        return DONE

    def _follow(self, path: Sequence[str]) -> Sequence[str]:
        """Until the stream ends; answers where it goes on."""
        began = False
        try:
            for message in self._client.follow(*path, after=self._after):
                began = True
                if message.number is not None:
                    self._after = message.number
                path = self._take(message, path)
                if self._gone:
                    break
        finally:
            if began:
                self._heard = self._clock()
        return path

    def _take(self, message: Message, path: Sequence[str]) -> Sequence[str]:
        if message.data is None:
            return path
        if message.kind == _FORGOTTEN:
            self._say(str(message.data.get('message')))
            return path
        self._told = ''
        self._show(message.data)
        if path[0] != 'clusters':
            return path
        self._gone = message.kind == Kind.CLUSTER_DELETED
        # By its id from now on: the name may be given to another one.
        return 'clusters', str(message.data['cluster_id']), 'events'

    def _say(self, line: str) -> None:
        """Tell what is new."""
        if line != self._told:
            self._told = line
            self._tell(line)


def show_all(
    client: Client, path: Sequence[str], after: int, show: Callable[[Mapping[str, Any]], None]
) -> None:
    """Every event that is kept, page by page."""
    while page := client.list('events', *path, marker=str(after)):
        for event in page:
            show(event)
        after = page[-1]['id']


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        'cluster', nargs='?', help='id or name of a cluster; the id of a deleted one'
    )
    whose.add_argument('--all', action='store_true', help='of all projects, for operators')
    parser.add_argument('--after', type=_number, metavar='NUMBER', help='those after this one')
    parser.add_argument('--follow', action='store_true', help='go on with what happens')
    given = parser.parse_args(argv)
    path: Sequence[str] = ('events',)
    if given.cluster:
        path = ('clusters', given.cluster, 'events')
    elif given.all:
        path = ('mgmt', 'events')

    def show(event: Mapping[str, Any]) -> None:
        print(render(event), flush=True)

    def run(client: Client) -> int:
        if given.follow:
            follower = Follower(
                client, show=show, tell=lambda line: print(line, file=sys.stderr, flush=True)
            )
            return follower.run(path, given.after)
        show_all(client, path, given.after or 0, show)
        return DONE

    try:
        return with_client(PROGRAM, run)
    except BrokenPipeError:  # whoever read our lines has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError('no number')
    return int(text)
