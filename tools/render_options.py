"""Write the configuration reference, doc/configuration.md: python -m tools.render_options

It is made of the options in ``slotwright/conf``. A unit test holds the page against them.
"""

from pathlib import Path
from typing import Any

from oslo_config import cfg

from slotwright import conf

PAGE = Path(__file__).parents[1] / 'doc/configuration.md'
HEAD = """# Configuration

Made by `python -m tools.render_options`: change the help texts in `slotwright/conf` instead.

Every option of Slotwright's own, by section. Those of the libraries (`[DEFAULT]` for logging and
`transport_url`, `[database]`, `[oslo_messaging_rabbit]`, `[oslo_policy]`) are in the sample
`etc/slotwright/slotwright.conf`, with the defaults that we changed. How programs find their files,
and which options matter first: [operating.md](operating.md).
"""


def render() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for group, options in sorted(conf.list_opts(), key=lambda listed: str(listed[0])):
        parts.append(f'\n## [{group}]\n\n| option | default | |\n|---|---|---|\n')
        parts += [_row(option) for option in options]
    return ''.join(parts)


def _row(option: cfg.Opt) -> str:
    text = _cell(str(option.help))
    choices = getattr(option.type, 'choices', None)
    if choices:
        text += ' ' + '; '.join(_choice(name, meaning) for name, meaning in choices.items()) + '.'
    bounds = [
        f'{word} {bound:g}'
        for word, bound in (
            ('at least', getattr(option.type, 'min', None)),
            ('at most', getattr(option.type, 'max', None)),
        )
        if bound is not None and not isinstance(option, cfg.PortOpt)
    ]
    if bounds:
        text += f' ({", ".join(bounds)})'
    marks = ' (secret)' if option.secret else ' (SIGHUP)' if option.mutable else ''
    return f'| `{option.dest}`{marks} | {_default(option)} | {text} |\n'


def _choice(name: str, meaning: str | None) -> str:
    return f'`{name}`: {_cell(meaning).rstrip(".")}' if meaning else f'`{name}`'


def _default(option: cfg.Opt) -> str:
    value: Any = option.default if option.sample_default is None else option.sample_default
    if value in (None, ''):
        return ''
    if isinstance(value, dict):
        value = ','.join(f'{key}:{item}' for key, item in value.items())
    return f'`{_cell(str(value))}`'


def _cell(text: str) -> str:
    return ' '.join(text.split()).replace('|', '\\|')


if __name__ == '__main__':
    PAGE.write_text(render(), encoding='utf-8')
