"""The rules in force: those of ``api.policy``, as changed by files that may change at any time.

oslo.policy reads its files by itself, too. But then a file with a mistake in it makes every
request fail, a misspelt name is ignored, and so is a file that is not there: the rules that an
operator believes in are not in force. Here a file is understood whole or changes nothing.
"""

import importlib.metadata
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from oslo_config import cfg
from oslo_policy import policy

from api import policy as defaults
from api.auth.identity import Identity
from slotwright.loading import InvalidConfiguration

LOG = logging.getLogger(__name__)

#: [oslo_policy] policy_file, when nobody has set it: then there need not be one.
_OPTIONAL = 'policy.yaml'

_REFERENCE = re.compile(r'\brule:([^\s()]+)')
_KIND = re.compile(r'([^\s()]+?):')

#: Seconds between two looks at the files.
_LOOK_EVERY = 1.0
_MOST_ANSWERS = 10_000
_LONGEST_PROJECT = 255  # characters
#: Checks that are not oslo.policy's own, and HTTP.
_OTHERS = 'oslo.policy.rule_checks'

#: Files with what tells one state of each from the next.
Marks = Mapping[str, tuple[int, ...]]


class Rulebook:
    """Tells whether a rule lets somebody do something.

    :param look_every: seconds within which a changed file counts
    :raises InvalidConfiguration: for rules that cannot be understood, naming the file.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        look_every: float = _LOOK_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conf = conf
        self._look_every = look_every
        self._clock = clock
        self._lock = threading.Lock()
        # Known from now on: [oslo_policy] is registered by the library itself.
        _enforcer(conf, {})
        self._looked = clock()
        self._marks = self._look()
        self._rules = self._load(self._marks)

    def allows(self, rule: str, identity: Identity, project_id: str | None) -> bool:
        """Whether ``identity`` may do what ``rule`` is about, in a project or in none."""
        if self._clock() - self._looked >= self._look_every:
            self._refresh()
        return self._rules.allow(rule, identity, project_id)

    def _refresh(self) -> None:
        """Read the files again when one has changed; a bad one changes nothing."""
        self._looked = self._clock()
        if self._look() == self._marks:
            return
        with self._lock:
            marks = self._look()
            if marks == self._marks:
                return
            self._marks, before = marks, self._marks  # what is wrong is complained about once
            try:
                gone = self._main() is None and any(path not in marks for path in before)
                if gone:
                    raise InvalidConfiguration('[oslo_policy] policy_file is gone')
                self._rules = self._load(marks)
            except InvalidConfiguration as error:
                LOG.error('The rules stay as they were: %s', error)
            else:
                LOG.info('The rules were read again from %s', ', '.join(marks) or 'no file')

    def _look(self) -> Marks:
        return {path: _mark(path) for path in self._files()}

    def _main(self) -> str | None:
        path: str | None = self._conf.find_file(self._conf.oslo_policy.policy_file)
        return path

    def _files(self) -> Iterator[str]:
        """All that there are, in their order: a later one wins."""
        main = self._main()
        if main is not None:
            yield main
        for name in self._conf.oslo_policy.policy_dirs:
            directory = self._conf.find_file(name)
            if directory is not None and os.path.isdir(directory):
                for file in sorted(os.listdir(directory)):
                    path = os.path.join(directory, file)
                    if not file.startswith('.') and os.path.isfile(path):
                        yield path

    def _load(self, files: Marks) -> '_Rules':
        wanted = self._conf.oslo_policy.policy_file
        if wanted != _OPTIONAL and self._main() is None:
            raise InvalidConfiguration(f'[oslo_policy] policy_file: there is no file {wanted}')
        changed: dict[str, str] = {}
        for path in files:
            changed |= _read(path)
        enforcer = _enforcer(self._conf, changed)
        _require_sense(enforcer, changed, ', '.join(files))
        return _Rules(enforcer)


class _Rules:
    """Rules that stay as they are, and what they answered: oslo.policy thinks long."""

    def __init__(self, enforcer: policy.Enforcer) -> None:
        self._enforcer = enforcer
        self._answers: dict[tuple[str, Identity, str | None], bool] = {}
        # Others (HTTP servers, plug-ins) may answer differently tomorrow.
        others = {found.name for found in importlib.metadata.entry_points(group=_OTHERS)}
        named = {kind for check in enforcer.rules.values() for kind in _KIND.findall(str(check))}
        self._lasting = not others & named

    def allow(self, rule: str, identity: Identity, project_id: str | None) -> bool:
        asked = (rule, identity, project_id)
        known = self._answers.get(asked)
        if known is not None:
            return known
        target = {} if project_id is None else {'project_id': project_id}
        credentials = identity.credentials(project_id)
        answer = bool(self._enforcer.authorize(rule, target, credentials))
        # What is no project at all, and may be long, is refused later.
        if self._lasting and len(project_id or '') <= _LONGEST_PROJECT:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[asked] = answer
        return answer


def _mark(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino


def _enforcer(conf: cfg.ConfigOpts, changed: Mapping[str, str]) -> policy.Enforcer:
    """Of the defaults, but for those that ``changed`` has, and its own; it reads no file."""
    rules = defaults.list_rules()
    checks = {rule.name: rule.check for rule in rules}
    checks |= {name: policy.RuleDefault(name, text).check for name, text in changed.items()}
    enforcer = policy.Enforcer(conf, rules=checks, use_conf=False)
    enforcer.register_defaults(rules)
    return enforcer


def _read(path: str) -> Mapping[str, str]:
    """The rules of a file, each of which can be parsed.

    :raises InvalidConfiguration: otherwise.
    """
    try:
        with open(path, encoding='utf-8') as file:
            found = policy.parse_file_contents(file.read())
    except (OSError, ValueError) as error:  # also UnicodeDecodeError
        raise InvalidConfiguration(f'{path}: {" ".join(str(error).split())}') from error
    if not isinstance(found, dict):
        raise InvalidConfiguration(f'{path}: a line is "cluster:create": "role:member"')
    for name, text in found.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise InvalidConfiguration(f'{path}: {name}: a rule is a string, not {text!r}')
        # The parser turns into "!", which lets nobody in, what it does not understand.
        if _refusals(str(policy.RuleDefault(name, text).check)) != _refusals(text):
            raise InvalidConfiguration(f'{path}: {name}: {text!r} is no rule')
    return found


def _refusals(text: str) -> int:
    return [part.strip('()') for part in text.split()].count('!')


def _require_sense(enforcer: policy.Enforcer, changed: Mapping[str, str], where: str) -> None:
    """:raises InvalidConfiguration: for rules that are about nothing, or lead nowhere."""
    named = {name for text in changed.values() for name in _REFERENCE.findall(text)}
    known = {*enforcer.registered_rules, *named, enforcer.conf.oslo_policy.policy_default_rule}
    unknown = sorted(set(changed) - known)
    if unknown:
        raise InvalidConfiguration(
            f'{where}: {", ".join(unknown)}: there is no such rule, and no other refers to it '
            '(all rules: policy.yaml.sample)'
        )
    try:
        enforcer.check_rules(raise_on_violation=True)
    except policy.InvalidDefinitionError as error:
        raise InvalidConfiguration(
            f'{where}: {error} They refer to a rule that is not there, or to themselves.'
        ) from error
