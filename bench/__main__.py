"""``python -m bench [WHAT] [--sizes 3,6,12] [--runs 5]``; ``-h`` lists what there is."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

from bench import (
    backups,
    creating,
    events,
    forming,
    listing,
    management,
    placing,
    report,
    streaming,
)

Measure = Callable[[Sequence[int], int], Iterator[report.Row]]

#: What there is to measure, with the sizes it is measured at unless told otherwise.
MEASURES: dict[str, tuple[Measure, tuple[int, ...]]] = {
    'forming': (forming.measure, (3, 6, 12, 25)),
    'create': (creating.measure, (3, 6)),
    'listing': (listing.measure, (1, 10, 20)),
    'management': (management.measure, (10, 100, 1000)),
    'streaming': (streaming.measure, (1000,)),
    'events': (events.measure, (10, 100, 1000)),
    'placing': (placing.measure, (10, 1000)),
    'backups': (backups.measure, (50_000,)),
}


def sizes(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(','))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser('python -m bench', description='Measure Slotwright.')
    parser.add_argument('what', nargs='?', default='all', choices=[*MEASURES, 'all'])
    parser.add_argument(
        '--sizes', type=sizes, help='masters, clusters in a page, pools, or foreign jobs: 3,6,12'
    )
    parser.add_argument('--runs', type=int, default=5, help='of each (default: %(default)s)')
    given = parser.parse_args(argv)
    rows = []
    for name, (measure, usual) in MEASURES.items():
        if given.what in (name, 'all'):
            for row in measure(given.sizes or usual, given.runs):
                rows.append(row)
                print(f'... {row.what}: {row.ours} {row.ratio}', file=sys.stderr, flush=True)
    print(f'{report.table(rows)}\n\n{report.machine()}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
