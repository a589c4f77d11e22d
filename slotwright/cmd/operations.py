"""slotwright operations: what was asked of a cluster, newest first.

A line each: when, id, kind, state, how far, and the reason if it failed. Ends as ``slotwright
wait`` does: 0, or 2, 4, 5, 6 when the list cannot be had.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from slotwright.client import Client
from slotwright.cmd.wait import DONE, with_client

PROGRAM = 'slotwright operations'


def render(operation: Mapping[str, Any]) -> str:
    """One line.

    >>> render({'created': '2026-11-21T00:23:05', 'id': 'd08d33c2', 'kind': 'grow',
    ...         'state': 'failed', 'progress': {'done': 1, 'total': 4}, 'reason': 'no space'})
    '2026-11-21T00:23:05  d08d33c2  grow          failed      1/4  no space'
    """
    progress = operation['progress']
    return (
        f'{operation["created"]}  {operation["id"]}  {operation["kind"]:12}  '
        f'{operation["state"]:10}  {progress["done"]}/{progress["total"]}  '
        f'{operation["reason"] or ""}'
    ).rstrip()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('cluster', help='id or name of a cluster; the id of a deleted one')
    given = parser.parse_args(argv)

    def run(client: Client) -> int:
        for operation in client.list('operations', 'clusters', given.cluster, 'operations'):
            print(render(operation))
        return DONE

    return with_client(PROGRAM, run)
