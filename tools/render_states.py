"""Write the tables of states into the architecture page: python -m tools.render_states

They are made of ``slotwright/domain/states.py``. A unit test holds the page against them.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from slotwright.domain import states

PAGE = Path(__file__).parents[1] / 'doc/architecture/README.md'
BEGIN = '<!-- states: made by tools/render_states.py -->'
END = '<!-- end of states -->'


def render() -> str:
    """All three tables, as Markdown."""
    return '\n'.join(
        [
            '### Operations',
            '',
            *_moves(states.TRANSITIONS),
            '',
            '### Clusters',
            '',
            'A cluster is busy with one operation at a time, and shows what with; else it is '
            f'{states.NONE.id} {states.NONE.name}.',
            '',
            *_tasks(),
            '',
            '### Instances',
            '',
            *_moves(states.INSTANCE_TRANSITIONS),
        ]
    )


def replaced(page: str) -> str:
    """The page with what stands between the two marks made anew.

    :raises ValueError: when the marks are not there.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f'{BEGIN} and {END} are missing')
    return f'{head}{begin}\n\n{render()}\n\n{end}{tail}'


def _moves(table: Mapping[StrEnum, frozenset[StrEnum]]) -> list[str]:
    rows = ['| from | to |', '|---|---|']
    for state, following in table.items():
        names = [other.value for other in table if other in following]
        rows.append(f'| {state.value} | {", ".join(names) or "(the end)"} |')
    return rows


def _tasks() -> list[str]:
    rows = ['| operation | task id | task name | description |', '|---|---|---|---|']
    for kind, task in states.TASK_OF_KIND.items():
        rows.append(f'| {kind.value} | {task.id} | {task.name} | {task.description} |')
    return rows


if __name__ == '__main__':
    PAGE.write_text(replaced(PAGE.read_text(encoding='utf-8')), encoding='utf-8')
